"""Intervals and tests, compared with published values and values worked out by hand."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from ticketattr.domain.statistics import bootstrap_estimate, mcnemar_p, wilson_estimate


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [
        (8, 10, 0.4901625, 0.9433178),
        (1, 4, 0.0455873, 0.6993582),
        (0, 5, 0.0, 0.4344825),
        (5, 5, 0.5655175, 1.0),
        (50, 200, 0.1950817, 0.3143410),
    ],
)
def test_the_interval_of_a_share_is_that_of_wilson(successes: int, total: int, low: float, high: float) -> None:
    figure = wilson_estimate(successes, total)
    assert (figure.value, figure.method) == (successes / total, "Wilson")
    assert (figure.low, figure.high) == pytest.approx((low, high), abs=1e-6)
    assert 0.0 <= figure.low <= figure.value <= figure.high <= 1.0


def test_the_interval_of_a_share_of_no_cases_is_0_to_1() -> None:
    figure = wilson_estimate(0, 0)
    assert (figure.value, figure.low, figure.high, figure.method) == (0.0, 0.0, 1.0, "Wilson")


def mean(cases: Sequence[float]) -> float:
    return sum(cases) / len(cases)


def test_resampling_finds_the_interval_of_a_mean() -> None:
    """Of 400 values between 0 and 1: 1.96 standard errors on either side, a standard error being 0.0144."""
    chance = random.Random(5)  # noqa: S311  # repeatable, and no secret
    cases = [chance.random() for _ in range(400)]
    figure = bootstrap_estimate(cases, mean)
    assert (figure.value, figure.method) == (mean(cases), "bootstrap")
    assert figure.low == pytest.approx(figure.value - 1.96 * 0.0144, abs=0.003)
    assert figure.high == pytest.approx(figure.value + 1.96 * 0.0144, abs=0.003)


def test_resampling_draws_the_same_cases_each_time() -> None:
    cases = [math.sqrt(number) for number in range(40)]
    assert bootstrap_estimate(cases, mean) == bootstrap_estimate(cases, mean)


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [(10, 2, 0.03857421875), (2, 10, 0.03857421875), (0, 5, 0.0625), (1, 3, 0.625), (0, 0, 1.0), (5, 5, 1.0)],
)
def test_the_paired_test_is_the_exact_mcnemar_test(one: int, other: int, p: float) -> None:
    assert mcnemar_p(one, other) == pytest.approx(p)
