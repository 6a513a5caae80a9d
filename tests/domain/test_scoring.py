"""The scores of predictions, compared with scikit-learn and with values worked out by hand."""

from __future__ import annotations

import random

import pytest

from ticketattr.domain.catalog import SLA, RequestType
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.scoring import (
    Prediction,
    calibration_error,
    cascade_points,
    compare,
    coverage_at_precision,
    coverage_points,
    predictions_of,
    score,
)
from ticketattr.domain.ticket import Attribution, Ticket, Unattributed

ENTRIES = [RequestType("ABC"[number % 3], f"Type {number}", SLA(1, "days")) for number in range(7)]


def case(
    gold: int,
    answer: int | None,
    confidence: float | None = None,
    also_ok: tuple[int, ...] = (),
    alternatives: tuple[int, ...] = (),
) -> Prediction:
    others = tuple(ENTRIES[place] for place in also_ok)
    ranked = tuple(ENTRIES[place] for place in alternatives)
    entry = None if answer is None else ENTRIES[answer]
    return Prediction("", ENTRIES[gold], others, entry, confidence, ranked)


def fixture(size: int = 400) -> list[Prediction]:
    """Answers that are right as often as they say, over types of different frequency."""
    chance = random.Random(7)  # noqa: S311  # repeatable, and no secret
    cases = []
    for _ in range(size):
        gold, confidence = min(int(chance.expovariate(0.5)), 6), chance.random()
        is_right = chance.random() < confidence
        cases.append(case(gold, gold if is_right else chance.randrange(7), round(confidence, 3)))
    return cases


@pytest.mark.thorough
def test_scores_agree_with_scikit_learn() -> None:
    # Here, because it takes long and only one test needs it.
    from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

    predictions = fixture()
    scores = score(predictions, target=0.9)
    gold, answers = [str(one.label) for one in predictions], [str(one.chosen) for one in predictions]
    categories = [one.chosen.category for one in predictions if one.chosen]
    names = [one.entry for one in scores.types]
    precision, recall, f1, tickets = precision_recall_fscore_support(gold, answers, labels=names, zero_division=0.0)
    close = pytest.approx
    assert scores.pair_accuracy.value == close(accuracy_score(gold, answers), abs=1e-9)
    assert scores.category_accuracy.value == close(
        accuracy_score([one.label.category for one in predictions], categories), abs=1e-9
    )
    assert scores.macro_f1.value == close(f1_score(gold, answers, average="macro", zero_division=0.0), abs=1e-9)
    assert [one.precision for one in scores.types] == close(list(precision), abs=1e-9)
    assert [one.recall for one in scores.types] == close(list(recall), abs=1e-9)
    assert [one.f1 for one in scores.types] == close(list(f1), abs=1e-9)
    assert [one.tickets for one in scores.types] == list(tickets)


def test_no_choice_is_wrong_and_an_acceptable_label_counts_in_the_lenient_accuracy() -> None:
    predictions = [case(0, 0), case(0, 1, also_ok=(1,)), case(0, None), case(1, 4)]
    scores = score(predictions, target=0.9)
    assert scores.answered == 3
    assert scores.pair_accuracy.value == 0.25
    assert scores.lenient_accuracy.value == 0.5
    assert scores.category_accuracy.value == 0.5
    assert ("A / Type 0", "(no answer)", 1) in scores.worst_pairs


def test_a_prediction_keeps_the_confidence_the_model_and_two_alternatives_of_its_outcome() -> None:
    gold = [GoldTicket(Ticket("1", "x"), ENTRIES[0]), GoldTicket(Ticket("2", "y"), ENTRIES[1])]
    answer = Attribution(ENTRIES[2], "model", 0.7, alternatives=tuple(ENTRIES[3:6]), model="small")
    nothing, unsaid = Unattributed("no_match", model="large"), Attribution(ENTRIES[2], "offline")
    assert predictions_of([*gold, gold[0]], [answer, nothing, unsaid]) == [
        Prediction("1", ENTRIES[0], (), ENTRIES[2], 0.7, (ENTRIES[3], ENTRIES[4]), "small"),
        Prediction("2", ENTRIES[1], (), None, model="large"),
        Prediction("1", ENTRIES[0], (), ENTRIES[2]),
    ]
    assert Prediction.of(gold[0], None) == Prediction("1", ENTRIES[0], (), None)


def test_different_numbers_of_predictions_are_a_bug() -> None:
    one, two = [case(0, 0, 0.5)], [case(0, 0, 0.5)] * 2
    for compared in (compare, cascade_points):
        with pytest.raises(ValueError, match="zip"):
            compared(one, two)
    with pytest.raises(ValueError, match="zip"):
        predictions_of([GoldTicket(Ticket("1", "x"), ENTRIES[0])], [])


def test_a_type_without_label_or_choice_scores_0() -> None:
    types = score([case(0, 1), case(2, None)], target=0.9).types
    assert [(score.entry, score.tickets) for score in types] == [
        ("A / Type 0", 1),
        ("B / Type 1", 0),
        ("C / Type 2", 1),
    ]
    assert {(score.precision, score.recall, score.f1) for score in types} == {(0.0, 0.0, 0.0)}


def test_each_type_has_its_precision_recall_and_f1_and_their_mean_is_the_macro_f1() -> None:
    scores = score([case(0, 0), case(0, 0), case(0, 1), case(1, 1)], target=0.9)
    first, second = scores.types
    assert (first.precision, first.recall, first.f1) == pytest.approx((1.0, 2 / 3, 0.8))
    assert (second.precision, second.recall, second.f1) == pytest.approx((0.5, 1.0, 2 / 3))
    assert scores.macro_f1.value == pytest.approx((0.8 + 2 / 3) / 2)


def test_the_most_frequent_confusion_comes_first_then_by_name() -> None:
    predictions = [case(2, 0)] * 2 + [case(0, 2)] * 2 + [case(0, 1)] * 2 + [case(1, 0)] * 3 + [case(0, 0)] * 9
    assert score(predictions, target=0.9).worst_pairs == (
        ("B / Type 1", "A / Type 0", 3),
        ("A / Type 0", "B / Type 1", 2),
        ("A / Type 0", "C / Type 2", 2),
        ("C / Type 2", "A / Type 0", 2),
    )
    everything = [case(gold, answer) for gold in range(7) for answer in range(7)]
    assert len(score(everything, target=0.9).worst_pairs) == 10


def test_top_3_is_counted_if_there_is_a_ranking() -> None:
    unranked = score([case(0, 0), case(1, 2)], target=0.9)
    ranked = score([case(0, 1, alternatives=(2, 0)), case(0, 1, alternatives=(2, 3, 0))], target=0.9)
    assert unranked.top3 is None
    assert ranked.top3 is not None
    assert ranked.top3.value == 0.5


def test_without_confidence_there_is_no_calibration_error_and_no_threshold() -> None:
    scores = score([case(0, 0), case(1, 1)], target=0.9)
    assert (scores.ece, scores.reach, scores.coverage) == (None, None, ())


def test_confidence_is_compared_with_the_share_that_is_right() -> None:
    predictions = [case(0, 0, 0.05), case(0, 1, 0.05), case(0, 0, 0.95), case(0, 0, 1.0), case(0, None)]
    scores = score(predictions, target=0.9)
    assert scores.tickets == 5
    assert [(one.low, one.high, one.tickets, one.confidence, one.right) for one in scores.reliability] == [
        (0.0, 0.1, 2, 0.05, 0.5),
        (0.9, 1.0, 2, 0.975, 1.0),
    ]
    assert scores.ece is not None
    assert scores.ece.value == pytest.approx((2 * 0.45 + 2 * 0.025) / 4)
    assert scores.reach == coverage_at_precision(predictions, 0.9)
    assert scores.reach.target == 0.9


def test_coverage_grows_as_the_threshold_falls_with_one_point_for_equal_confidences() -> None:
    points = coverage_points([case(0, 0, 0.9), case(0, 1, 0.5), case(0, 0, 0.5), case(0, 0, 0.1)])
    assert [(point.threshold, point.coverage, point.precision) for point in points] == [
        (0.9, 0.25, 1.0),
        (0.5, 0.75, pytest.approx(2 / 3)),
        (0.1, 1.0, 0.75),
    ]


def test_the_precision_is_measured_on_tickets_that_did_not_set_the_threshold() -> None:
    reached = coverage_at_precision(fixture(2000), 0.9)
    assert reached.threshold is not None
    assert reached.precision.low <= 0.9 <= reached.precision.high
    assert 0.1 < reached.coverage.value < 0.5


def test_a_confidence_equal_to_the_threshold_is_covered_and_a_share_equal_to_the_target_is_enough() -> None:
    reached = coverage_at_precision([case(0, 0, 0.8)] * 10 + [case(0, None)] * 10, 1.0)
    assert (reached.threshold, reached.coverage.value, reached.precision.value) == (0.8, 0.5, 1.0)


def test_each_fold_is_measured_with_the_threshold_of_the_others() -> None:
    """The first of five is wrong and sure, the others are right: they would leave it the sure ones, it them nothing."""
    reached = coverage_at_precision(([case(0, 1, 0.9)] + [case(0, 0, 0.8)] * 4) * 2, 0.9)
    assert (reached.coverage.value, reached.precision.value) == (0.2, 0.0)


def test_a_target_that_no_threshold_reaches_covers_nothing() -> None:
    reached = coverage_at_precision([case(0, 1, 0.9), case(0, 1, 0.8)] * 10, 0.9)
    assert reached.threshold is None
    assert reached.coverage.value == 0.0


def test_a_confidence_that_equals_the_share_that_is_right_has_a_small_calibration_error() -> None:
    assert calibration_error([(one.confidence or 0.0, one.is_right) for one in fixture(4000)]) < 0.1
    assert calibration_error([(1.0, False)] * 10) == 1.0
    assert calibration_error([(1.0, True)] * 10) == 0.0


def test_the_paired_test_counts_the_tickets_that_only_one_classifier_got_right() -> None:
    first = [case(0, 0)] * 10 + [case(0, 1)] * 2
    second = [case(0, 1)] * 10 + [case(0, 0)] * 2
    comparison = compare(first, second)
    assert (comparison.only_first, comparison.only_second, comparison.both, comparison.neither) == (10, 2, 0, 0)
    assert comparison.p == pytest.approx(0.03857421875)


def test_a_cascade_gains_accuracy_with_the_share_of_tickets_that_it_asks_about() -> None:
    """The first is right where it is sure, the second everywhere: each ticket asked about is one more right."""
    first = [case(0, 0 if number >= 5 else 1, number / 10) for number in range(10)]
    second = [case(0, 0) for _ in range(10)]
    points = cascade_points(first, second)
    assert [round(point.asked_share, 1) for point in points] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert [point.accuracy.value for point in points[:7]] == [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.0]
    assert [point.threshold for point in points[:3]] == [0.0, 0.1, 0.2]


def test_a_cascade_asks_about_tickets_for_which_the_first_classifier_chose_nothing() -> None:
    first, second = [case(0, None), case(0, 0, 0.5)], [case(0, 0), case(0, 1)]
    assert cascade_points(first, second)[0].asked_share == 0.5
    assert cascade_points(first, second)[0].accuracy.value == 1.0


def test_a_cascade_needs_a_first_classifier_that_states_its_confidence() -> None:
    assert cascade_points([case(0, 0)], [case(0, 0, 0.9)]) == []
