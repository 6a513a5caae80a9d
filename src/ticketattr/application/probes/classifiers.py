"""Checks of the classifiers and of the calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from ...domain.catalog import ServiceCatalog
from ...domain.wording import counted
from ..check import CheckResult
from ..ports import Classifier, SavedCalibration
from ..smoke_test import smoke_test

_RETIRED_SOON = timedelta(days=60)


def probe_embedded_classifier(classifier: Classifier) -> Iterator[CheckResult]:
    """Whether the embedded classifier answers. Raises SettingsError or ServiceError when it does not."""
    smoke_test(classifier)
    yield CheckResult("embedded classifier", "it answers")


def probe_model(build: Callable[[], Classifier], model: str, *, online: bool) -> Iterator[CheckResult]:
    """Whether the model named `model` answers, through the classifier that `build` returns.

    It is asked only when `online`, because an answer costs money. Raises SettingsError or ServiceError when it does not
    answer.
    """
    if not online:
        yield CheckResult("model", f"{model}, not asked: --online asks it one small question")
        return
    smoke_test(build())
    yield CheckResult("model", f"{model} answers")


def probe_retirement(model: str, retired: date | None, today: date) -> Iterator[CheckResult]:
    """A warning from 60 days before the day on which the provider retires the model."""
    if retired and retired - today <= _RETIRED_SOON:
        ends = "was retired" if retired <= today else "is retired"
        yield CheckResult.warning(
            "model",
            f"{model} {ends} on {retired:%Y-%m-%d}: another model may answer in its place, at another price",
            "Set LLM_MODEL_NAME to another model, or leave it empty.",
        )


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
