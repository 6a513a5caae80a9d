"""Gold tickets: JSON, JSON Lines, CSV, Parquet, a workbook (also a report of ours), or a stage file; also from stdin.

Columns are found by their usual names, as in the exports of helpdesks (`ticket_files`). A row has `id`,
`short_description`, `long_description`, the label in `request_category` and `request_type`, and perhaps `also_ok`:
other labels that would do, as a list of `{request_category, request_type}`, or in a cell as `Category / Type`, one a
line. In a stage file, the label is that of the attribution. Descriptions may be HTML, except
in stage files and reports, whose text was read already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...domain.catalog import RequestType, ServiceCatalog
from ...domain.gold import GoldTicket, GoldTickets
from ...domain.learning import LabelledTicket
from ...domain.ticket import Attribution, Ticket
from ...domain.wording import some_of
from ...errors import InputError
from ..reports.labels import field_of
from ..reports.workbook_archive import TICKETS_SHEET
from ..stage_files.header import stage_kind
from ..ticket_files.columns import canonical, find_columns
from ..ticket_files.json_records import value_at
from ..ticket_files.records import open_records
from ..ticket_text import ticket_text
from .disk_list import DiskList

_TEXTS = ("short_description", "long_description")
_COLUMNS = ("short_description", "request_category", "request_type")
_READ = ("id", *_TEXTS, "request_category", "request_type", "created_at")
_OTHERS = "also_ok"
_NAMED = 5
_HINT = "Correct the file: docs/explanation/quality.md describes it."

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GoldFile:
    """The rows of a file whose form is valid. `tickets` looks up their labels in a catalog.

    The file is read once; its rows wait in a temporary file, so it may have any size.
    """

    path: Path
    rows: DiskList[Row]

    @classmethod
    def read(cls, path: Path) -> GoldFile:
        """The file at `path`. Raises InputError when it cannot be read or is not valid, ServiceError on a full disk."""
        return cls(path, DiskList(_checked(_rows(path), path)))

    def tickets(self, catalog: ServiceCatalog, *, ignore_unknown: bool = False) -> list[GoldTicket]:
        """The gold tickets, in the order of the rows.

        Raises InputError for labels that are not in `catalog`; `ignore_unknown` leaves out their tickets instead.
        """
        return list(self.stream(catalog, ignore_unknown=ignore_unknown))

    def stream(self, catalog: ServiceCatalog, *, ignore_unknown: bool = False) -> GoldTickets:
        """The gold tickets, as `tickets` gives them, of which one at a time is in memory."""
        known, unknown = 0, dict[str, None]()
        for row in self.rows:
            category, name = _text(row, "request_category"), _text(row, "request_type")
            if catalog.find(category, name):
                known += 1
            else:
                unknown[f"{category} / {name}"] = None
        if unknown and not ignore_unknown:
            raise InputError(
                f"{self.path}: labels that are not in the catalog ({len(unknown)}): {some_of(unknown, _NAMED)}",
                hint="Correct them, or leave those tickets out with --ignore-unknown.",
            )
        return _Stream(self.rows, catalog, known)


@dataclass(frozen=True, slots=True)
class _Stream:
    """The gold tickets in `rows` whose labels are in `catalog`."""

    rows: DiskList[Row]
    catalog: ServiceCatalog
    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[GoldTicket]:
        for row in self.rows:
            if entry := self.catalog.find(_text(row, "request_category"), _text(row, "request_type")):
                yield _gold(row, entry, self.catalog)


def labelled_tickets(path: Path) -> Iterator[LabelledTicket]:
    """Yields the tickets of a file that have a label, one by one, with the names that their labels have.

    The labels need not be in any catalog. JSON Lines, CSV and Parquet are read in parts, and may have any size. Raises
    InputError when the file cannot be read or is not valid; an error about the whole file follows the last ticket.
    """
    for row in _checked(_rows(path), path):
        if _text(row, "request_type"):
            yield LabelledTicket(_ticket(row), (_text(row, "request_category"), _text(row, "request_type")))


def _rows(path: Path) -> Iterator[Row]:
    if path.suffix.lower() == ".xlsx" and (rows := _from_report(path)) is not None:
        return iter(rows)
    if stage_kind(path):
        return _from_stage_file(path)
    return map(_with_plain_text, _from_records(path))


def _with_plain_text(row: Row) -> Row:
    """The row with its descriptions as text, whatever form they came in."""
    return {**row, **{name: text for name in _TEXTS if (text := ticket_text(row.get(name)))}}


def _checked(rows: Iterable[Row], path: Path) -> Iterator[Row]:
    """Yields the rows. Raises InputError if there are none, if they lack columns, and at the end for repeated ids."""
    seen: set[str] = set()
    repeated: dict[str, None] = {}
    number = 0
    for number, row in enumerate(rows, start=1):
        if number == 1 and (missing := [name for name in _COLUMNS if name not in row]):
            raise InputError(f"{path} lacks the columns {', '.join(missing)}", hint=_HINT)
        identity = _text(row, "id")
        if identity in seen:
            repeated[identity] = None
        elif identity:
            seen.add(identity)
        yield row
    if not number:
        raise InputError(f"{path} has no gold tickets", hint=_HINT)
    if repeated:
        raise InputError(f"{path}: ids that are used more than once: {some_of(repeated, _NAMED)}", hint=_HINT)


def _from_records(path: Path) -> Iterator[Row]:
    try:
        with open_records(path, is_bounded=False) as records:
            columns = find_columns(records.names, {}, records.what, unique=records.is_table).taken
            places = {field: columns[field][0] for field in _READ if field in columns}
            others = next((name for name in records.names if canonical(name) == canonical(_OTHERS)), _OTHERS)
            for record in records.read(frozenset({*places.values(), others})):
                row = {field: value_at(record, name) for field, name in places.items()}
                yield {**row, _OTHERS: record.get(others)}
    except InputError as error:
        error.hint = error.hint or _HINT
        raise


def _from_stage_file(path: Path) -> Iterator[Row]:
    from ..stage_files.attributions import open_attributions

    with open_attributions(path) as stream:
        for attributed in stream.items:
            if isinstance(attributed.outcome, Attribution):
                yield {
                    "id": attributed.ticket.id,
                    "short_description": attributed.ticket.short_description,
                    "long_description": attributed.ticket.long_description,
                    "request_category": attributed.outcome.entry.category,
                    "request_type": attributed.outcome.entry.name,
                    "created_at": attributed.ticket.created_at,
                }


def _from_report(path: Path) -> list[Row] | None:
    """The labels in a report of ours; None for another workbook."""
    from ..reports.safe_workbook_reader import open_workbook, read_rows

    with open_workbook(path, expected="a readable workbook", hint=_HINT) as workbook:
        if TICKETS_SHEET not in workbook.sheetnames:
            return None
        body = read_rows(workbook[TICKETS_SHEET])
        header = [field_of(str(cell or "")) for cell in next(body, ())]
        if not set(_COLUMNS) <= set(header):
            return None
        filled = (line for line in body if any(cell not in (None, "") for cell in line))
        rows = [dict(zip(header, line, strict=False)) for line in filled]
    # A report lists tickets without an attribution, too: those have no label.
    return [row for row in rows if _text(row, "request_type")]


def _gold(row: Row, entry: RequestType, catalog: ServiceCatalog) -> GoldTicket:
    return GoldTicket(_ticket(row), entry, tuple(_also_ok(row.get("also_ok"), catalog)))


def _ticket(row: Row) -> Ticket:
    identity, short, long = (_text(row, name) for name in ("id", *_TEXTS))
    return Ticket(identity, short, long, created_at=_text(row, "created_at"))


def _also_ok(value: Any, catalog: ServiceCatalog) -> Iterable[RequestType]:
    """The other acceptable labels that are in the catalog."""
    if isinstance(value, str):
        value = [
            dict(zip(("request_category", "request_type"), line.split(" / ", 1), strict=False))
            for line in value.splitlines()
        ]
    pairs = [pair for pair in value if isinstance(pair, dict)] if isinstance(value, list) else []
    found = [catalog.find(_text(pair, "request_category"), _text(pair, "request_type")) for pair in pairs]
    return [entry for entry in found if entry]


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()
