"""Figures with the interval that they may lie in, given how few tickets they were measured on."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

T = TypeVar("T")

_Z = 1.959963984540054
"""Of the normal distribution, for 95 %."""

_RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A value, and the interval that holds the true one in 95 of 100 cases."""

    value: float
    low: float
    high: float
    method: Literal["Wilson", "bootstrap"]


def wilson(successes: int, total: int) -> Figure:
    """A share. Right for few tickets and for shares near 0 and 1, too; of nothing, it may be anything."""
    if total == 0:
        return Figure(0.0, 0.0, 1.0, "Wilson")
    share, square = successes / total, _Z * _Z
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = _Z / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    return Figure(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)), "Wilson")


def bootstrap(cases: Sequence[T], measure: Callable[[Sequence[T]], float]) -> Figure:
    """What is no share: measured again on cases drawn with replacement, always in the same way."""
    value = measure(cases)
    chance = random.Random(0)  # noqa: S311  # nosec B311  # repeatable, and no secret
    drawn = sorted(measure(chance.choices(cases, k=len(cases))) for _ in range(_RESAMPLES))
    return Figure(value, drawn[round(0.025 * (_RESAMPLES - 1))], drawn[round(0.975 * (_RESAMPLES - 1))], "bootstrap")


def mcnemar(only_one: int, only_other: int) -> float:
    """How likely two equally good classifiers differ so much: the exact two-sided test.

    Counted are the tickets that only one of the two got right.
    """
    total, fewer = only_one + only_other, min(only_one, only_other)
    tail = sum(math.comb(total, wins) for wins in range(fewer + 1))
    return float(min(1.0, 2 * tail / 2**total))
