"""The figures of a report that a mail shows: counts, the most urgent tickets, and what failed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from .act_now import most_urgent
from .due import Urgency
from .report import Report, Row
from .sanitizing import sanitize, truncate
from .summary import summarize

MOST_URGENT = 10
"""How many tickets a mail names at most."""

MAX_TEXT = 100
"""The longest text about a ticket in a mail, in UTF-16 code units."""

MAX_URL = 300
"""The longest link in a mail, in characters; a ticket with a longer one is named without it."""

_FAILED_IDS, _FAILED_ID = 5, 40


@dataclass(frozen=True, slots=True)
class UrgentTicket:
    """A ticket that somebody has to act on now.

    `overdue_by` counts hours of the clock of the SLA (None: not overdue), `is_open_time` says that these are service
    hours. `due` is a time in the zone of the report. All texts are those of the ticket, sanitized
    and cut to `MAX_TEXT`.
    """

    id: str
    urgency: Urgency
    url: str = ""
    request_category: str = ""
    request_type: str = ""
    short_description: str = ""
    overdue_by: float | None = None
    is_open_time: bool = False
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class FailedTickets:
    """How many tickets have no request type because of `reason`, and the ids of the first of them."""

    reason: str
    count: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportFigures:
    """What a report says in figures.

    `generated_at` is a time in the zone `time_zone`. `new`, `changed`, `gone` and `newly_overdue` compare with the last
    report that was sent; they are None if there is none. `review` counts all tickets that a person should look at, also
    those that are overdue or failed. `urgent_count` counts all tickets of which `urgent` are the first.
    """

    generated_at: datetime
    time_zone: str
    tickets: int
    attributed: int
    overdue: int
    due_soon: int
    review: int
    failed: int
    urgent_count: int = 0
    new: int | None = None
    changed: int | None = None
    gone: int | None = None
    newly_overdue: int | None = None
    urgent: tuple[UrgentTicket, ...] = ()
    failures: tuple[FailedTickets, ...] = ()


def figures_of(report: Report) -> ReportFigures:
    """The figures of `report`; the most urgent tickets come first."""
    summary = summarize(report)
    due, earlier = dict(summary.due), report.context.earlier
    changes = Counter(row.since_last_report for row in report.rows)
    return ReportFigures(
        generated_at=report.generated_at.astimezone(report.context.zone),
        time_zone=report.context.time_zone,
        tickets=len(report.rows),
        attributed=report.attributed,
        overdue=due["overdue"],
        due_soon=due["due within a day"],
        review=summary.needs_review,
        failed=dict(summary.states)["failed"],
        urgent_count=sum(bool(row.urgency) for row in report.rows),
        new=changes["new"] if earlier else None,
        changed=changes["changed"] if earlier else None,
        gone=len(report.gone) if earlier else None,
        newly_overdue=summary.newly_overdue,
        urgent=tuple(_urgent(row, report) for _, row in most_urgent(report, MOST_URGENT)),
        failures=_failures(report),
    )


def _urgent(row: Row, report: Report) -> UrgentTicket:
    return UrgentTicket(
        id=_cut(row.id),
        urgency=row.urgency,
        url=row.url if len(row.url) <= MAX_URL else "",
        request_category=_cut(row.request_category),
        request_type=_cut(row.request_type),
        short_description=_cut(row.short_description),
        overdue_by=row.overdue_by,
        is_open_time=has_service_hours(row, report),
        due=row.due,
    )


def _cut(text: str, longest: int = MAX_TEXT) -> str:
    return truncate(sanitize(text), longest)


def has_service_hours(row: Row, report: Report) -> bool:
    """Whether the clock of the SLA of that ticket stands still while the desk is closed."""
    catalog = report.context.catalog
    entry = catalog.find(row.request_category, row.request_type) if catalog else None
    return bool(catalog and entry and catalog.hours_of(entry))


def _failures(report: Report) -> tuple[FailedTickets, ...]:
    """The most frequent reason first."""
    failed = [row for row in report.rows if row.unattributed_reason not in ("", "no_match", "pending")]
    return tuple(
        FailedTickets(
            reason,
            count,
            tuple(_cut(row.id, _FAILED_ID) for row in failed if row.unattributed_reason == reason)[:_FAILED_IDS],
        )
        for reason, count in Counter(row.unattributed_reason for row in failed).most_common()
    )
