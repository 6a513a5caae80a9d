"""A classifier is measured on gold tickets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ticketattr.application.classify import classify_texts, classify_tickets
from ticketattr.application.evaluate import (
    Candidate,
    EvaluationResults,
    GoldSet,
    calibrate,
    compare_results,
    evaluate_classifier,
    refuse_foreign_calibration,
    refuse_single_label,
    repeated_results,
)
from ticketattr.application.ports import Classifier
from ticketattr.domain.calibration import fit_calibration
from ticketattr.domain.catalog import RequestType, ServiceCatalog
from ticketattr.domain.consistency import consistency_of
from ticketattr.domain.gold import GoldTicket, no_labelled_tickets
from ticketattr.domain.scoring import Prediction, cascade_points, compare, score
from ticketattr.domain.ticket import Attribution, Ticket
from ticketattr.domain.usage import Bill, Usage
from ticketattr.errors import InputError
from ticketattr.infrastructure.classifiers.answer_cache import NoAnswerCache, SQLiteAnswerCache

from ..fakes import CATALOG, GENERAL, LAPTOP, MIDNIGHT, PASSWORD, ScriptedClassifier


def gold_of(*labelled: tuple[str, RequestType]) -> GoldSet:
    return GoldSet(
        [GoldTicket(Ticket(str(number), text), entry) for number, (text, entry) in enumerate(labelled)], CATALOG
    )


def candidate_of(classifier: Classifier, labelled: Sequence[GoldTicket] = ()) -> Candidate:
    return Candidate("scripted", "its own map", classifier, NoAnswerCache(), lambda catalog: labelled)


def no_progress(done: int, total: int) -> None:
    pass


def timer_from(*seconds: float) -> Iterator[float]:
    return iter(seconds)


def test_each_prediction_stands_beside_the_gold_ticket_whose_label_it_was_not_shown() -> None:
    chosen = {"locked out": PASSWORD, "cracked": GENERAL}
    classifier = ScriptedClassifier(lambda ticket: chosen.get(ticket.short_description), batch_size=2)
    gold = GoldSet(
        [
            GoldTicket(Ticket("1", "locked out"), PASSWORD),
            GoldTicket(Ticket("2", "cracked"), LAPTOP, also_ok=(GENERAL,)),
            GoldTicket(Ticket("3", "lunch?"), GENERAL),
        ],
        CATALOG,
    )
    told: list[tuple[int, int]] = []
    results = evaluate_classifier(
        *(candidate_of(classifier), gold, lambda done, total: told.append((done, total))),
        target=0.9,
        timer=timer_from(0.0, 1.0).__next__,
    )
    predictions = results.predictions
    assert [(case.id, case.label, case.also_ok) for case in predictions] == [
        (case.ticket.id, case.entry, case.also_ok) for case in gold.tickets
    ]
    assert [case.chosen for case in predictions] == [PASSWORD, GENERAL, None]
    assert [(case.is_right, case.is_acceptable) for case in predictions] == [
        (True, True),
        (False, True),
        (False, False),
    ]
    assert [ticket for batch in classifier.shown for ticket in batch] == [case.ticket for case in gold.tickets]
    assert told[-1] == (3, 3)


def test_the_results_name_the_classifier_its_confidence_source_its_cost_and_the_time_that_it_took() -> None:
    classifier = ScriptedClassifier(lambda ticket: PASSWORD, bill=Bill(Usage(calls=3), cost=0.5))
    gold = gold_of(("locked out", PASSWORD), ("cracked", LAPTOP))
    results = evaluate_classifier(
        candidate_of(classifier), gold, no_progress, target=0.8, timer=timer_from(10.0, 12.34567).__next__
    )
    assert (results.classifier, results.calibration) == ("scripted", "its own map")
    assert (results.bill.usage.calls, results.bill.cost, results.bill.seconds) == (3, 0.5, 2.346)
    assert results.scores == score(results.predictions, target=0.8)


def test_two_results_are_compared_ticket_by_ticket() -> None:
    gold = gold_of(("locked out", PASSWORD), ("cracked", LAPTOP))
    first, second = (
        evaluate_classifier(
            candidate_of(ScriptedClassifier(script)), gold, no_progress, target=0.9, timer=timer_from(0, 0).__next__
        )
        for script in (lambda ticket: PASSWORD, lambda ticket: LAPTOP)
    )
    compared = compare_results(first, second)
    assert (compared.first, compared.second) == (first, second)
    assert compared.comparison == compare(first.predictions, second.predictions)
    assert (compared.comparison.only_first, compared.comparison.only_second) == (1, 1)
    assert compared.cascade == []
    sure, unsure = (
        replace(results, predictions=tuple(replace(case, confidence=confidence) for case in results.predictions))
        for results, confidence in ((first, 0.9), (second, 0.4))
    )
    points = compare_results(sure, unsure).cascade
    assert points == cascade_points(sure.predictions, unsure.predictions)
    assert points != []


def test_repeated_runs_have_the_scores_of_the_first_the_bill_of_all_and_how_far_they_agree() -> None:
    gold = gold_of(("locked out", PASSWORD), ("cracked", LAPTOP))

    def run(entry: RequestType, model: str, *notes: str) -> EvaluationResults:
        bill = Bill(Usage(calls=2), cost=0.5, model=model, notes=notes)
        candidate = candidate_of(ScriptedClassifier(lambda ticket: entry, bill=bill))
        return evaluate_classifier(candidate, gold, no_progress, target=0.9, timer=timer_from(0, 1.5).__next__)

    runs = [run(PASSWORD, "m-1", "slow"), run(LAPTOP, "m-2", "slow", "dear"), run(PASSWORD, "m-1")]
    assert repeated_results(runs) == replace(
        runs[0],
        bill=Bill(Usage(calls=6), 1.5, 4.5, "m-1, m-2", ("slow", "dear")),
        consistency=consistency_of([one.predictions for one in runs]),
    )


def prediction(chosen: RequestType | None, confidence: float | None) -> Prediction:
    return Prediction("1", PASSWORD, (), chosen, confidence)


def test_a_calibration_is_fitted_to_the_predictions_that_state_their_confidence() -> None:
    predictions = [
        prediction(PASSWORD, 0.9),
        prediction(LAPTOP, None),
        prediction(LAPTOP, 0.4),
        prediction(None, 0.2),
    ]
    assert calibrate(predictions) == (fit_calibration([0.9, 0.4, 0.2], [True, False, False]), 3)


def test_without_any_confidence_there_is_nothing_to_calibrate() -> None:
    with pytest.raises(InputError) as caught:
        calibrate([prediction(PASSWORD, None)])
    assert str(caught.value) == "the classifier does not state its confidence, so there is nothing to calibrate"
    assert caught.value.hint == "Leave --save-calibration out."


@pytest.mark.parametrize(
    "different", [500, *(pytest.param(many, marks=pytest.mark.thorough) for many in (12_007, 25_000))]
)
def test_many_tickets_are_asked_about_in_the_batches_of_a_queue_and_each_text_once(different: int) -> None:
    tickets = [Ticket(str(number), f"locked out {number % different}") for number in range(25_000)]
    whole, parts = (ScriptedClassifier(lambda ticket: PASSWORD, batch_size=7) for _ in range(2))
    told: list[tuple[int, int]] = []
    expected = classify_tickets(tickets, CATALOG, whole, NoAnswerCache(), no_progress)
    outcomes = classify_texts(
        *(iter(tickets), len(tickets), CATALOG, parts, NoAnswerCache()),
        lambda done, total: told.append((done, total)),
    )
    assert outcomes == [ticket.outcome for ticket in expected]
    texts = [[[ticket.texts for ticket in batch] for batch in asked.shown] for asked in (parts, whole)]
    assert texts[0] == texts[1]
    assert told[-1] == (different, different)


def test_a_text_that_was_answered_before_is_not_asked_about(tmp_path: Path) -> None:
    classifier = ScriptedClassifier(lambda ticket: PASSWORD)
    cache = SQLiteAnswerCache(tmp_path / "answers.db", lambda: MIDNIGHT, lambda model: True)
    tickets = [Ticket(str(number), f"locked out {number % 3}") for number in range(6)]
    once, again = (classify_texts(tickets, len(tickets), CATALOG, classifier, cache, no_progress) for _ in range(2))
    assert [len(batch) for batch in classifier.shown] == [3]
    assert [outcome.source for outcome in again if isinstance(outcome, Attribution)] == ["cached"] * 6
    assert len(once) == 6


def test_labelled_tickets_are_shown_to_the_classifier_as_examples() -> None:
    classifier = ScriptedClassifier(lambda ticket: PASSWORD)
    labelled = [GoldTicket(Ticket("9", "locked out"), LAPTOP)]
    gold = gold_of(("locked out again", PASSWORD))
    evaluate_classifier(
        candidate_of(classifier, labelled), gold, no_progress, target=0.9, timer=timer_from(0, 0).__next__
    )
    assert [example.entry for example in classifier.examples[0]] == [LAPTOP]


@pytest.mark.parametrize(
    ("learned", "warning"),
    [
        ({"0"}, "1 ticket of 3 that are measured on are among those that the model was learned from"),
        ({"0", "2"}, "2 tickets of 3 that are measured on are among those that the model was learned from"),
        (set(), ""),
    ],
)
def test_tickets_that_the_model_was_learned_from_are_a_warning(
    learned: set[str], warning: str, caplog: pytest.LogCaptureFixture
) -> None:
    gold = gold_of(("locked out", PASSWORD), ("cracked", LAPTOP), ("lunch?", GENERAL))
    candidate = replace(candidate_of(ScriptedClassifier()), has_learned=lambda ticket: ticket.id in learned)
    evaluate_classifier(candidate, gold, no_progress, target=0.9, timer=timer_from(0, 0).__next__)
    assert caplog.messages == ([f"{warning}: the scores are too high"] if warning else [])


def test_a_classifier_is_not_measured_on_its_examples() -> None:
    classifier = ScriptedClassifier(lambda ticket: PASSWORD)
    labelled = [GoldTicket(Ticket("9", "locked out"), PASSWORD)]
    gold = gold_of(("locked out", PASSWORD), ("forgotten", PASSWORD))
    with pytest.raises(InputError) as caught:
        evaluate_classifier(
            candidate_of(classifier, labelled), gold, no_progress, target=0.9, timer=timer_from(0).__next__
        )
    assert str(caught.value) == "the examples contain 1 gold ticket, so the scores would be too high"
    assert caught.value.hint == "Give examples that are not in the gold set."
    assert classifier.shown == []


@dataclass
class FakeCalibration:
    fingerprint: str
    tickets: int = 9

    def fits(self, classifier: Classifier, catalog: ServiceCatalog) -> bool:
        return classifier.fingerprint(catalog) == self.fingerprint


def test_a_calibration_for_another_classifier_is_refused() -> None:
    classifier = ScriptedClassifier()
    refuse_foreign_calibration(FakeCalibration("scripted"), "map.json", classifier, CATALOG)
    with pytest.raises(InputError) as caught:
        refuse_foreign_calibration(FakeCalibration("other"), "map.json", classifier, CATALOG)
    assert str(caught.value) == "map.json was made for another classifier or catalog"
    assert caught.value.hint == "Make one for this classifier and catalog with --save-calibration."


@pytest.mark.parametrize("labels", [[], [PASSWORD], [PASSWORD, PASSWORD]])
def test_gold_tickets_with_fewer_than_two_labels_are_refused(labels: list[RequestType]) -> None:
    gold = gold_of(*(("locked out", entry) for entry in labels))
    with pytest.raises(InputError) as caught:
        refuse_single_label(gold.tickets, "gold.csv")
    assert str(caught.value) == "gold.csv: all tickets have the same label, so a classifier cannot be measured on them"
    assert caught.value.hint == "Add tickets with other labels: docs/explanation/quality.md describes the file."


def test_gold_tickets_with_two_labels_are_accepted() -> None:
    refuse_single_label(gold_of(("locked out", PASSWORD), ("cracked", LAPTOP)).tickets, "gold.csv")
    assert list(no_labelled_tickets(CATALOG)) == []
