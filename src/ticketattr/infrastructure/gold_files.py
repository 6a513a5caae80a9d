"""Gold tickets in a file: JSON lines, CSV, a workbook, or a stage file of attributions.

A row has `id`, `short_description`, `long_description`, and its label in `request_category` and `request_type`. The
optional column `also_ok` holds other acceptable labels: a list of `{request_category, request_type}`, or a cell with
one `Category / Type` in each line. In a stage file, the label is that of the attribution.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..domain.catalog import RequestType, ServiceCatalog
from ..domain.gold import GoldTicket
from ..domain.ticket import Attribution, Ticket
from ..domain.wording import some_of
from ..errors import InputError
from .files import read_bounded
from .json_text import parse_json

MAX_BYTES = 64 * 1024 * 1024
_COLUMNS = ("short_description", "request_category", "request_type")
_NAMED = 5
_HINT = "Correct the file: docs/quality.md describes it."

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GoldFile:
    """The rows of a file whose form is valid. `tickets` looks up their labels in a catalog."""

    path: Path
    rows: Sequence[Row]

    @classmethod
    def read(cls, path: Path) -> GoldFile:
        """The file at `path`. Raises InputError when it cannot be read or is not valid."""
        rows = _rows(path)
        _check(rows, path)
        return cls(path, rows)

    def tickets(self, catalog: ServiceCatalog, *, ignore_unknown: bool = False) -> list[GoldTicket]:
        """The gold tickets, in the order of the rows.

        Raises InputError for labels that are not in `catalog`; `ignore_unknown` leaves out their tickets instead.
        """
        tickets: list[GoldTicket] = []
        unknown: dict[str, None] = {}
        for row in self.rows:
            entry = catalog.find(_text(row, "request_category"), _text(row, "request_type"))
            if entry is None:
                unknown[f"{_text(row, 'request_category')} / {_text(row, 'request_type')}"] = None
            else:
                tickets.append(_gold(row, entry, catalog))
        if unknown and not ignore_unknown:
            raise InputError(
                f"{self.path}: labels that are not in the catalog ({len(unknown)}): {some_of(unknown, _NAMED)}",
                hint="Correct them, or leave those tickets out with --ignore-unknown.",
            )
        return tickets


def _rows(path: Path) -> list[Row]:
    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        return _from_workbook(path)
    content = read_bounded(path, MAX_BYTES)
    if suffix == ".csv":
        return _from_csv(content, path)
    if suffix == ".json":
        return _from_stage_file(path)
    return _from_lines(content, path)


def _check(rows: Sequence[Row], path: Path) -> None:
    if not rows:
        raise InputError(f"{path} has no gold tickets", hint=_HINT)
    missing = [name for name in _COLUMNS if name not in rows[0]]
    if missing:
        raise InputError(f"{path} lacks the columns {', '.join(missing)}", hint=_HINT)
    counts = Counter(identity for row in rows if (identity := _text(row, "id")))
    repeated = [identity for identity, count in counts.items() if count > 1]
    if repeated:
        raise InputError(
            f"{path}: {len(repeated)} ids are used more than once: {some_of(repeated, _NAMED)}", hint=_HINT
        )


def _from_csv(content: bytes, path: Path) -> list[Row]:
    try:
        return list(csv.DictReader(io.StringIO(_decoded(content, path))))
    except csv.Error as error:
        raise InputError(f"{path} is not readable CSV: {error}", hint=_HINT) from error


def _from_lines(content: bytes, path: Path) -> list[Row]:
    rows: list[Row] = []
    # Not splitlines: JSON may contain other characters that end a line there.
    for number, line in enumerate(_decoded(content, path).split("\n"), start=1):
        if not line.strip():
            continue
        row = parse_json(line.encode(), f"{path}, line {number},", hint=_HINT)
        if not isinstance(row, dict):
            raise InputError(f"{path}, line {number}, is not a JSON object", hint=_HINT)
        rows.append(row)
    return rows


def _from_stage_file(path: Path) -> list[Row]:
    from .stage_files import read_attributions

    return [
        {
            "id": attributed.ticket.id,
            "short_description": attributed.ticket.short_description,
            "long_description": attributed.ticket.long_description,
            "request_category": attributed.outcome.entry.category,
            "request_type": attributed.outcome.entry.name,
        }
        for attributed in read_attributions(path).data
        if isinstance(attributed.outcome, Attribution)
    ]


def _from_workbook(path: Path) -> list[Row]:
    from .reports.safe_workbook_reader import open_workbook, read_rows

    with open_workbook(path, expected="a readable workbook", hint=_HINT) as workbook:
        body = read_rows(workbook.worksheets[0])
        header = [str(cell or "") for cell in next(body, ())]
        filled = (line for line in body if any(cell not in (None, "") for cell in line))
        return [dict(zip(header, line, strict=False)) for line in filled]


def _gold(row: Row, entry: RequestType, catalog: ServiceCatalog) -> GoldTicket:
    ticket = Ticket(_text(row, "id"), _text(row, "short_description"), _text(row, "long_description"))
    return GoldTicket(ticket, entry, tuple(_also_ok(row.get("also_ok"), catalog)))


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


def _decoded(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text", hint=_HINT) from error


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()
