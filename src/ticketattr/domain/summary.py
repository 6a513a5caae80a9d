"""The figures of a report. The counts of each group sum to the number of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .report import Report, Row
from .run_id import began_at
from .times import read_time
from .write_back import EFFECTS

UNATTRIBUTED = "(no request type)"

_BANDS = ((4.0, "up to 4 hours"), (8.0, "up to 8 hours"), (24.0, "up to 1 day"), (72.0, "up to 3 days"))
_BAND_NAMES = ("at once (SLA 0)", *(name for _, name in _BANDS), "more than 3 days", "no SLA")

_PENDING = "pending"
_STATES = ("attributed", "kept", "corrected", "confirmed", "needs review", "failed", _PENDING)
_TIMED = ("overdue", "due within a day", "due later")
DUE_STATES = (*_TIMED, "no creation time", "no request type", "no due time")

Count = tuple[str, int]
"""A name and how many rows have it."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a report: rows by state, by category, by request type, by SLA (`bands`) and by time left (`due`).

    `types` are (category, request type, count). `overdue` counts the overdue tickets of each category, the largest
    count first. `oldest` is None if no ticket has a creation time. `since` counts the changes since the earlier report,
    `newly_overdue` the tickets that became overdue since then; both are None if there is none.
    `effects` count what was done in the helpdesk, as far as anything was.
    """

    states: tuple[Count, ...]
    categories: tuple[Count, ...]
    types: tuple[tuple[str, str, int], ...]
    bands: tuple[Count, ...]
    due: tuple[Count, ...]
    overdue: tuple[Count, ...]
    oldest: Row | None
    since: tuple[Count, ...] | None
    newly_overdue: int | None
    needs_review: int
    effects: tuple[Count, ...] = ()


def summarize(report: Report) -> Summary:
    """The figures of `report`; categories and request types come in the order of its rows."""
    rows = report.rows
    types = Counter((row.request_category or UNATTRIBUTED, row.request_type) for row in rows)
    categories = Counter(row.request_category or UNATTRIBUTED for row in rows)
    return Summary(
        states=_without_pending(_in_order((_state(row) for row in rows), _STATES)),
        categories=tuple(categories.items()),
        types=tuple((category, name, count) for (category, name), count in types.items()),
        bands=_in_order((_band(row) for row in rows), _BAND_NAMES),
        due=tuple(count for count in _in_order((due_state(row) for row in rows), DUE_STATES) if _is_told(count)),
        overdue=tuple(Counter(row.request_category for row in rows if row.urgency == "overdue").most_common()),
        oldest=max(
            (row for row in rows if row.age_days is not None), key=lambda row: row.age_days or 0.0, default=None
        ),
        since=_since(report),
        newly_overdue=_newly_overdue(report),
        needs_review=sum(bool(row.needs_review) for row in rows),
        effects=_effects(rows),
    )


def _effects(rows: Sequence[Row]) -> tuple[Count, ...]:
    counts = ((name.replace("_", " "), sum(bool(getattr(row, name)) for row in rows)) for name in EFFECTS)
    return tuple(count for count in counts if count[1])


def _state(row: Row) -> str:
    """The state of a row. A failed ticket needs review, too, but counts as failed."""
    if row.unattributed_reason == "pending":
        return _PENDING
    if row.unattributed_reason and row.unattributed_reason != "no_match":
        return "failed"
    if row.needs_review or not row.request_type:
        return "needs review"
    return row.source if row.source in ("kept", "corrected", "confirmed") else "attributed"


def _without_pending(states: tuple[Count, ...]) -> tuple[Count, ...]:
    """Leaves out the state that only batch jobs make, where no row has it."""
    return tuple(count for count in states if count != (_PENDING, 0))


def due_state(row: Row) -> str:
    """One of `DUE_STATES`: when the ticket is due, or why nobody knows."""
    if row.due is None:
        if not row.request_type:
            return "no request type"
        return "no due time" if read_time(row.created_at) else "no creation time"
    return row.urgency if row.urgency in DUE_STATES else "due later"


def _is_told(count: Count) -> bool:
    """Why a ticket has no due time is told only where there is one."""
    name, number = count
    return number > 0 or name in _TIMED


def _newly_overdue(report: Report) -> int | None:
    earlier = report.context.earlier
    since = began_at(earlier.run_id) if earlier else None
    if since is None:
        return None
    return sum(row.urgency == "overdue" and row.due is not None and row.due >= since for row in report.rows)


def _band(row: Row) -> str:
    if row.sla_value is None:
        return "no SLA"
    if not row.sla_hours:
        return "at once (SLA 0)"
    hours = row.sla_hours
    return next((name for most, name in _BANDS if hours <= most), "more than 3 days")


def _since(report: Report) -> tuple[Count, ...] | None:
    if report.context.earlier is None:
        return None
    changes = Counter(row.since_last_report for row in report.rows)
    return (
        ("new", changes["new"]),
        ("changed (text or attribution)", changes["changed"]),
        ("the same", changes[""]),
        ("gone (no longer in the queue)", len(report.gone)),
    )


def _in_order(names: Iterable[str], order: tuple[str, ...]) -> tuple[Count, ...]:
    counts = Counter(names)
    return tuple((name, counts[name]) for name in order)
