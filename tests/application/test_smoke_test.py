"""One question to a classifier, and what the user is told when there is no usable answer."""

from __future__ import annotations

import pytest

from ticketattr.application.ports import BatchFailed, ClassifierStopped
from ticketattr.application.smoke_test import smoke_test
from ticketattr.errors import ServiceError, SettingsError, TicketAttrError

from ..fakes import ScriptedClassifier

PARAMETERS = "Check LLM_MODEL_NAME, LLM_API_VERSION and LLM_THINKING_BUDGET, and the other parameters of the model."
OTHER_MODEL = "Try again. If the error remains, set LLM_MODEL_NAME to another model."


def test_a_classifier_that_answers_passes() -> None:
    classifier = ScriptedClassifier()
    smoke_test(classifier)
    ((ticket,),) = classifier.shown
    assert ticket.short_description == "I forgot my password"
    assert (classifier.entered, classifier.left) == (1, 1)


@pytest.mark.parametrize(
    ("failure", "kind", "message", "hint"),
    [
        (BatchFailed("bad_answer", "no JSON"), ServiceError, "no JSON", OTHER_MODEL),
        (BatchFailed("blocked", "it stopped", is_transient=True), ServiceError, "it stopped", OTHER_MODEL),
        (BatchFailed("service_error", "503", is_transient=True), ServiceError, "503", "Try again later."),
        (
            BatchFailed("service_error", "400"),
            SettingsError,
            "400: the model does not accept the request",
            PARAMETERS,
        ),
        (ClassifierStopped("cost_limit", "too dear"), SettingsError, "too dear", "Raise LLM_MAX_COST."),
        (
            ClassifierStopped("quota", "used up"),
            ServiceError,
            "used up",
            "Wait until tomorrow, or ask for a higher quota.",
        ),
    ],
    ids=["bad answer", "blocked", "down", "rejected", "cost limit", "quota"],
)
def test_a_classifier_that_does_not_answer_raises_what_to_do(
    failure: BatchFailed | ClassifierStopped, kind: type[TicketAttrError], message: str, hint: str
) -> None:
    with pytest.raises(kind) as caught:
        smoke_test(ScriptedClassifier(failures={0: failure}))
    assert (str(caught.value), caught.value.hint) == (message, hint)


def test_an_error_of_the_user_is_raised_as_it_is() -> None:
    with pytest.raises(SettingsError, match="wrong key"):
        smoke_test(ScriptedClassifier(failures={0: SettingsError("wrong key")}))
