"""The report as an Excel workbook.

Sheet `Tickets`: a bold, frozen, filtered header and one row for each ticket. All text is stored as text.
A custom property says which run it came from. Times come from the report alone, so that the same report
always makes the same bytes.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.packaging.custom import StringProperty
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from ..domain.report import Report, Row
from .files import output
from .report_folder import RUN_ID_PROPERTY

SHEET = "Tickets"
COLUMNS = tuple(field.name for field in fields(Row))

MAX_CELL = 32_767
"""What a cell holds, in UTF-16 units; Excel repairs a file that has more."""

_CUT = " … [cut]"
_WIDTHS = (8, 50)
_MAX_LINES = 6
_HEADER = {
    "font": Font(name="Calibri", size=11, bold=True, color="FFFFFF"),
    "fill": PatternFill("solid", start_color="1F4E78"),
    "alignment": Alignment(vertical="center"),
}
_BODY = Alignment(vertical="top", wrap_text=True)

# Excel reads _x0041_ as an A, unless its first sign is itself written so (ECMA-376, ST_Xstring).
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
# Its XML has no place for these: the control characters and the two that are no characters.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class ExcelReports:
    """Workbooks; a path of `-` is standard output."""

    def write(self, report: Report, path: Path) -> None:
        with output(path) as file:
            write_workbook(report, file)


def write_workbook(report: Report, file: IO[bytes]) -> None:
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(SHEET)
    _set_up(sheet, report)
    sheet.append([_cell(sheet, name, **_HEADER) for name in COLUMNS])
    for place, row in enumerate(report.rows, start=2):
        sheet.row_dimensions[place].height = _height(row)
        sheet.append([_cell(sheet, value, alignment=_BODY) for value in _values(row)])
    made = report.generated_at.replace(tzinfo=None)
    workbook.properties.title = f"Ticket attribution {report.run_id}"
    workbook.properties.creator = "ticketattr"
    workbook.properties.created = workbook.properties.modified = made
    # The stubs are older than this attribute.
    workbook.custom_doc_props.append(StringProperty(name=RUN_ID_PROPERTY, value=report.run_id))  # type: ignore[attr-defined]
    # Workbook.save would put the time of saving into the file, here and in the archive.
    ExcelWriter(workbook, _DatedZip(file, made)).save()


def _set_up(sheet: Any, report: Report) -> None:
    """Everything that has to be known before the first row is written."""
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{len(report.rows) + 1}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = Worksheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"
    for place, name in enumerate(COLUMNS):
        texts = (str(_values(row)[place] or "") for row in report.rows)
        sheet.column_dimensions[get_column_letter(place + 1)].width = _width(name, texts)


def _values(row: Row) -> list[Any]:
    return [getattr(row, name) for name in COLUMNS]


def _width(name: str, texts: Iterable[str]) -> int:
    longest = max((len(line) for text in texts for line in text.splitlines()), default=0)
    # The filter's button takes the room of three characters.
    return max(_WIDTHS[0], min(max(longest + 2, len(name) + 3), _WIDTHS[1]))


def _height(row: Row) -> int:
    """In points: not every program fits a row to wrapped text by itself."""
    texts = (value for value in _values(row) if isinstance(value, str))
    lines = max(sum(max(1, -(-len(line) // _WIDTHS[1])) for line in text.split("\n")) for text in texts)
    return 15 * min(lines, _MAX_LINES)


def _cell(sheet: Any, value: Any, **style: Any) -> Any:
    cell = WriteOnlyCell(sheet)
    if isinstance(value, str) and value:
        cell.value = as_text(value)
        # Without these a leading "=" is a formula, now or when somebody edits the cell.
        cell.data_type = "s"
        cell.quotePrefix = True
    elif value != "":
        cell.value = value
    for name, look in style.items():
        setattr(cell, name, look)
    return cell


def as_text(text: str) -> str:
    """`text` as a cell can hold it: what cannot be written is shown by a sign, what is too long is cut."""
    text = _ESCAPE.sub("_x005F_", text)
    text = _UNWRITABLE.sub(_sign, text.replace("\r\n", "\n").replace("\r", "\n"))
    units = text.encode("utf-16-le")
    if len(units) <= 2 * MAX_CELL:
        return text
    return units[: 2 * (MAX_CELL - len(_CUT))].decode("utf-16-le", "ignore") + _CUT


def _sign(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"


class _DatedZip(zipfile.ZipFile):
    """An archive whose entries all carry one date."""

    def __init__(self, file: IO[bytes], date: datetime) -> None:
        super().__init__(file, "w", zipfile.ZIP_DEFLATED)
        self._date = date.timetuple()[:6]

    def writestr(self, zinfo_or_arcname: Any, data: Any, *args: Any, **options: Any) -> None:
        entry = zipfile.ZipInfo(str(zinfo_or_arcname), self._date)
        entry.compress_type = zipfile.ZIP_DEFLATED
        super().writestr(entry, data, *args, **options)

    def write(self, filename: str | os.PathLike[str], arcname: Any = None, *args: Any, **options: Any) -> None:
        self.writestr(arcname or filename, Path(filename).read_bytes())
