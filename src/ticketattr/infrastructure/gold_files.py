"""Gold tickets, as JSON Lines, CSV, a workbook (also a report of ours), or a stage file.

A row has `id`, `short_description`, `long_description`, the label in `request_category` and `request_type`, and
perhaps `also_ok`: other labels that would do, as a list of `{request_category, request_type}`, or in a cell as
`Category / Type`, one a line. In a stage file, the label is that of the attribution. Descriptions may be HTML, except
in stage files and reports, whose text was read already.
"""

from __future__ import annotations

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
from .csv_table import column_name, read_csv
from .files import read_bounded
from .json_text import parse_foreign_json
from .picture_cutter import PictureCutter
from .reports.labels import field_of
from .reports.workbook_archive import TICKETS_SHEET
from .ticket_text import ticket_text

MAX_BYTES = 64 * 1024 * 1024
_TEXTS = ("short_description", "long_description")
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
    if suffix == ".json":
        return _from_stage_file(path)
    content = read_bounded(path, MAX_BYTES, pictures=PictureCutter())
    if suffix in (".csv", ".tsv"):
        return _with_plain_text(read_csv(content, str(path), _COLUMNS, hint=_HINT))
    return _with_plain_text(_from_lines(content, path))


def _with_plain_text(rows: Iterable[Row]) -> list[Row]:
    """The rows with their descriptions as text, whatever form they came in."""
    return [{**row, **{name: text for name in _TEXTS if (text := ticket_text(row.get(name)))}} for row in rows]


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


def _from_lines(content: bytes, path: Path) -> list[Row]:
    rows = parse_foreign_json(content, str(path), is_lines=True, hint=_HINT)
    # A file may also hold all rows as one list.
    rows = rows[0] if len(rows) == 1 and isinstance(rows[0], list) else rows
    for place, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise InputError(f"{path}, ticket {place}, is not a JSON object", hint=_HINT)
    return list(rows)


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
        is_report = TICKETS_SHEET in workbook.sheetnames
        body = read_rows(workbook[TICKETS_SHEET] if is_report else workbook.worksheets[0])
        titles = [str(cell or "") for cell in next(body, ())]
        header = [field_of(title) if is_report else column_name(title) for title in titles]
        filled = (line for line in body if any(cell not in (None, "") for cell in line))
        rows = [dict(zip(header, line, strict=False)) for line in filled]
    # A report lists tickets without an attribution, too: those have no label.
    return [row for row in rows if _text(row, "request_type")] if is_report else _with_plain_text(rows)


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


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()
