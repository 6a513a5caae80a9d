"""Ask a classifier one small question, to see whether it works."""

from __future__ import annotations

from ..domain.catalog import SLA, RequestType, ServiceCatalog
from ..domain.ticket import Ticket
from ..errors import ServiceError, SettingsError, TicketAttrError
from .interruptible import run_interruptible
from .ports import BatchFailed, Classifier, ClassifierStopped

_TICKET = Ticket("1", "I forgot my password")
_CATALOG = ServiceCatalog(
    (
        RequestType("Access", "Password Reset", SLA(4, "hours")),
        RequestType("Other", "Other Request", SLA(1, "days")),
    )
)


def smoke_test(classifier: Classifier) -> None:
    """Ask `classifier` about one ticket. Raises SettingsError or ServiceError when it gives no usable answer."""
    run_interruptible(_ask, classifier)


async def _ask(classifier: Classifier) -> None:
    try:
        async with classifier:
            await classifier.choose([_TICKET], _CATALOG)
    except BatchFailed as failure:
        raise _as_error(failure) from failure
    except ClassifierStopped as stopped:
        if stopped.reason == "cost_limit":
            raise SettingsError(str(stopped), hint="Raise LLM_MAX_COST.") from stopped
        raise ServiceError(str(stopped), hint="Wait until tomorrow, or ask for a higher quota.") from stopped


def _as_error(failure: BatchFailed) -> TicketAttrError:
    if failure.reason != "service_error":
        return ServiceError(str(failure), hint="Try again. If the error remains, set LLM_MODEL_NAME to another model.")
    if failure.is_transient:
        return ServiceError(str(failure), hint="Try again later.")
    return SettingsError(
        f"{failure}: the model does not accept the request",
        hint="Check LLM_MODEL_NAME, LLM_API_VERSION and LLM_THINKING_BUDGET, and the other parameters of the model.",
    )
