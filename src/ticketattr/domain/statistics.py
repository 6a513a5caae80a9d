"""Estimates with a 95 % confidence interval, and a test that compares two classifiers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

T = TypeVar("T")

_Z = 1.959963984540054
"""The quantile of the normal distribution for 95 %."""

_RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value and its 95 % confidence interval, from `low` to `high`."""

    value: float
    low: float
    high: float
    method: Literal["Wilson", "bootstrap"]


def wilson_estimate(successes: int, total: int) -> Estimate:
    """The share of successes with the interval of Wilson, which also holds for few cases and shares near 0 or 1.

    Without any case, the interval is 0 to 1.
    """
    if total == 0:
        return Estimate(0.0, 0.0, 1.0, "Wilson")
    share, square = successes / total, _Z * _Z
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = _Z / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    return Estimate(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)), "Wilson")


def bootstrap_estimate(cases: Sequence[T], measure: Callable[[Sequence[T]], float]) -> Estimate:
    """`measure` of the cases, with the interval from 1,000 resamples drawn with replacement.

    It is for figures that are not a share. The same cases always give the same interval.
    """
    value = measure(cases)
    chance = random.Random(0)  # noqa: S311  # nosec B311  # repeatable, and not a secret
    drawn = sorted(measure(chance.choices(cases, k=len(cases))) for _ in range(_RESAMPLES))
    return Estimate(value, drawn[round(0.025 * (_RESAMPLES - 1))], drawn[round(0.975 * (_RESAMPLES - 1))], "bootstrap")


def mcnemar_p(only_one: int, only_other: int) -> float:
    """The probability that two equally good classifiers differ at least this much (exact two-sided McNemar test).

    The arguments count the tickets that only one of the two classifiers got right.
    """
    total, fewer = only_one + only_other, min(only_one, only_other)
    tail = sum(math.comb(total, wins) for wins in range(fewer + 1))
    return float(min(1.0, 2 * tail / 2**total))
