"""Mapping confidence to probability."""

from __future__ import annotations

import math
import random

import pytest

from ticketattr.domain.calibration import Calibration, fit_calibration


def log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def answers(curve: Calibration, number: int, least: float) -> tuple[list[float], list[bool]]:
    """Confidences of every height, and whether they were right, as often as the curve says."""
    chance = random.Random(11)  # noqa: S311  # repeatable, and no secret
    confidences = [chance.uniform(least, 0.98) for _ in range(number)]
    return confidences, [chance.random() < curve.probability(confidence) for confidence in confidences]


@pytest.mark.parametrize("least", [0.02, 0.8], ids=["any confidence", "always sure"])
@pytest.mark.parametrize("truth", [Calibration(0.5, -1.0), Calibration(2.0, 0.7), Calibration(1.0, 0.0)], ids=str)
def test_the_curve_is_that_of_a_logistic_regression(truth: Calibration, least: float) -> None:
    """Where the likelihood is highest, the errors, and their products with the log-odds, add up to nothing."""
    confidences, right = answers(truth, 4000, least)
    curve = fit_calibration(confidences, right)
    errors = [
        curve.probability(confidence) - was_right for confidence, was_right in zip(confidences, right, strict=True)
    ]
    products = [error * log_odds(confidence) for error, confidence in zip(errors, confidences, strict=True)]
    assert sum(errors) / 4000 == pytest.approx(0, abs=0.0005)
    assert sum(products) / 4000 == pytest.approx(0, abs=0.001)


@pytest.mark.parametrize(
    ("right", "wrong", "share"), [(5, 0, 6 / 7), (0, 8, 1 / 10), (2, 4, (2 * 3 / 4 + 4 * 1 / 6) / 6)]
)
def test_few_tickets_get_the_targets_of_platt(right: int, wrong: int, share: float) -> None:
    """Each as if one more had been right, and one more wrong."""
    curve = fit_calibration([0.5] * (right + wrong), [True] * right + [False] * wrong)
    assert curve.probability(0.5) == pytest.approx(share, abs=0.002)
    assert curve.slope == 1.0


def test_the_order_of_confidences_stays_even_if_the_higher_one_is_wrong() -> None:
    curve = fit_calibration([0.9] * 50 + [0.2] * 50, [False] * 50 + [True] * 50)
    assert curve.slope > 0
    assert curve.probability(0.2) <= curve.probability(0.9)


@pytest.mark.parametrize("share", [0.0001, 0.2, 0.5, 0.93, 0.9999])
def test_slope_1_and_offset_0_change_nothing(share: float) -> None:
    assert Calibration().probability(share) == share


def test_no_probability_is_certain() -> None:
    assert (Calibration().probability(0.0), Calibration().probability(1.0)) == (0.0001, 0.9999)


def test_a_steep_curve_ends_at_0_and_1() -> None:
    steep = Calibration(1000.0)
    assert [steep.probability(share) for share in (0.1, 0.5, 0.9)] == [0.0, 0.5, 1.0]


def test_slope_and_offset_move_the_log_odds() -> None:
    assert Calibration(2.0, 1.0).probability(0.7) == round(1 / (1 + math.exp(-(2 * log_odds(0.7) + 1))), 4)


@pytest.mark.parametrize(
    ("confidences", "right"), [([0.9] * 5, [True] * 5), ([0.9], [False]), ([0.0, 1.0], [True] * 2)]
)
def test_a_few_right_answers_do_not_give_probability_1(confidences: list[float], right: list[bool]) -> None:
    assert 0.0 < fit_calibration(confidences, right).probability(0.9) < 1.0


def test_different_numbers_of_confidences_and_results_are_a_bug() -> None:
    with pytest.raises(ValueError, match="zip"):
        fit_calibration([0.5], [True, False])


def test_slope_and_offset_have_six_decimals() -> None:
    assert fit_calibration([0.6, 0.7, 0.9, 0.95], [False, True, True, True]) == Calibration(0.66685, -0.209973)
