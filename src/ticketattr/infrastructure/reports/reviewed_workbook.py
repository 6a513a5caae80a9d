"""A workbook that came back from a reader: what it says now of each ticket."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from ...domain.correction import ReviewedRow, ReviewedWorkbook
from ...domain.shown_text import decoded
from ...errors import InputError
from .workbook import RUN_ID_PROPERTY

SHEET = "Tickets"

_FIELDS = ("place", "id", "short_description", "request_category", "request_type")
# What openpyxl and the packers under it raise over a file that is not what it says.
_DAMAGE = (
    InvalidFileException,
    ParseError,
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    EOFError,
    OSError,
)


def read_reviewed(path: Path) -> ReviewedWorkbook:
    """Raises InputError when `path` holds no report of ours."""
    try:
        workbook = load_workbook(path, read_only=True, data_only=True)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist", hint="Check the path.") from None
    except InvalidFileException as error:
        # openpyxl goes by the name, and advises on it at length.
        raise _no_report(path, "its name does not end in .xlsx") from error
    except _DAMAGE as error:
        raise _no_report(path, str(error) or type(error).__name__) from error
    try:
        return _reviewed(workbook, path)
    except _DAMAGE as error:
        raise _no_report(path, str(error) or type(error).__name__) from error
    finally:
        workbook.close()


def _reviewed(workbook: Any, path: Path) -> ReviewedWorkbook:
    names = {item.name: item.value for item in workbook.custom_doc_props.props}
    run_id = names.get(RUN_ID_PROPERTY)
    if SHEET not in workbook.sheetnames or not isinstance(run_id, str):
        raise _no_report(path, f"it names no run, or has no sheet {SHEET}")
    sheet = workbook[SHEET]
    # What other programs state about the size of a sheet is not always so.
    sheet.reset_dimensions()
    lines = sheet.iter_rows(values_only=True)
    header = [_text(value) for value in next(lines, ())]
    if missing := [name for name in _FIELDS if name not in header]:
        raise _no_report(path, f"the sheet {SHEET} has no column {missing[0]}")
    columns = {name: header.index(name) for name in _FIELDS}
    return ReviewedWorkbook(
        run_id=run_id,
        reviewer=_text(workbook.properties.lastModifiedBy),
        rows=tuple(_rows(lines, columns)),
        columns=(get_column_letter(columns["request_category"] + 1), get_column_letter(columns["request_type"] + 1)),
    )


def _rows(lines: Iterable[tuple[Any, ...]], columns: dict[str, int]) -> Iterable[ReviewedRow]:
    for number, line in enumerate(lines, start=2):
        values = {name: line[column] if column < len(line) else None for name, column in columns.items()}
        if all(value is None for value in values.values()):
            continue
        place = _whole(values.pop("place"))
        yield ReviewedRow(number, place, **{name: _text(value) for name, value in values.items()})


def _whole(value: Any) -> int | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return int(value) if is_number and value == int(value) else None


def _text(value: Any) -> str:
    return "" if value is None else decoded(str(value))


def _no_report(path: Path, why: str) -> InputError:
    return InputError(f"{path} is no report of ours: {why}", hint="Give a workbook that `ticketattr report` made.")
