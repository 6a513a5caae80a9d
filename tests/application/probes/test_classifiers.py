"""Classifiers and calibrations, as a check sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from ticketattr.application.check import CheckResult
from ticketattr.application.ports import Classifier
from ticketattr.application.probes.classifiers import (
    probe_calibration,
    probe_embedded_classifier,
    probe_model,
    probe_retirement,
)
from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.errors import ServiceError
from ticketattr.infrastructure.classifiers.llm.known_models import retirement_of

from ...fakes import CATALOG, ScriptedClassifier


def not_built() -> Classifier:
    raise AssertionError("it is not needed")


def test_the_embedded_classifier_is_asked_one_question() -> None:
    classifier = ScriptedClassifier()
    assert list(probe_embedded_classifier(classifier)) == [CheckResult("embedded classifier", "it answers")]
    assert len(classifier.shown) == 1


def test_a_classifier_that_fails_raises_its_error() -> None:
    with pytest.raises(ServiceError, match="down"):
        list(probe_embedded_classifier(ScriptedClassifier(failures={0: ServiceError("down")})))


def test_a_model_is_asked_only_online() -> None:
    classifier = ScriptedClassifier()
    assert list(probe_model(lambda: classifier, ["gemini-test"], online=True)) == [
        CheckResult("model", "gemini-test answers")
    ]
    assert len(classifier.shown) == 1
    assert list(probe_model(not_built, ["gemini-test"], online=False)) == [
        CheckResult("model", "gemini-test, not asked: --online asks it one small question")
    ]


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (date(2026, 10, 1), []),
        (date(2026, 10, 2), ["gemini-2.5-pro is retired on 2026-12-01"]),
        (date(2026, 12, 1), ["gemini-2.5-pro was retired on 2026-12-01"]),
    ],
)
def test_a_model_that_is_retired_within_60_days_is_a_warning(today: date, words: list[str]) -> None:
    retirement = retirement_of("gemini-2.5-pro")
    assert retirement
    results = list(probe_retirement("gemini-2.5-pro", retirement.day, retirement.answered_by, today))
    assert [result.message.partition(":")[0] for result in results] == words
    assert {result.status for result in results} <= {"warning"}


def test_a_model_without_a_known_end_is_not_mentioned() -> None:
    assert retirement_of("gemini-flash-latest") is None


@dataclass
class FakeCalibration:
    fingerprint: str
    tickets: int = 9

    def fits(self, classifier: Classifier, catalog: ServiceCatalog) -> bool:
        assert catalog == CATALOG
        return classifier.fingerprint(catalog) == self.fingerprint


FITTED = CheckResult("calibration", "map.json was fitted on 9 tickets")


def test_a_calibration_for_the_classifier_and_the_catalog_is_fine() -> None:
    assert list(probe_calibration(FakeCalibration("scripted"), "map.json", ScriptedClassifier, CATALOG)) == [FITTED]


def test_a_calibration_for_another_classifier_is_a_warning() -> None:
    assert list(probe_calibration(FakeCalibration("other"), "map.json", ScriptedClassifier, CATALOG)) == [
        FITTED,
        CheckResult(
            "calibration",
            "map.json was made for another classifier or catalog, and is not used",
            "warning",
            "Make it again with `ticketattr evaluate --save-calibration`, unless you run with --examples.",
        ),
    ]


def test_without_a_catalog_the_calibration_is_not_compared() -> None:
    assert list(probe_calibration(FakeCalibration("other"), "map.json", not_built, None)) == [FITTED]
