"""The result of `classify`: each ticket with its attribution, or with the reason why it has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from ...application.ports import Run
from ...domain.catalog import SLA, RequestType
from ...domain.ticket import AttributedTicket, Attribution, Decision, Source, Ticket, Unattributed
from ...domain.usage import Bill
from ...errors import StageFileError
from ..files import shown_path
from .header import (
    StageFile,
    checked,
    checked_items,
    read_header,
    refuse_impossible_slas,
    remedy,
    stage_file,
    write_items,
)


@dataclass(frozen=True, slots=True)
class AttributionsFile(StageFile[list[AttributedTicket]]):
    """A stage file of attributions; `bill` is None if the file does not have one."""

    bill: Bill | None


@dataclass(frozen=True, slots=True)
class _Pair:
    request_category: str
    request_type: str
    sla: SLA


@dataclass(frozen=True, slots=True)
class _Attribution(_Pair):
    source: Source
    confidence: float | None = None
    evidence: str = ""
    alternatives: tuple[_Pair, ...] = ()
    response: SLA | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class _Item:
    ticket: Ticket
    attribution: _Attribution | None = None
    unattributed: Unattributed | None = None
    decision: Decision | None = None


_ITEM = TypeAdapter(_Item)
_ITEMS = TypeAdapter(list[_Item])
_BILL = TypeAdapter(Bill)


def write_attributions(path: Path, tickets: Sequence[AttributedTicket], run: Run, bill: Bill) -> datetime:
    """Write the stage file, with `bill` in its header. Returns the time in the header."""
    items = (_ITEM.dump_python(_item(ticket), mode="json", exclude_none=True) for ticket in tickets)
    return write_items(path, "attributions", run, items, bill=_BILL.dump_python(bill, mode="json"))


def read_attributions(path: Path) -> AttributionsFile:
    """The attributions in the stage file at `path`. Raises StageFileError."""
    header = read_header(path, "attributions")
    file = stage_file(header, path, "attributions")
    tickets = [_attributed(item, path) for item in checked_items(_ITEMS, file.data, path)]
    bill = checked(_BILL, header["bill"], path) if "bill" in header else None
    return AttributionsFile(file.run_id, file.generated_at, tickets, bill)


def _item(attributed: AttributedTicket) -> _Item:
    match attributed.outcome:
        case Unattributed() as unattributed:
            return _Item(attributed.ticket, unattributed=unattributed, decision=attributed.decision)
        case Attribution(entry, source, confidence, evidence, alternatives):
            others = tuple(_Pair(other.category, other.name, other.sla) for other in alternatives)
            attribution = _Attribution(
                *(entry.category, entry.name, entry.sla),
                source=source,
                confidence=confidence,
                evidence=evidence,
                alternatives=others,
                response=entry.response,
                model=attributed.outcome.model or None,
            )
            return _Item(attributed.ticket, attribution, decision=attributed.decision)


def _attributed(item: _Item, path: Path) -> AttributedTicket:
    refuse_impossible_slas(_slas(item), path, "attributions")
    if attribution := item.attribution:
        outcome: Attribution | Unattributed = Attribution(
            replace(_entry(attribution), response=attribution.response),
            attribution.source,
            attribution.confidence,
            attribution.evidence,
            tuple(map(_entry, attribution.alternatives)),
            model=attribution.model or "",
        )
    elif item.unattributed:
        outcome = item.unattributed
    else:
        raise StageFileError(
            f"{shown_path(path)}: a ticket has neither an attribution nor a reason for having none",
            hint=remedy("attributions"),
        )
    return AttributedTicket(item.ticket, outcome, item.decision)


def _slas(item: _Item) -> Iterator[SLA]:
    found = item.attribution
    pairs = (found, *found.alternatives) if found else ()
    response = found.response if found else None
    yield from filter(None, (item.ticket.sla, response, *(pair.sla for pair in pairs)))


def _entry(pair: _Pair) -> RequestType:
    return RequestType(pair.request_category, pair.request_type, pair.sla)
