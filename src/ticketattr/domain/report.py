"""The report: one row for every ticket, in the order in which the desk reads them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from .catalog import RequestType, ServiceCatalog
from .changes import Change, Earlier, Known, identities
from .prompt_injection import find_prompt_injection
from .review import REVIEW_BELOW, reasons_for_review
from .ticket import AttributedTicket, Attribution, Outcome, Unattributed
from .usage import Bill


@dataclass(frozen=True, slots=True)
class Row:
    """One ticket as a reader sees it; field names are the column headings. None is an empty cell.

    `sla_hours` counts calendar hours (a day is 24) and is empty for an SLA of 0; `age_days` is the age when the
    report was made. `since_last_report` says new, changed or nothing. `place` is that in the queue, from 1.
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
    url: str = ""
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Background:
    """What a report says besides its tickets. None: not known.

    `catalog` feeds the drop-downs; `earlier` is the report that this one is compared with; `ticket_url` leads to
    a ticket where `{id}` stands for its id.
    """

    bill: Bill | None = None
    catalog: ServiceCatalog | None = None
    earlier: Earlier | None = None
    review_below: float = REVIEW_BELOW
    ticket_url: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """`gone`: the tickets of the earlier report that are in the queue no more."""

    run_id: str
    generated_at: datetime
    rows: tuple[Row, ...]
    background: Background = Background()
    gone: tuple[Known, ...] = ()

    @property
    def attributed(self) -> int:
        return sum(1 for row in self.rows if row.request_type)


def build_report(
    tickets: Sequence[AttributedTicket],
    *,
    run_id: str,
    generated_at: datetime,
    background: Background = Background(),
) -> Report:
    """Rows by category, request type, then short description, case ignored; empty ones last."""
    earlier = background.earlier
    names = identities([attributed.ticket for attributed in tickets]) if earlier else []
    rows = [
        _row(
            attributed,
            place=place + 1,
            change=earlier.change(names[place], attributed) if earlier else "",
            now=generated_at,
            background=background,
        )
        for place, attributed in enumerate(tickets)
    ]
    gone = earlier.gone(names) if earlier else ()
    return Report(run_id, generated_at, tuple(sorted(rows, key=_position)), background, gone)


def _row(attributed: AttributedTicket, *, place: int, change: Change, now: datetime, background: Background) -> Row:
    ticket = attributed.ticket
    steering = find_prompt_injection(ticket)
    return Row(
        id=ticket.id,
        short_description=ticket.short_description,
        age_days=_age_days(ticket.created_at, now),
        since_last_report=change,
        needs_review=sys.intern("; ".join(reasons_for_review(attributed, steering, background.review_below))),
        long_description=ticket.long_description,
        suspicious=steering,
        original_category=ticket.request_category,
        original_type=ticket.request_type,
        original_sla=str(ticket.sla) if ticket.sla else "",
        created_at=ticket.created_at,
        requester_email=ticket.requester_email,
        url=_url(ticket.id, background.ticket_url),
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
    """None when `created_at` is no time in ISO 8601; one without a zone is taken to be in UTC."""
    try:
        # Python 3.10 does not know the Z.
        created = datetime.fromisoformat(created_at.strip().replace("Z", "+00:00").replace("z", "+00:00"))
        created = created if created.tzinfo else created.replace(tzinfo=timezone.utc)
        return round((now - created).total_seconds() / 86_400, 1)
    except (ValueError, OverflowError):
        return None


def _url(id: str, template: str) -> str:
    return template.replace("{id}", quote(id, safe="", errors="replace")) if template and id else ""


def _position(row: Row) -> tuple[bool, str, bool, str, bool, str]:
    text = row.short_description
    return (*_folded(row.request_category), *_folded(row.request_type), not text.strip(), text.casefold())


# A catalog has few names, a queue has many tickets: each name is kept in memory once.
@lru_cache(maxsize=4096)
def _folded(name: str) -> tuple[bool, str]:
    return not name.strip(), name.casefold()


@lru_cache(maxsize=4096)
def _pairs(entries: tuple[RequestType, ...]) -> str:
    return "\n".join(map(str, entries))
