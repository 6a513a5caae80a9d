"""Sheet `Tickets`, where people correct request types: a header with filters, and a row for each ticket.

The last column is hidden. It holds the position of the ticket in the queue, from 1, which identifies the ticket even
after somebody sorted the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from ....domain.report import Report, Row
from ..workbook_archive import TICKETS_SHEET
from .catalog import add_drop_downs
from .cells import LINE_HEIGHT, MAX_LINES, rule_lines, wrapped_lines, write_link, write_text
from .styles import Styles, set_up_page

MAX_ROWS = 1_048_575
"""The most tickets on a sheet."""

_LEAST_WIDTH = 8


@dataclass(frozen=True, slots=True)
class Column:
    """A column for the field `name` of `Row`, under `heading` or `name`; `widest` is its most width in characters.

    The sheet has an optional column only if a row has a value for it.
    """

    name: str
    kind: Literal["text", "editable", "flag", "link", "number", "hundredths"] = "text"
    widest: int = 30
    heading: str = ""
    is_optional: bool = False

    @property
    def title(self) -> str:
        """The text in the header."""
        return self.heading or self.name


_COLUMNS = (
    Column("id", "link", 24),
    Column("request_category", "editable"),
    Column("request_type", "editable", 36),
    Column("short_description", widest=50),
    Column("sla_value", "number"),
    Column("sla_unit"),
    Column("sla_hours", "number", heading="sla_hours (a day is 24)"),
    Column("age_days", "number"),
    Column("since_last_report", widest=16),
    Column("needs_review", "flag", 50),
    Column("source"),
    Column("confidence", "hundredths"),
    Column("evidence"),
    Column("next_best", widest=50),
    Column("long_description", widest=60),
    Column("unattributed_reason"),
    Column("unattributed_detail", widest=40),
    Column("suspicious"),
    Column("original_category"),
    Column("original_type"),
    Column("original_sla"),
    Column("created_at"),
    Column("requester_email", widest=40),
    Column("status", is_optional=True),
    Column("priority", is_optional=True),
    Column("assignee", is_optional=True),
    Column("group", is_optional=True),
    Column("updated_at", is_optional=True),
    Column("place", "number"),
)
COLUMNS = tuple(column.title for column in _COLUMNS if not column.is_optional)
"""The headings of the columns that every report has."""

_PRINTED = 10
"""The number of columns that are printed: as many as fit on the width of a page."""


def write_tickets_sheet(workbook: Workbook, report: Report, styles: Styles) -> None:
    """Add the sheet to `workbook`."""
    sheet = workbook.add_worksheet(TICKETS_SHEET)
    columns = _columns(report.rows)
    widths = [_width(column, report.rows) for column in columns]
    _set_up(sheet, report, columns, widths)
    rule_lines(sheet, 1, len(report.rows), len(columns), styles)
    formats = _formats(columns, styles)
    for place, column in enumerate(columns):
        header = styles.editable_header if column.kind == "editable" else styles.header
        write_text(sheet, 0, place, column.title, styles, header)
    cells = list(zip(columns, widths, formats, strict=True))
    for place, row in enumerate(report.rows, start=1):
        _write_row(sheet, place, row, cells, styles)


def _columns(rows: Sequence[Row]) -> list[Column]:
    return [column for column in _COLUMNS if not column.is_optional or any(getattr(row, column.name) for row in rows)]


def _set_up(sheet: Worksheet, report: Report, columns: Sequence[Column], widths: Sequence[int]) -> None:
    last_row, last_column = len(report.rows), len(columns) - 1
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width, None, {"hidden": place == last_column})
    sheet.set_row(0, 2 * LINE_HEIGHT)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, last_row, last_column)
    set_up_page(sheet, report)
    sheet.print_area(0, 0, last_row, _PRINTED - 1)
    sheet.repeat_rows(0)
    if report.context.catalog and report.rows:
        places = [place for place, column in enumerate(columns) if column.kind == "editable"]
        add_drop_downs(sheet, report.context.catalog, last_row, (places[0], places[1]))


def _formats(columns: Sequence[Column], styles: Styles) -> list[Format]:
    by_kind = {
        "text": styles.text,
        "editable": styles.editable,
        "flag": styles.flag,
        "link": styles.text,
        "number": styles.number,
        "hundredths": styles.hundredths,
    }
    return [by_kind[column.kind] for column in columns]


def _write_row(
    sheet: Worksheet, place: int, row: Row, cells: Sequence[tuple[Column, int, Format]], styles: Styles
) -> None:
    values = [getattr(row, column.name) for column, _, _ in cells]
    if (lines := _lines(values, [width for _, width, _ in cells])) > 1:
        sheet.set_row(place, LINE_HEIGHT * lines)
    for column, (value, (described, _, cell_format)) in enumerate(zip(values, cells, strict=True)):
        if column == 0 and row.url:
            write_link(sheet, place, column, row.url, value, styles)
        elif isinstance(value, str):
            write_text(sheet, place, column, value, styles, cell_format)
            if not value and described.kind == "editable":
                sheet.write_blank(place, column, None, cell_format)
        elif value is not None:
            sheet.write_number(place, column, value, cell_format)


def _width(column: Column, rows: Sequence[Row]) -> int:
    """The width of the longest line, within bounds; the button of the filter takes the width of three characters."""
    heading = column.title.split()
    longest = max(_LEAST_WIDTH, *(len(word) + 3 for word in heading))
    for row in rows:
        value = getattr(row, column.name)
        if value is None or value == "":
            continue
        longest = max(longest, max(map(len, str(value).splitlines()), default=0) + 2)
        if longest >= column.widest:
            return max(column.widest, len(heading[0]) + 3)
    return longest


def _lines(values: Sequence[object], widths: Sequence[int]) -> int:
    most = 1
    for value, width in zip(values, widths, strict=True):
        if isinstance(value, str) and (len(value) >= width or "\n" in value):
            most = max(most, wrapped_lines(value, width - 1))
            if most >= MAX_LINES:
                return MAX_LINES
    return most
