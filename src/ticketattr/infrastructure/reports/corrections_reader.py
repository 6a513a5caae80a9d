"""Reads the workbook that came back from a person: what it says now about each ticket."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from openpyxl.utils import column_index_from_string, get_column_letter

from ...domain.correction import ReviewedReport, ReviewedRow
from ...errors import InputError
from .cell_text import decode_escapes
from .labels import headings_of
from .safe_workbook_reader import open_report, read_rows, read_workbook
from .workbook_archive import TICKETS_SHEET, column_name

_FIELDS = ("place", "id", "short_description", "request_category", "request_type")
_OPTIONAL = ("checked",)
_HEADING_CELL = re.compile(rf"'?{TICKETS_SHEET}'?!\$([A-Z]{{1,2}})\$1")
_EXPECTED = "a report of ticketattr"
_HINT = "Give a workbook that `ticketattr report` wrote."


def read_reviewed(path: Path) -> ReviewedReport:
    """The report in the workbook at `path`; its run id is empty if the workbook does not name a run any more.

    Raises InputError if that is not a report that ticketattr wrote.
    """
    return parse_reviewed(read_workbook(path), path)


def parse_reviewed(content: bytes, path: Path) -> ReviewedReport:
    """The same, of the workbook with that content; `path` is named in errors."""
    with open_report(content, path, expected=_EXPECTED, hint=_HINT) as (workbook, run_id):
        return replace(_reviewed(workbook, run_id, path), sha256=hashlib.sha256(content).hexdigest())


def _reviewed(workbook: Any, run_id: str, path: Path) -> ReviewedReport:
    if TICKETS_SHEET not in workbook.sheetnames:
        raise _not_a_report(path, f"it has no sheet {TICKETS_SHEET}")
    body = read_rows(workbook[TICKETS_SHEET])
    header = [_text(value) for value in next(body, ())]
    found = {name: _column(name, workbook, header) for name in (*_FIELDS, *_OPTIONAL)}
    columns = {name: column for name, column in found.items() if column is not None}
    if missing := [name for name in _FIELDS if name not in columns]:
        raise _not_a_report(path, f"the sheet {TICKETS_SHEET} has no column {missing[0]}")
    return ReviewedReport(
        run_id=run_id,
        reviewer=_text(workbook.properties.lastModifiedBy),
        rows=tuple(_rows(body, columns)),
    )


def _column(field: str, workbook: Any, header: list[str]) -> int | None:
    """The place of the column with that field, from 0: by what is written above it, or else by its defined name.

    Workbooks of earlier versions have the names of the fields above their columns. Not every program moves defined
    names along with the columns.
    """
    for title in (*headings_of(field), field):
        if title in header:
            return header.index(title)
    name = workbook.defined_names.get(column_name(field))
    match = _HEADING_CELL.fullmatch(str(name.attr_text)) if name else None
    return column_index_from_string(match[1]) - 1 if match else None


def _rows(body: Iterable[tuple[Any, ...]], columns: dict[str, int]) -> Iterator[ReviewedRow]:
    letters = {name: get_column_letter(column + 1) for name, column in columns.items()}
    for number, line in enumerate(body, start=2):
        values = {name: line[column] if column < len(line) else None for name, column in columns.items()}
        if all(value is None for value in values.values()):
            continue
        yield ReviewedRow(
            _whole(values.pop("place")),
            **{name: _text(value) for name, value in values.items()},
            category_cell=f"{letters['request_category']}{number}",
            type_cell=f"{letters['request_type']}{number}",
            checked_cell=f"{letters['checked']}{number}" if "checked" in letters else "",
        )


def _whole(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Any) -> str:
    return "" if value is None else decode_escapes(str(value))


def _not_a_report(path: Path, why: str) -> InputError:
    return InputError(f"{path} is not {_EXPECTED}: {why}", hint=_HINT)
