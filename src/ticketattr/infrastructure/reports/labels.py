"""Texts that every format of the report shares: headings, meanings of the states, facts about the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cache

from ...domain.catalog import Scope
from ...domain.due import URGENCIES
from ...domain.figures import has_service_hours
from ...domain.report import Report, Row
from ...domain.service_hours import WEEKDAYS, ServiceHours, equal_days, span_words
from ...domain.summary import UNATTRIBUTED, Count, Summary
from ...domain.ticket import may_be_a_page
from ..words import LANGUAGES, Words, words
from ..words.urgency import UrgentCase, urgency_text

_CHECKS = (
    "Checked: whether there is a request type; whether the confidence, where there is one, is at least {limit}; "
    "whether the SLA that the ticket came with contradicts the catalog; whether the text tries to steer the "
    "classifier; whether the ticket was created in the future. Not checked: whether a confident choice is right."
)
MEANINGS = {
    "attributed": "chosen by the classifier: nothing to do",
    "kept": "came with a valid request type: nothing to do",
    "corrected": "decided by a person: nothing to do",
    "confirmed": "confirmed by a person: nothing to do",
    "needs review": "a person should review it",
    "failed": "not attributed because something failed",
    "pending": "asked about in a batch job that has not answered yet: the next run looks again",
}
ACT_NOW_MEANINGS = {
    "overdue": "past the time that the SLA promises",
    "due within a day": "within a day by the clock of the SLA",
    "only to review": "to review, and due later or at an unknown time",
    "failed": "without a request type, because something failed",
}
DUE_MEANINGS = {
    "no creation time": "the ticket has no valid creation time",
    "no request type": "the SLA comes with the request type",
    "no due time": "the catalog of the run is missing, or the SLA is longer than 100 years",
}
_NO_CLOCK = "unknown: the catalog of the run is missing, so no ticket has a due time"
EFFECT_MEANINGS = {
    "written": "category and request type were set in the helpdesk",
    "suggested": "an internal note suggests them",
    "kept by person": "a person had decided before: the ticket stays as it was",
    "conflict": "a person decided in the same moment: their value stays",
    "not written": "the helpdesk refused it, or it is in doubt: the next run goes on",
}
_MAX_GONE = 30
_MAX_CLOCKS = 10


def words_of(report: Report) -> Words:
    """The words of the language of the report."""
    return words(report.context.language)


def headings_of(field: str) -> list[str]:
    """The heading of the column for that field of `Row`, in each language."""
    return [words(language).section("columns")[field] for language in LANGUAGES]


def field_of(heading: str) -> str:
    """The field of `Row` whose column has that heading, which names a time zone after times; else the text itself."""
    without_zone = heading.rpartition(" (")[0]
    return _fields().get(heading) or _fields().get(without_zone) or heading


@cache
def _fields() -> dict[str, str]:
    return {title: field for field in words("en").section("columns") for title in headings_of(field)}


def made_at(report: Report) -> str:
    """The time of the report, to the minute, with its time zone."""
    return f"{shown_time(report.generated_at, report)} {report.context.time_zone}"


def shown_time(time: datetime, report: Report) -> str:
    """A time in the zone of the report, to the minute."""
    return words_of(report).time(time.astimezone(report.context.zone))


def urgency_in_words(row: Row, report: Report) -> str:
    """Why somebody has to act on a ticket now: `overdue by 2 d 3 h`, `due in 40 min`, `needs review`, `failed`."""
    case = UrgentCase(row.urgency, row.overdue_by, has_service_hours(row, report), row.due)
    return urgency_text(case, report.generated_at, words_of(report))


def pair_of(row: Row) -> str:
    """Category and request type in one text; empty without a request type."""
    return f"{row.request_category} / {row.request_type}" if row.request_type else ""


def sla_of(row: Row, report: Report) -> str:
    """The SLA of the catalog in words, such as `4 hours`; empty without a request type."""
    return sla_text(row.sla_value, row.sla_unit, words_of(report))


def sla_text(value: float | None, unit: str, say: Words) -> str:
    """An SLA in words, such as `4 hours` or `1 day`; empty without a value."""
    if value is None:
        return ""
    return say.value(f"{say.number(value, 'g')} {unit[:-1] if value == 1 else unit}")


def review_checks(report: Report) -> str:
    """What puts a ticket among those that need a review, so that nobody takes the rest for right."""
    say = words_of(report)
    return say.text(_CHECKS, limit=say.number(report.context.review_below, "g"))


def since_heading(report: Report) -> str:
    """The heading of the changes since the earlier report."""
    say, earlier = words_of(report), report.context.earlier
    if earlier is None:
        return say.text("Since the last report that was sent: there is none yet")
    return say.text("Since the last report that was sent ({run})", run=earlier.run_id)


def gone_tickets(report: Report) -> list[str]:
    """A line for each ticket that is no longer in the queue; of very many, the last line says how many more."""
    say = words_of(report)
    gone = (f"{ticket.id or say.text('(no id)')} {ticket.short_description}" for ticket in report.gone[:_MAX_GONE])
    more = len(report.gone) - _MAX_GONE
    lines = [say.text("gone: {ticket}", ticket=ticket) for ticket in gone]
    return [*lines, say.text("and {n} more", n=say.number(more))] if more > 0 else lines


def oldest_ticket(row: Row, report: Report) -> str:
    """The oldest ticket in one line: its id, its age and its short description."""
    say = words_of(report)
    ticket = row.id or say.text("(no id)")
    return say.count("counted.oldest", row.age_days or 0, "g", ticket=ticket, text=row.short_description)


def queue_line(report: Report) -> str:
    """How many tickets there are, and when the report was made."""
    return words_of(report).count("counted.tickets", len(report.rows), time=made_at(report))


def act_now_counts(report: Report) -> list[Count]:
    """How many tickets there are of each urgency. Those to review may be overdue, and are not counted twice."""
    counts = Counter("only to review" if row.urgency == "needs review" else row.urgency for row in report.rows)
    names = ("only to review" if urgency == "needs review" else urgency for urgency in URGENCIES if urgency)
    return [(name, counts[name]) for name in names]


def changes(summary: Summary, say: Words) -> list[Count]:
    """What changed since the earlier report, in the language of the report; nothing without one."""
    became = [] if summary.newly_overdue is None else [(say.text("became overdue since then"), summary.newly_overdue)]
    return [*((say.value(name), count) for name, count in summary.since or ()), *became]


def by_category(counts: Sequence[Count], say: Words) -> list[Count]:
    """The counts with the names of categories as they are, and a translation where there is none."""
    return [(say.value(name) if name == UNATTRIBUTED else name, count) for name, count in counts]


def counted_types(summary: Summary, say: Words) -> list[Count]:
    """The counts by request type, with the category in the name."""
    counts = [(f"{category} / {name}" if name else category, count) for category, name, count in summary.types]
    return by_category(counts, say)


def facts(report: Report) -> list[tuple[str, str]]:
    """How the report was made: names and values."""
    context, say = report.context, words_of(report)
    known = [("run", report.run_id), ("attributed at", made_at(report)), *_costs(report)]
    if catalog := context.catalog:
        count = say.number(len(catalog.entries))
        version = say.text("version {version}, {n} request types", version=catalog.version, n=count)
        known.append(("service catalog", version))
    known.append(("needs review below a confidence of", say.number(context.review_below, "g")))
    without_text = sum(not (row.short_description or row.long_description) for row in report.rows)
    if 2 * without_text > len(report.rows):
        counts = {"without": say.number(without_text), "n": say.number(len(report.rows))}
        known.append(("warning", say.text("{without} of {n} tickets came without any text", **counts)))
    if may_be_a_page(len(report.rows)):
        number = say.number(len(report.rows))
        known.append(("warning", say.text("exactly {n} tickets: this may be one page of a longer queue", n=number)))
    return [*((say.text(name), value) for name, value in known), *_clocks(report)]


def _costs(report: Report) -> list[tuple[str, str]]:
    bill, say = report.context.bill, words_of(report)
    if bill is None:
        return []
    tokens = {"tokens_in": say.number(bill.usage.tokens_in), "tokens_out": say.number(bill.usage.tokens_out)}
    duration = [("duration", f"{say.number(bill.seconds, '.1f')} s")] if bill.seconds else []
    return [
        ("model", bill.model or say.text("unknown")),
        ("calls", say.number(bill.usage.calls)),
        ("tokens in and out", say.text("{tokens_in} and {tokens_out}", **tokens)),
        ("cost", say.text("unknown") if bill.cost is None else bill.cost_in_words),
        *duration,
        *(("warning", note) for note in bill.notes),
    ]


def _clocks(report: Report) -> list[tuple[str, str]]:
    """By which clock the SLAs run: the whole catalog's, and those of the parts that have another."""
    catalog, say = report.context.catalog, words_of(report)
    if catalog is None:
        return [(say.text("clock of the SLAs"), say.text(_NO_CLOCK))]
    scopes: dict[Scope, ServiceHours | None] = {(): None, **catalog.service_hours}
    lines = [(_clock_of(scope, say), _clock(hours, say)) for scope, hours in list(scopes.items())[:_MAX_CLOCKS]]
    more = len(scopes) - len(lines)
    others = (say.text("clocks of other parts"), say.text("{n} more", n=say.number(more)))
    return [*lines, others] if more else lines


def _clock_of(scope: Scope, say: Words) -> str:
    if not scope:
        return say.text("clock of the SLAs")
    return say.text("clock of the SLAs of {part}", part=" / ".join(scope))


def _clock(hours: ServiceHours | None, say: Words) -> str:
    if hours is None:
        return say.text("the calendar, day and night: a day has 24 hours")
    week = "; ".join(f"{_days(group, say)} {span_words(hours.week[group[0]])}" for group in equal_days(hours))
    parts = [f"{week} ({hours.time_zone})"]
    if hours.holidays:
        parts.append(say.text("closed on holidays of {regions}", regions=", ".join(hours.holidays)))
    if hours.closed_yearly:
        parts.append(say.text("closed on {n} days of each year", n=say.number(len(hours.closed_yearly))))
    return say.text("service hours: {hours}; a day is a business day", hours=", ".join(parts))


def _days(group: list[int], say: Words) -> str:
    first, last = (say.text(WEEKDAYS[day].capitalize()) for day in (group[0], group[-1]))
    return first if len(group) == 1 else f"{first}-{last}"
