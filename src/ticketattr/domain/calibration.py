"""Calibration: maps the confidence that a classifier states to the probability that the answer is right.

This is Platt scaling: a logistic curve over the log-odds of the confidence. It has two parameters, so that a hundred
labelled tickets are enough to fit it. It does not change the order of answers by confidence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_LEAST = 1e-4
"""A confidence is taken to be at least so far from 0 and 1, because their log-odds are infinite."""

_STEPS = 100
_RIDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Calibration:
    """`slope` and `offset` of the curve; 1 and 0 leave a confidence as it is."""

    slope: float = 1.0
    offset: float = 0.0

    def probability(self, confidence: float) -> float:
        """Returns the probability, from 0 to 1, that an answer of this confidence is right."""
        return round(_logistic(self.slope * _log_odds(confidence) + self.offset), 4)


def fit_calibration(confidences: Sequence[float], right: Sequence[bool]) -> Calibration:
    """Returns the curve that makes the observed results most likely. `right` says for each confidence if it was right.

    The targets are Platt's, slightly less than 1 and more than 0. So the result is below 1 even if all of a few
    tickets are right.
    """
    positives, negatives = sum(right), len(right) - sum(right)
    high, low = (positives + 1) / (positives + 2), 1 / (negatives + 2)
    points = [(_log_odds(c), high if r else low) for c, r in zip(confidences, right, strict=True)]
    slope, offset = 1.0, 0.0
    for _ in range(_STEPS):
        step = _newton_step(points, slope, offset)
        slope, offset = max(slope - step[0], 0.01), offset - step[1]
        if max(map(abs, step)) < 1e-10:
            break
    return Calibration(round(slope, 6), round(offset, 6))


def _newton_step(points: Sequence[tuple[float, float]], slope: float, offset: float) -> tuple[float, float]:
    """Returns a step of Newton's method. A small pull towards slope 1 and offset 0 keeps the curve finite."""
    by_slope, by_offset = _RIDGE * (slope - 1), _RIDGE * offset
    slope_slope, slope_offset, offset_offset = _RIDGE, 0.0, _RIDGE
    for odds, target in points:
        share = _logistic(slope * odds + offset)
        error, weight = share - target, max(share * (1 - share), 1e-6)
        by_slope += error * odds
        by_offset += error
        slope_slope += weight * odds * odds
        slope_offset += weight * odds
        offset_offset += weight
    determinant = slope_slope * offset_offset - slope_offset * slope_offset
    return (
        _bounded((by_slope * offset_offset - by_offset * slope_offset) / determinant),
        _bounded((by_offset * slope_slope - by_slope * slope_offset) / determinant),
    )


def _bounded(step: float) -> float:
    return max(-1.0, min(1.0, step))


def _log_odds(share: float) -> float:
    bounded = min(max(share, _LEAST), 1 - _LEAST)
    return math.log(bounded / (1 - bounded))


def _logistic(odds: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, odds))))
