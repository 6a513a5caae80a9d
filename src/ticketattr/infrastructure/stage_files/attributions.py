"""The result of `classify`: each ticket with its attribution, or with the reason why it has none.

A path that ends with `.jsonl` or `.parquet` gets a file that is written and read in parts, and may have any size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json

from ...application.ports import Run
from ...domain.catalog import SLA, RequestType
from ...domain.ticket import AttributedTicket, Attribution, Decision, Source, Ticket, Unattributed
from ...domain.usage import Bill
from ...errors import StageFileError
from ..files import shown_path
from . import lines, parquet
from .header import (
    StageFile,
    checked,
    checked_items,
    is_in_lines,
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


@dataclass(slots=True)
class AttributionStream:
    """Attributions that are read one by one; `bill` is there once `items` are read, if the file has one."""

    run_id: str
    generated_at: datetime
    items: Iterator[AttributedTicket]
    bill: Bill | None = None


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


def is_stream(path: Path) -> bool:
    """Whether `write_stream` writes such a path."""
    return path.suffix.lower() in (*lines.SUFFIXES, parquet.SUFFIX)


def is_stream_file(path: Path) -> bool:
    """Whether the file at `path` is read in parts: it is in lines, or Parquet."""
    return is_in_lines(path) or parquet.is_parquet(path)


def write_stream(path: Path, tickets: Iterable[AttributedTicket], run: Run, bill: Callable[[], Bill]) -> datetime:
    """Write the stage file as JSON Lines or Parquet, by the end of `path`, and `bill` at its end.

    Only some tickets are in memory at a time. Returns the time in the file.
    """
    return write_stream_of_lines(path, map(line_of_ticket, tickets), run, bill)


def write_stream_of_lines(path: Path, items: Iterable[bytes], run: Run, bill: Callable[[], Bill]) -> datetime:
    """The same for tickets that are lines of JSON already. Raises StageFileError for other lines, if it reads them."""

    def end() -> dict[str, Any]:
        return {"bill": _BILL.dump_python(bill(), mode="json")}

    if path.suffix.lower() == parquet.SUFFIX:
        return parquet.write_parquet(path, map(from_json, items), run, end)
    return lines.write_lines(path, "attributions", run, items, end)


def write_merged(path: Path, items: Iterable[bytes], run: Run, bill: Bill) -> None:
    """Write a stage file of tickets that `line_of_ticket` wrote, in the form that the end of `path` says.

    Only JSON takes them all into memory. Raises StageFileError for other lines.
    """
    if is_stream(path):
        write_stream_of_lines(path, items, run, lambda: bill)
    else:
        write_attributions(path, list(tickets_in_lines(items, path)), run, bill)


def line_of_ticket(ticket: AttributedTicket) -> bytes:
    """One ticket with its outcome, as a line of JSON."""
    return lines.line_of(_ITEM.dump_python(_item(ticket), mode="json", exclude_none=True))


def tickets_in_lines(items: Iterable[bytes], path: Path) -> Iterator[AttributedTicket]:
    """The tickets that `line_of_ticket` wrote to the file at `path`. Raises StageFileError."""
    found = lines.items_in(items, shown_path(path), "attributions", _ITEM)
    return (_attributed(item, path) for item in found)


@contextmanager
def open_attributions(path: Path) -> Iterator[AttributionStream]:
    """The attributions in the stage file at `path`, one by one. Raises StageFileError, also while they are read.

    A stage file that is one JSON document is read whole.
    """
    if not is_stream_file(path):
        file = read_attributions(path)
        yield AttributionStream(file.run_id, file.generated_at, iter(file.data), file.bill)
        return
    opened = parquet.open_parquet if parquet.is_parquet(path) else lines.open_lines
    with opened(path, "attributions", _ITEM) as source:
        stream = AttributionStream(source.run_id, source.generated_at, iter(()))

        def items() -> Iterator[AttributedTicket]:
            yield from (_attributed(item, path) for item in source.items)
            stream.bill = checked(_BILL, source.end["bill"], path) if "bill" in source.end else None

        stream.items = items()
        yield stream


def write_attributions(path: Path, tickets: Sequence[AttributedTicket], run: Run, bill: Bill) -> datetime:
    """Write the stage file, with `bill` in its header. Returns the time in the header."""
    items = (_ITEM.dump_python(_item(ticket), mode="json", exclude_none=True) for ticket in tickets)
    return write_items(path, "attributions", run, items, bill=_BILL.dump_python(bill, mode="json"))


def read_attributions(path: Path) -> AttributionsFile:
    """The attributions in the stage file at `path`. Raises StageFileError."""
    if is_stream_file(path):
        with open_attributions(path) as stream:
            tickets = list(stream.items)
            return AttributionsFile(stream.run_id, stream.generated_at, tickets, stream.bill)
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
