"""The report: one row for every ticket, in the order in which the desk reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from .suspicion import suspicion
from .ticket import AttributedTicket, Attribution, Unattributed


@dataclass(frozen=True, slots=True)
class Row:
    """One ticket as a reader sees it; field names are the column headings. None is an empty cell."""

    id: str
    request_category: str = ""
    request_type: str = ""
    short_description: str = ""
    sla_value: int | float | None = None
    sla_unit: str = ""
    long_description: str = ""
    source: str = ""
    confidence: float | None = None
    evidence: str = ""
    unattributed_reason: str = ""
    unattributed_detail: str = ""
    suspicious: str = ""
    original_category: str = ""
    original_type: str = ""
    original_sla: str = ""
    created_at: str = ""
    requester_email: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    run_id: str
    generated_at: datetime
    rows: tuple[Row, ...]

    @property
    def attributed(self) -> int:
        return sum(1 for row in self.rows if row.request_type)


def build_report(tickets: Iterable[AttributedTicket], *, run_id: str, generated_at: datetime) -> Report:
    """Rows by category, request type, then short description, case ignored; empty ones last."""
    rows = sorted(map(_row, tickets), key=_position)
    return Report(run_id=run_id, generated_at=generated_at, rows=tuple(rows))


def _row(attributed: AttributedTicket) -> Row:
    ticket = attributed.ticket
    row = Row(
        id=ticket.id,
        short_description=ticket.short_description,
        original_category=ticket.request_category,
        original_type=ticket.request_type,
        original_sla=str(ticket.sla) if ticket.sla else "",
        created_at=ticket.created_at,
        requester_email=ticket.requester_email,
        suspicious=suspicion(ticket),
        long_description=ticket.long_description,
    )
    match attributed.outcome:
        case Attribution(entry, source, confidence, evidence):
            return replace(
                row,
                request_category=entry.category,
                request_type=entry.name,
                sla_value=entry.sla.value,
                sla_unit=entry.sla.unit,
                source=source,
                confidence=confidence,
                evidence=evidence,
            )
        case Unattributed(reason, detail):
            return replace(row, unattributed_reason=reason, unattributed_detail=detail)


def _position(row: Row) -> list[tuple[bool, str]]:
    keys = (row.request_category, row.request_type, row.short_description)
    return [(not key.strip(), key.casefold()) for key in keys]
