"""The report: one row for each ticket, in the order in which the service desk reads them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from .catalog import RequestType, ServiceCatalog
from .changes import Change, EarlierReport, ReportedTicket, identities
from .due import Urgency, due_times
from .prompt_injection import find_prompt_injection
from .review import REVIEW_BELOW, reasons_for_review
from .ticket import AttributedTicket, Attribution, Decision, DecisionEffect, Outcome, Unattributed
from .time_zones import time_zone
from .times import read_time
from .usage import Bill
from .write_back import Effect

_CLOCKS_DIFFER = timedelta(minutes=5)
_EFFECTS: dict[DecisionEffect, str] = {
    "holds for a changed text": "the text changed since then",
    "another text": "not used: the text has become another one since then",
    "not in the catalog": "not used: the catalog no longer has that entry",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One ticket as the report shows it. The fields are the columns; None is an empty cell.

    `sla_hours` counts calendar hours (a day is 24). `due` and `response_due` are times in the zone of the report;
    `overdue_by` counts hours of the clock of the SLA, and is empty for a ticket that is not overdue. `age_days` is the
    age of the ticket when the report was made. `since_last_report` is new, changed or empty. `place` is the
    position in the queue, from 1. `decision` says what a person decided about the ticket, and when. `written` to
    `not_written` say what was done in the helpdesk; at most one of them is set.
    """

    id: str
    request_category: str = ""
    request_type: str = ""
    short_description: str = ""
    sla_value: int | float | None = None
    sla_unit: str = ""
    sla_hours: float | None = None
    due: datetime | None = None
    overdue_by: float | None = None
    urgency: Urgency = ""
    response_due: datetime | None = None
    status: str = ""
    priority: str = ""
    assignee: str = ""
    age_days: float | None = None
    since_last_report: Change = ""
    needs_review: str = ""
    source: str = ""
    confidence: float | None = None
    evidence: str = ""
    next_best: str = ""
    long_description: str = ""
    unattributed_reason: str = ""
    unattributed_detail: str = ""
    suspicious: str = ""
    original_category: str = ""
    original_type: str = ""
    original_sla: str = ""
    created_at: str = ""
    requester_email: str = ""
    group: str = ""
    updated_at: str = ""
    url: str = ""
    decision: str = ""
    written: str = ""
    suggested: str = ""
    kept_by_person: str = ""
    conflict: str = ""
    not_written: str = ""
    place: int | None = None

    @property
    def checked(self) -> str:
        """An empty cell, in which a person confirms the row."""
        return ""


@dataclass(frozen=True, slots=True)
class ReportContext:
    """What a report needs besides its tickets; None is unknown.

    `catalog` fills the drop-down lists. `earlier` is the report that this one is compared with. `review_below` is the
    confidence below which a person should look. `ticket_url` is the URL of a ticket, with `{id}` for its id.
    `time_zone` is the zone of all times, a name of the IANA database. `language` is that of the words, such as `en`.
    `effects` say what was written into the helpdesk, by the id of the ticket.
    """

    bill: Bill | None = None
    catalog: ServiceCatalog | None = None
    earlier: EarlierReport | None = None
    review_below: float = REVIEW_BELOW
    ticket_url: str = ""
    time_zone: str = "UTC"
    language: str = "en"
    effects: Mapping[str, tuple[Effect, str]] = field(default_factory=dict)

    @property
    def zone(self) -> tzinfo:
        """The zone of all times."""
        return time_zone(self.time_zone)


_NO_CONTEXT = ReportContext()


@dataclass(frozen=True, slots=True)
class Report:
    """The report of one run. `gone`: the tickets of the earlier report that are no longer in the queue."""

    run_id: str
    generated_at: datetime
    rows: tuple[Row, ...]
    context: ReportContext = _NO_CONTEXT
    gone: tuple[ReportedTicket, ...] = ()

    @property
    def attributed(self) -> int:
        """How many tickets have a request type."""
        return sum(1 for row in self.rows if row.request_type)


def build_report(
    tickets: Sequence[AttributedTicket],
    *,
    run_id: str,
    generated_at: datetime,
    context: ReportContext = _NO_CONTEXT,
) -> Report:
    """The report on `tickets`, which come in the order of the queue.

    Rows are sorted by category, request type and short description, without case; empty values come last.
    `generated_at` is in UTC.
    """
    earlier = context.earlier
    names = identities([attributed.ticket for attributed in tickets]) if earlier else []
    rows = [
        _row(
            attributed,
            place=place + 1,
            change=earlier.change(names[place], attributed) if earlier else "",
            now=generated_at,
            context=context,
        )
        for place, attributed in enumerate(tickets)
    ]
    gone = earlier.gone(names) if earlier else ()
    return Report(run_id, generated_at, tuple(sorted(rows, key=row_position)), context, gone)


def stream_rows(
    tickets: Iterable[AttributedTicket], *, generated_at: datetime, context: ReportContext = _NO_CONTEXT
) -> Iterator[Row]:
    """Yields the rows of `build_report` one by one, in the order of the queue, and compares with no earlier report."""
    for place, attributed in enumerate(tickets, start=1):
        yield _row(attributed, place=place, change="", now=generated_at, context=context)


def _row(attributed: AttributedTicket, *, place: int, change: Change, now: datetime, context: ReportContext) -> Row:
    ticket = attributed.ticket
    suspicious = find_prompt_injection(ticket)
    created = read_time(ticket.created_at)
    doubts = reasons_for_review(attributed, suspicious, context.review_below)
    if created and created - now > _CLOCKS_DIFFER:
        doubts = (*doubts, f"created in the future: {ticket.created_at.strip()}")
    return Row(
        id=ticket.id,
        short_description=ticket.short_description,
        age_days=round((now - created).total_seconds() / 86_400, 1) if created else None,
        since_last_report=change,
        needs_review=sys.intern("; ".join(doubts)),
        long_description=ticket.long_description,
        suspicious=suspicious,
        original_category=ticket.request_category,
        original_type=ticket.request_type,
        original_sla=str(ticket.sla) if ticket.sla else "",
        created_at=_created_cell(ticket.created_at),
        requester_email=ticket.requester_email,
        status=ticket.status,
        priority=ticket.priority,
        assignee=ticket.assignee,
        group=ticket.group,
        updated_at=ticket.updated_at,
        decision=_decision_cell(attributed.decision, context.zone),
        url=_url(ticket.id, context.ticket_url) or _web_page(ticket.url),
        place=place,
        **_effect_cells(ticket.id, context),
        **_outcome_cells(attributed.outcome),
        **_due_cells(attributed.outcome, created, now, context, needs_review=bool(doubts)),
    )


def _due_cells(
    outcome: Outcome, created: datetime | None, now: datetime, context: ReportContext, *, needs_review: bool
) -> dict[str, Any]:
    """Without a catalog, nobody knows by which clock an SLA runs."""
    entry = outcome.entry if isinstance(outcome, Attribution) else None
    times = due_times(created, entry, context.catalog, now) if created and entry and context.catalog else None
    if times is None:
        return {"urgency": "failed" if outcome.is_failure else "needs review" if needs_review else ""}
    zone, overdue = context.zone, times.overdue_by
    soon: Urgency = "due within a day" if times.is_soon else "needs review" if needs_review else ""
    return {
        "due": times.due.astimezone(zone),
        "overdue_by": None if overdue is None else round(overdue.total_seconds() / 3600, 2),
        "urgency": soon if overdue is None else "overdue",
        "response_due": times.response_due.astimezone(zone) if times.response_due else None,
    }


def _outcome_cells(outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case Unattributed(reason, detail):
            return {"unattributed_reason": reason, "unattributed_detail": detail}
        case Attribution(entry, source, confidence, evidence, alternatives):
            return {
                "request_category": entry.category,
                "request_type": entry.name,
                "sla_value": entry.sla.value,
                "sla_unit": entry.sla.unit,
                "sla_hours": entry.sla.calendar_hours,
                "source": source,
                "confidence": confidence,
                "evidence": evidence,
                "next_best": _pairs(alternatives[:2]),
            }


def _decision_cell(decision: Decision | None, zone: tzinfo) -> str:
    if decision is None:
        return ""
    what = "confirmed" if decision.is_confirmation else "corrected"
    made = f"{what} on {decision.at.astimezone(zone):%Y-%m-%d}"
    return made if decision.effect == "holds" else f"{made}; {_EFFECTS[decision.effect]}"


def _effect_cells(id: str, context: ReportContext) -> dict[str, Any]:
    effect = context.effects.get(id)
    return {effect[0]: effect[1]} if effect else {}


def _created_cell(created_at: str) -> str:
    return f"{created_at} (unreadable)" if created_at.strip() and not read_time(created_at) else created_at


def _url(id: str, template: str) -> str:
    return template.replace("{id}", quote(id, safe="", errors="replace")) if template and id else ""


def _web_page(url: str) -> str:
    """`url` if a browser would open a web page by it, and nothing else."""
    return url if url.lower().startswith(("http://", "https://")) else ""


def row_position(row: Row) -> tuple[bool, str, bool, str, bool, str]:
    """What the rows of a report are sorted by; rows that are equal by it keep the order of the queue."""
    text = row.short_description
    return (*_folded(row.request_category), *_folded(row.request_type), not text.strip(), text.casefold())


# A catalog has few names and a queue has many tickets, so each name is kept in memory once.
@lru_cache(maxsize=4096)
def _folded(name: str) -> tuple[bool, str]:
    return not name.strip(), name.casefold()


@lru_cache(maxsize=4096)
def _pairs(entries: tuple[RequestType, ...]) -> str:
    return "\n".join(map(str, entries))
