"""The report: one row for each ticket, in the order in which the service desk reads them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from .catalog import RequestType, ServiceCatalog
from .changes import Change, EarlierReport, ReportedTicket, identities
from .prompt_injection import find_prompt_injection
from .review import REVIEW_BELOW, reasons_for_review
from .ticket import AttributedTicket, Attribution, Outcome, Unattributed
from .times import read_time
from .usage import Bill


@dataclass(frozen=True, slots=True)
class Row:
    """One ticket as the report shows it. The names of the fields are the column headings; None is an empty cell.

    `sla_hours` counts calendar hours (24 a day) and is None for an SLA of 0; `age_days` is the age of the ticket when
    the report was made. `since_last_report` is new, changed or empty. `place` is the position in the queue, from 1.
    """

    id: str
    request_category: str = ""
    request_type: str = ""
    short_description: str = ""
    sla_value: int | float | None = None
    sla_unit: str = ""
    sla_hours: float | None = None
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
    status: str = ""
    priority: str = ""
    assignee: str = ""
    group: str = ""
    updated_at: str = ""
    url: str = ""
    place: int | None = None


@dataclass(frozen=True, slots=True)
class ReportContext:
    """What a report needs besides its tickets; None is unknown.

    `catalog` fills the drop-down lists. `earlier` is the report that this one is compared with. `review_below` is the
    confidence below which a person should look. `ticket_url` is the URL of a ticket, with `{id}` for its id.
    """

    bill: Bill | None = None
    catalog: ServiceCatalog | None = None
    earlier: EarlierReport | None = None
    review_below: float = REVIEW_BELOW
    ticket_url: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The report of one run. `gone`: the tickets of the earlier report that are no longer in the queue."""

    run_id: str
    generated_at: datetime
    rows: tuple[Row, ...]
    context: ReportContext = ReportContext()
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
    context: ReportContext = ReportContext(),
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
    return Report(run_id, generated_at, tuple(sorted(rows, key=_position)), context, gone)


def _row(attributed: AttributedTicket, *, place: int, change: Change, now: datetime, context: ReportContext) -> Row:
    ticket = attributed.ticket
    suspicious = find_prompt_injection(ticket)
    return Row(
        id=ticket.id,
        short_description=ticket.short_description,
        age_days=_age_days(ticket.created_at, now),
        since_last_report=change,
        needs_review=sys.intern("; ".join(reasons_for_review(attributed, suspicious, context.review_below))),
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
        url=_url(ticket.id, context.ticket_url) or ticket.url,
        place=place,
        **_outcome_cells(attributed.outcome),
    )


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
                "sla_hours": entry.sla.calendar_hours or None,
                "source": source,
                "confidence": confidence,
                "evidence": evidence,
                "next_best": _pairs(alternatives[:2]),
            }


def _age_days(created_at: str, now: datetime) -> float | None:
    """The age in days, or None if `created_at` is not a time that is read; one without a time zone counts as UTC."""
    created = read_time(created_at)
    return round((now - created).total_seconds() / 86_400, 1) if created else None


def _created_cell(created_at: str) -> str:
    return f"{created_at} (unreadable)" if created_at.strip() and not read_time(created_at) else created_at


def _url(id: str, template: str) -> str:
    return template.replace("{id}", quote(id, safe="", errors="replace")) if template and id else ""


def _position(row: Row) -> tuple[bool, str, bool, str, bool, str]:
    text = row.short_description
    return (*_folded(row.request_category), *_folded(row.request_type), not text.strip(), text.casefold())


# A catalog has few names and a queue has many tickets, so each name is kept in memory once.
@lru_cache(maxsize=4096)
def _folded(name: str) -> tuple[bool, str]:
    return not name.strip(), name.casefold()


@lru_cache(maxsize=4096)
def _pairs(entries: tuple[RequestType, ...]) -> str:
    return "\n".join(map(str, entries))
