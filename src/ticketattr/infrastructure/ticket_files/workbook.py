"""The rows of a workbook that another program exported: the sheet and the row that look like a header of tickets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from ...domain.wording import counted
from ...errors import InputError
from ..reports.safe_workbook_reader import formulas_without_result, open_report, read_rows

log = logging.getLogger(__name__)

MAX_COLUMNS = 1_000
_HEADER_WITHIN = 30
_MOST_SHEETS = 50

Score = Callable[[Sequence[object]], int]


@contextmanager
def open_sheet(
    content: bytes, what: str, score: Score, *, sheet: str = ""
) -> Iterator[tuple[str, list[str] | None, list[Any], Iterator[list[Any]]]]:
    """How the workbook is written, its header (None: none was found), its first row, and the rows after the header.

    `sheet` names the sheet to read. Without it, the one with the best header is read, and a warning names others that
    have one, too. Raises InputError.
    """
    with open_report(content, Path(what), expected="a readable workbook") as (workbook, _):
        sheets = workbook.worksheets[:_MOST_SHEETS]
        found = [(each, *_best_row(each, score)) for each in sheets if not sheet or each.title == sheet]
        if not found:
            names = ", ".join(each.title for each in sheets)
            raise InputError(f"{what} has no sheet {sheet}, but {names}", hint="Correct `sheet` in the profile.")
        chosen = max(found, key=lambda each: each[1])
        others = [each[0].title for each in found if each is not chosen and each[1] and each[1] >= chosen[1]]
        if others:
            log.warning(
                "%s: only the sheet %s is read, and not %s, which looks like tickets, too (a profile can name a sheet)",
                *(what, chosen[0].title, ", ".join(others)),
            )
        if count := formulas_without_result(content):
            log.warning(
                "%s has %s without a result in the file, so cells are empty: save it in a spreadsheet program",
                *(what, counted(count, "formula")),
            )
        form = f"workbook, sheet {chosen[0].title}, header in row {chosen[2] + 1}"
        yield form, chosen[3], chosen[4], _rows(chosen[0], chosen[2] + 1)


def _best_row(sheet: Any, score: Score) -> tuple[int, int, list[str] | None, list[Any]]:
    """The score, the place and the names of the best header among the first rows, and the first row with a cell."""
    best: tuple[int, int, list[str] | None] = (0, 0, None)
    first: list[Any] = []
    for place, row in enumerate(islice(read_rows(sheet, MAX_COLUMNS), _HEADER_WITHIN)):
        names = [str(cell_text(cell)) for cell in _trimmed(row)]
        first = first or [name for name in names if name]
        if (found := score(names)) > best[0]:
            best = (found, place, names)
    return (*best, first)


def _rows(sheet: Any, begin: int) -> Iterator[list[Any]]:
    for row in islice(read_rows(sheet, MAX_COLUMNS), begin, None):
        cells = [cell_text(cell) for cell in _trimmed(row)]
        if any(cell not in (None, "") for cell in cells):
            yield cells


def _trimmed(row: Sequence[Any]) -> Sequence[Any]:
    end = len(row)
    while end and row[end - 1] is None:
        end -= 1
    return row[:end]


def cell_text(value: Any) -> Any:
    """The value of a cell as JSON has it: a time is ISO 8601, an empty cell is an empty text."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return "" if value is None else value
