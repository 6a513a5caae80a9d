"""Checks of the classifiers and of the calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta

from ...domain.catalog import ServiceCatalog
from ...domain.wording import counted, some_of
from ..check import CheckResult
from ..ports import Classifier, SavedCalibration
from ..smoke_test import smoke_test

_RETIRED_SOON = timedelta(days=60)

_MODELS_SHOWN = 20

_HIDDEN = (
    "mail addresses, phone, account, card, tax and insurance numbers, IP addresses, passwords, codes, keys and "
    "secrets in URLs"
)

_FIX = "Correct LLM_MODEL_NAME, or the parameters that are set for it."


def probe_embedded_classifier(classifier: Classifier) -> Iterator[CheckResult]:
    """Whether the embedded classifier answers. Raises SettingsError or ServiceError when it does not."""
    smoke_test(classifier)
    yield CheckResult("embedded classifier", "it answers")


def probe_model(build: Callable[[], Classifier], models: Sequence[str], *, online: bool) -> Iterator[CheckResult]:
    """Whether one of the `models` answers, and which, through the classifier that `build` returns.

    It is asked only when `online`, because an answer costs money. Raises SettingsError or ServiceError when none
    answers.
    """
    names = ", or else ".join(models)
    if not online:
        yield CheckResult("model", f"{names}, not asked: --online asks it one small question")
        return
    classifier = build()
    smoke_test(classifier)
    answered = classifier.bill.model
    yield CheckResult("model", f"{names} answers" + (f", as {answered}" if answered not in ("", names) else ""))
    for note in classifier.bill.notes:
        yield CheckResult.warning("model", note, _FIX)


def probe_model_list(names: Sequence[str]) -> Iterator[CheckResult]:
    """How many models the key may use, and the `names` of some of them."""
    listed = f"the key may use {counted(len(names), 'model')}: {some_of(names, _MODELS_SHOWN)}"
    yield CheckResult("model", listed if names else "the service does not list its models")


def probe_parameters(notes: Iterable[str]) -> Iterator[CheckResult]:
    """A warning for each of the `notes` about a parameter that has no effect on the model that is set."""
    for note in notes:
        yield CheckResult.warning("model", note, _FIX)


def probe_retirement(model: str, retired: date | None, answered_by: str, today: date) -> Iterator[CheckResult]:
    """A warning from 60 days before the day on which the provider retires the model.

    `answered_by` is the model that answers in its place from then on.
    """
    if retired and retired - today <= _RETIRED_SOON:
        ends, answers = ("was retired", "answers") if retired <= today else ("is retired", "will answer")
        yield CheckResult.warning(
            "model",
            f"{model} {ends} on {retired:%Y-%m-%d}: {answered_by} {answers} in its place, at another price",
            "Set LLM_MODEL_NAME to another model, or leave it empty.",
        )


def probe_redaction(*, is_on: bool, has_terms: bool) -> Iterator[CheckResult]:
    """What is hidden from a model. `has_terms`: the user has names and patterns of their own."""
    if not is_on:
        yield CheckResult("redaction", "REDACT=off: the model gets the text of tickets as it is")
        return
    own = ", and what REDACT_TERMS names" if has_terms else ""
    yield CheckResult("redaction", f"hidden from the model: {_HIDDEN}{own}; names of persons are not found")


def probe_calibration(
    calibration: SavedCalibration, name: str, build: Callable[[], Classifier], catalog: ServiceCatalog | None
) -> Iterator[CheckResult]:
    """Whether the calibration in the file `name` was made for this classifier and catalog.

    `build` returns the classifier without any calibration. Without a catalog, only the calibration itself is checked.
    """
    yield CheckResult("calibration", f"{name} was fitted on {counted(calibration.tickets, 'ticket')}")
    if catalog and not calibration.fits(build(), catalog):
        yield CheckResult.warning(
            "calibration",
            f"{name} was made for another classifier or catalog, and is not used",
            "Make it again with `ticketattr evaluate --save-calibration`, unless you run with --examples.",
        )
