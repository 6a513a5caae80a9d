"""Texts that every format of the report shares: headings, meanings of the states, facts about the run."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from ...domain.catalog import Scope
from ...domain.due import URGENCIES
from ...domain.figures import has_service_hours
from ...domain.report import Report, Row
from ...domain.service_hours import ServiceHours, describe
from ...domain.summary import Count, Summary
from ..words import words
from ..words.urgency import UrgentCase, urgency_text
from .run_id_reader import RUN_FACT

HEADINGS = {
    "id": "Ticket",
    "request_category": "Category",
    "request_type": "Request type",
    "short_description": "Short description",
    "sla_value": "SLA",
    "sla_unit": "SLA unit",
    "sla_hours": "SLA in hours (a day is 24)",
    "due": "Due",
    "overdue_by": "Overdue by (hours)",
    "urgency": "Act now",
    "response_due": "Response due",
    "status": "Status",
    "priority": "Priority",
    "assignee": "Assignee",
    "age_days": "Age (days)",
    "since_last_report": "Since last report",
    "needs_review": "Needs review",
    "source": "Decided by",
    "confidence": "Confidence",
    "evidence": "Evidence",
    "next_best": "Next best",
    "long_description": "Long description",
    "unattributed_reason": "Why no request type",
    "unattributed_detail": "Detail",
    "suspicious": "Suspicious text",
    "original_category": "Original category",
    "original_type": "Original type",
    "original_sla": "Original SLA",
    "created_at": "Created",
    "requester_email": "Requester",
    "group": "Group",
    "updated_at": "Changed",
    "decision": "Decision by a person",
    "checked": "Checked (x)",
    "place": "Place in the queue",
}
"""The heading of the column for each field of `Row`."""

_FIELDS_BY_HEADING = {heading: name for name, heading in HEADINGS.items()}


def field_of(heading: str) -> str:
    """The field of `Row` whose column has that heading, which names a time zone after times; else the text itself."""
    without_zone = heading.rpartition(" (")[0]
    return _FIELDS_BY_HEADING.get(heading) or _FIELDS_BY_HEADING.get(without_zone) or heading


MEANINGS = {
    "attributed": "chosen by the classifier: nothing to do",
    "kept": "came with a valid request type: nothing to do",
    "corrected": "decided by a person: nothing to do",
    "confirmed": "confirmed by a person: nothing to do",
    "needs review": "a person should review it",
    "failed": "not attributed because something failed",
}
ACT_NOW_MEANINGS = {
    "overdue": "past the time that the SLA promises",
    "due within a day": "within a day by the clock of the SLA",
    "needs review": "to review, and due later or at an unknown time",
    "failed": "without a request type, because something failed",
}
DUE_MEANINGS = {
    "no creation time": "the ticket has no valid creation time",
    "no request type": "the SLA comes with the request type",
    "no due time": "the catalog of the run is missing, or the SLA is longer than 100 years",
}
_MAX_GONE = 30
_MAX_CLOCKS = 10


def made_at(report: Report) -> str:
    """The time of the report, to the minute, with its time zone."""
    return f"{shown_time(report.generated_at, report)} {report.context.time_zone}"


def shown_time(time: datetime, report: Report) -> str:
    """A time in the zone of the report, to the minute."""
    return f"{time.astimezone(report.context.zone):%Y-%m-%d %H:%M}"


def urgency_in_words(row: Row, report: Report) -> str:
    """Why somebody has to act on a ticket now: `overdue by 2 d 3 h`, `due in 40 min`, `needs review`, `failed`."""
    case = UrgentCase(row.urgency, row.overdue_by, has_service_hours(row, report), row.due)
    return urgency_text(case, report.generated_at, words("en"))


def pair_of(row: Row) -> str:
    """Category and request type in one text; empty without a request type."""
    return f"{row.request_category} / {row.request_type}" if row.request_type else ""


def review_checks(report: Report) -> str:
    """What puts a ticket among those that need a review, so that nobody takes the rest for right."""
    return (
        "Checked: whether there is a request type; whether the confidence, where there is one, is at least "
        f"{report.context.review_below:g}; whether the SLA that the ticket came with contradicts the catalog; "
        "whether the text tries to steer the classifier; whether the ticket was created in the future. "
        "Not checked: whether a confident choice is right."
    )


def since_heading(report: Report) -> str:
    """The heading of the changes since the earlier report."""
    earlier = report.context.earlier
    if earlier is None:
        return "Since the last report that was sent: there is none yet"
    return f"Since the last report that was sent ({earlier.run_id})"


def gone_tickets(report: Report) -> list[str]:
    """A line for each ticket that is no longer in the queue; of very many, the last line says how many more."""
    lines = [f"{ticket.id or '(no id)'} {ticket.short_description}" for ticket in report.gone[:_MAX_GONE]]
    more = len(report.gone) - len(lines)
    return [*lines, f"and {more:,} more"] if more else lines


def oldest_ticket(row: Row) -> str:
    """The oldest ticket in one line: its id, its age and its short description."""
    return f"{row.id or '(no id)'}, {row.age_days:g} days old: {row.short_description}"


def act_now_counts(report: Report) -> list[Count]:
    """How many tickets there are of each urgency."""
    counts = Counter(row.urgency for row in report.rows)
    return [(urgency, counts[urgency]) for urgency in URGENCIES if urgency]


def changes(summary: Summary) -> list[Count]:
    """What changed since the earlier report; nothing without one."""
    became = [] if summary.newly_overdue is None else [("became overdue since then", summary.newly_overdue)]
    return [*(summary.since or ()), *became]


def counted_types(summary: Summary) -> list[Count]:
    """The counts by request type, with the category in the name."""
    return [(f"{category} / {name}" if name else category, count) for category, name, count in summary.types]


def facts(report: Report) -> list[tuple[str, str]]:
    """How the report was made: names and values."""
    context, bill = report.context, report.context.bill
    known = [(RUN_FACT, report.run_id), ("attributed at", made_at(report))]
    if bill:
        known += [
            ("model", bill.model or "unknown"),
            ("calls", f"{bill.usage.calls:,}"),
            ("tokens in and out", f"{bill.usage.tokens_in:,} and {bill.usage.tokens_out:,}"),
            ("cost", bill.cost_in_words),
        ]
        if bill.seconds:
            known.append(("duration", f"{bill.seconds:.1f} s"))
        known += [("warning", note) for note in bill.notes]
    if context.catalog:
        entries = len(context.catalog.entries)
        known.append(("service catalog", f"version {context.catalog.version}, {entries:,} request types"))
    known.append(("needs review below a confidence of", f"{context.review_below:g}"))
    without_text = sum(not (row.short_description or row.long_description) for row in report.rows)
    if 2 * without_text > len(report.rows):
        known.append(("warning", f"{without_text:,} of {len(report.rows):,} tickets came without any text"))
    return [*known, *_clocks(report)]


def _clocks(report: Report) -> list[tuple[str, str]]:
    """By which clock the SLAs run: the whole catalog's, and those of the parts that have another."""
    catalog = report.context.catalog
    if catalog is None:
        return [("clock of the SLAs", "unknown: the catalog of the run is missing, so no ticket has a due time")]
    scopes: dict[Scope, ServiceHours | None] = {(): None, **catalog.service_hours}
    lines = [(_clock_of(scope), _clock(hours)) for scope, hours in list(scopes.items())[:_MAX_CLOCKS]]
    more = len(scopes) - len(lines)
    return [*lines, ("clocks of other parts", f"{more:,} more")] if more else lines


def _clock_of(scope: Scope) -> str:
    return f"clock of the SLAs of {' / '.join(scope)}" if scope else "clock of the SLAs"


def _clock(hours: ServiceHours | None) -> str:
    if hours is None:
        return "the calendar, day and night: a day has 24 hours"
    own = len(hours.closed_yearly)
    days = f", and on {own} days of each year" if own > 1 else ", and on one day of each year" if own else ""
    return f"service hours: {describe(hours)}{days}; a day is a business day"
