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
    probe_model_list,
    probe_parameters,
    probe_redaction,
    probe_retirement,
)
from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.usage import Bill
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
    ("models", "answered", "words"),
    [
        (["m-1"], "m-1", "m-1 answers"),
        (["m-1"], "m-2", "m-1 answers, as m-2"),
        (["m-1", "m-2"], "m-2", "m-1, or else m-2 answers, as m-2"),
    ],
)
def test_of_several_models_the_one_that_answered_is_named_with_what_it_does_not_take(
    models: list[str], answered: str, words: str
) -> None:
    bill = Bill(model=answered, notes=("LLM_SEED has no effect", "LLM_TOP_P has no effect"))
    assert list(probe_model(lambda: ScriptedClassifier(bill=bill), models, online=True)) == [
        CheckResult("model", words),
        *list(probe_parameters(bill.notes)),
    ]
    names = ", or else ".join(models)
    assert list(probe_model(not_built, models, online=False)) == [
        CheckResult("model", f"{names}, not asked: --online asks it one small question")
    ]


def test_a_parameter_without_an_effect_is_a_warning() -> None:
    assert list(probe_parameters(["LLM_SEED has no effect"])) == [
        CheckResult(
            *("model", "LLM_SEED has no effect", "warning"),
            "Correct LLM_MODEL_NAME, or the parameters that are set for it.",
        )
    ]
    assert list(probe_parameters([])) == []


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "the service does not list its models"),
        (1, "the key may use 1 model: m-1"),
        (20, f"the key may use 20 models: {', '.join(f'm-{number}' for number in range(1, 21))}"),
        (22, f"the key may use 22 models: {', '.join(f'm-{number}' for number in range(1, 21))}, and 2 more"),
    ],
)
def test_the_models_that_the_key_may_use_are_counted_and_twenty_named(count: int, words: str) -> None:
    assert list(probe_model_list([f"m-{number}" for number in range(1, count + 1)])) == [CheckResult("model", words)]


def test_what_is_hidden_from_the_model_is_told() -> None:
    hidden = (
        "hidden from the model: mail addresses, phone, account, card, tax and insurance numbers, IP addresses, "
        "passwords, codes, keys and secrets in URLs"
    )
    unnamed = "; names of persons are not found"
    for is_on, has_terms, words in (
        (True, False, f"{hidden}{unnamed}"),
        (True, True, f"{hidden}, and what REDACT_TERMS names{unnamed}"),
        (False, True, "REDACT=off: the model gets the text of tickets as it is"),
    ):
        assert list(probe_redaction(is_on=is_on, has_terms=has_terms)) == [CheckResult("redaction", words)]


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (date(2026, 10, 1), ""),
        (date(2026, 10, 2), "m-1 is retired on 2026-12-01: m-2 will answer in its place, at another price"),
        (date(2026, 11, 30), "m-1 is retired on 2026-12-01: m-2 will answer in its place, at another price"),
        (date(2026, 12, 1), "m-1 was retired on 2026-12-01: m-2 answers in its place, at another price"),
    ],
)
def test_a_model_that_is_retired_within_60_days_is_a_warning(today: date, words: str) -> None:
    fix = "Set LLM_MODEL_NAME to another model, or leave it empty."
    expected = [CheckResult("model", words, "warning", fix)] if words else []
    assert list(probe_retirement("m-1", date(2026, 12, 1), "m-2", today)) == expected
    assert list(probe_retirement("m-1", None, "", today)) == []


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
