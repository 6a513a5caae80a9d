"""What a person should look at first: the most urgent tickets of a report, and the least certain attributions."""

from __future__ import annotations

from heapq import nsmallest
from math import inf

from .due import URGENCIES
from .report import Report, Row

Placed = tuple[int, Row]
"""A row, and its place among the rows of the report, from 1."""

LEAST_CERTAIN = 10


def most_urgent(report: Report, most: int) -> list[Placed]:
    """The tickets that somebody has to act on, at most so many.

    First those that are overdue, by how much; then those that are due within a day, the next first; then those that
    need a review, the least certain first; then those that failed, in the order of the report.
    """
    return nsmallest(
        most, ((place, row) for place, row in enumerate(report.rows, start=1) if row.urgency), key=_by_urgency
    )


def least_certain(report: Report, most: int = LEAST_CERTAIN) -> list[Placed]:
    """Of the attributions that need no review, those of the least confidence, as far as a confidence is known."""
    certain = (
        (place, row)
        for place, row in enumerate(report.rows, start=1)
        if not row.needs_review and row.confidence is not None
    )
    return nsmallest(most, certain, key=_by_confidence)


def _by_urgency(placed: Placed) -> tuple[int, float, int]:
    place, row = placed
    degree: float = place
    if row.urgency == "overdue" and row.overdue_by is not None:
        degree = -row.overdue_by
    elif row.urgency == "due within a day" and row.due:
        degree = row.due.timestamp()
    elif row.urgency == "needs review":
        degree = _certainty(row)
    return URGENCIES.index(row.urgency), degree, place


def _by_confidence(placed: Placed) -> tuple[float, int]:
    place, row = placed
    return _certainty(row), place


def _certainty(row: Row) -> float:
    """A ticket without a request type is the least certain; a choice without a confidence comes after the others."""
    if not row.request_type:
        return -inf
    return inf if row.confidence is None else row.confidence
