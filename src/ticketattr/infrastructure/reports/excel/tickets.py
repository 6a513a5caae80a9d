"""Sheet `Tickets`, where people correct request types: a header with filters, and a row for each ticket.

The last column is hidden. It holds the position of the ticket in the queue, from 1, which identifies the ticket even
after somebody sorted the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from textwrap import wrap
from typing import Any, Literal

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from ....domain.report import Report, Row
from ....domain.times import read_time
from ..labels import words_of
from ..workbook_archive import TICKETS_SHEET, column_name
from .catalog import add_check_list, add_drop_downs
from .cells import LINE_HEIGHT, MAX_LINES, rule_lines, wrapped_lines, write_link, write_text
from .styles import Styles, set_up_page

MAX_ROWS = 1_048_575
"""The most tickets on a sheet."""

_SLICE = 1_000
_NUMBERS = ("number", "tenths", "hundredths")
# Excel counts days from here, as far as the calendar of after February 1900 is concerned.
_DAY_0, _DAY = datetime(1899, 12, 30), timedelta(days=1)  # noqa: DTZ001  # a sheet has no time zones
_LEAST_WIDTH, _TIME_WIDTH = 8, 18
_HEADER_LINES = 3


@dataclass(frozen=True, slots=True)
class Column:
    """A column for the field `name` of `Row`; `widest` is its most width in characters.

    The sheet has an optional column only if a row has a value for it.
    """

    name: str
    kind: Literal["text", "editable", "flag", "link", "number", "tenths", "hundredths", "time"] = "text"
    widest: int = 30
    is_optional: bool = False


_COLUMNS = (
    Column("id", "link", 24),
    Column("request_category", "editable"),
    Column("request_type", "editable", 36),
    Column("short_description", widest=50),
    Column("sla_value", "number"),
    Column("sla_unit"),
    Column("sla_hours", "number"),
    Column("checked", "editable", 9),
    Column("due", "time", 17, is_optional=True),
    Column("overdue_by", "tenths", is_optional=True),
    Column("urgency", widest=20, is_optional=True),
    Column("response_due", "time", 17, is_optional=True),
    Column("status", is_optional=True),
    Column("priority", is_optional=True),
    Column("assignee", is_optional=True),
    Column("age_days", "tenths"),
    Column("since_last_report", widest=16),
    Column("needs_review", "flag", 50),
    Column("source"),
    Column("decision", widest=40, is_optional=True),
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
    Column("created_at", "time", 30),
    Column("requester_email", widest=40),
    Column("group", is_optional=True),
    Column("updated_at", "time", 30, is_optional=True),
    Column("written", is_optional=True),
    Column("suggested", is_optional=True),
    Column("kept_by_person", widest=40, is_optional=True),
    Column("conflict", widest=40, is_optional=True),
    Column("not_written", widest=50, is_optional=True),
    Column("place", "number"),
)
_TRANSLATED = frozenset(
    "sla_unit original_sla urgency since_last_report needs_review suspicious source decision "
    "unattributed_reason kept_by_person conflict".split()
)
"""The columns with what the program itself writes."""

_LAST_PRINTED = "needs_review"
"""The last column that is printed: as many as fit on the width of a page."""


def write_tickets_sheet(workbook: Workbook, report: Report, styles: Styles) -> None:
    """Add the sheet to `workbook`."""
    sheet = workbook.add_worksheet(TICKETS_SHEET)
    columns = _columns(report.rows)
    titles = [_title(column, report) for column in columns]
    widths = [_width(column, title, report.rows) for column, title in zip(columns, titles, strict=True)]
    _set_up(sheet, report, columns, widths)
    rule_lines(sheet, 1, len(report.rows), len(columns), styles)
    for place, (column, title) in enumerate(zip(columns, titles, strict=True)):
        header = styles.editable_header if column.kind == "editable" else styles.header
        write_text(sheet, 0, place, title, styles, header)
        # The import of corrections finds a column by this name if it does not know the heading.
        workbook.define_name(column_name(column.name), f"={TICKETS_SHEET}!{xl_rowcol_to_cell(0, place, True, True)}")
    writer = _RowWriter(sheet, report, styles, columns, widths)
    for place, row in enumerate(report.rows, start=1):
        writer.write(place, row)


def _columns(rows: Sequence[Row]) -> list[Column]:
    return [
        column
        for column in _COLUMNS
        if not column.is_optional or any(getattr(row, column.name) not in (None, "") for row in rows)
    ]


def _title(column: Column, report: Report) -> str:
    heading = str(words_of(report).section("columns")[column.name])
    return f"{heading} ({report.context.time_zone})" if column.kind == "time" else heading


def _set_up(sheet: Worksheet, report: Report, columns: Sequence[Column], widths: Sequence[int]) -> None:
    last_row, last_column = len(report.rows), len(columns) - 1
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width, None, {"hidden": place == last_column})
    sheet.set_row(0, _HEADER_LINES * LINE_HEIGHT)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, last_row, last_column)
    set_up_page(sheet, report)
    names = [column.name for column in columns]
    sheet.print_area(0, 0, last_row, names.index(_LAST_PRINTED))
    sheet.repeat_rows(0)
    if report.context.catalog and report.rows:
        add_drop_downs(sheet, report, last_row, (names.index("request_category"), names.index("request_type")))
        add_check_list(sheet, report, last_row, names.index("checked"))


class _RowWriter:
    """Writes the rows of one sheet. A large queue has millions of cells, so it looks up everything else once."""

    def __init__(
        self, sheet: Worksheet, report: Report, styles: Styles, columns: Sequence[Column], widths: Sequence[int]
    ) -> None:
        formats: dict[str, Format] = {
            "text": styles.text,
            "editable": styles.editable,
            "flag": styles.flag,
            "link": styles.text,
            "number": styles.number,
            "tenths": styles.tenths,
            "hundredths": styles.hundredths,
            "time": styles.time,
        }
        self._sheet, self._styles = sheet, styles
        self._values = attrgetter(*(column.name for column in columns))
        self._columns = [(column.kind, formats[column.kind]) for column in columns]
        self._text_widths = [
            (place, width)
            for place, (column, width) in enumerate(zip(columns, widths, strict=True))
            if column.kind in ("text", "editable", "flag", "link")
        ]
        self._zone = report.context.zone
        self._say = words_of(report)
        self._translated = {
            place for place, column in enumerate(columns) if column.name in _TRANSLATED and self._say.language != "en"
        }

    def write(self, line: int, row: Row) -> None:
        values = self._in_words(self._values(row))
        if (lines := self._lines(values)) > 1:
            self._sheet.set_row(line, LINE_HEIGHT * lines)
        for place, (value, (kind, cell_format)) in enumerate(zip(values, self._columns, strict=True)):
            if value is None or value == "":
                if kind == "editable":
                    self._sheet.write_blank(line, place, None, cell_format)
            elif kind in _NUMBERS:
                self._sheet.write_number(line, place, value, cell_format)
            elif kind == "time":
                self._write_time(line, place, value, cell_format)
            elif kind == "link" and row.url:
                write_link(self._sheet, line, place, row.url, value, self._styles)
            else:
                write_text(self._sheet, line, place, value, self._styles, cell_format)

    def _in_words(self, values: tuple[Any, ...]) -> Sequence[Any]:
        """The values, in the language of the report where the program itself wrote them."""
        if not self._translated:
            return values
        return [
            self._say.value(value) if place in self._translated and value else value
            for place, value in enumerate(values)
        ]

    def _write_time(self, line: int, place: int, value: datetime | str, cell_format: Format) -> None:
        """A time as Excel counts it, in the zone of the report; a text that is not a time stays as it is."""
        time = value if isinstance(value, datetime) else read_time(value)
        if time is None:
            write_text(self._sheet, line, place, str(value), self._styles)
        else:
            serial = (time.astimezone(self._zone).replace(tzinfo=None, second=0, microsecond=0) - _DAY_0) / _DAY
            self._sheet.write_number(line, place, serial, cell_format)

    def _lines(self, values: Sequence[Any]) -> int:
        most = 1
        for place, width in self._text_widths:
            value = values[place]
            if len(value) >= width or "\n" in value:
                most = max(most, wrapped_lines(value, width - 1))
                if most >= MAX_LINES:
                    return MAX_LINES
        return most


def _width(column: Column, title: str, rows: Sequence[Row]) -> int:
    """The width of the longest line, within bounds; the button of the filter takes the width of three characters."""
    heading = title.split()
    longest = max(_LEAST_WIDTH, *(len(word) + 3 for word in heading))
    while len(wrap(title, longest - 2)) > _HEADER_LINES:
        longest += 1
    if column.kind == "time":
        return max(longest, _TIME_WIDTH)
    value_of = attrgetter(column.name)
    for start in range(0, len(rows), _SLICE):
        # Many rows have the same values, so each value of a slice is measured once.
        for value in set(map(value_of, rows[start : start + _SLICE])) - {None, ""}:
            longest = max(longest, max(map(len, str(value).splitlines()), default=0) + 2)
        if longest >= column.widest:
            return max(column.widest, len(heading[0]) + 3)
    return longest
