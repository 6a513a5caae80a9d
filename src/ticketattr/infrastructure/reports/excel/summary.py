"""Sheet `Summary`, which opens first: the state of the queue in figures and two charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from ....domain.report import Report
from ....domain.summary import Count, Summary, summarize
from ..labels import (
    ACT_NOW_MEANINGS,
    DUE_MEANINGS,
    MEANINGS,
    act_now_counts,
    changes,
    counted_types,
    facts,
    gone_tickets,
    made_at,
    oldest_ticket,
    since_heading,
)
from ..run_id_reader import SUMMARY_SHEET
from . import act_now, review
from .cells import row_height, write_text
from .styles import BLUE, Styles, set_up_page

SHEET = SUMMARY_SHEET

_MAX_BARS = 15
_CHART_WIDTH, _CHART_HEIGHT = 520, 320
_LABEL_WIDTH, _NOTE_WIDTH = 46, 50


def write_summary_sheet(workbook: Workbook, report: Report, styles: Styles) -> None:
    """Add the sheet to `workbook`."""
    summary = summarize(report)
    sheet = workbook.add_worksheet(SHEET)
    _set_up(sheet, report)
    page = _Page(sheet, styles)
    page.line("Ticket attribution", styles.title)
    page.line(f"{len(report.rows):,} tickets, {made_at(report)}", styles.note)
    _write_urgency(page, report, summary)
    page.table("State of the queue", summary.states, MEANINGS)
    _write_changes(page, report, summary)
    page.table("When tickets are due", summary.due, DUE_MEANINGS)
    bands = page.table("By SLA, in calendar time", summary.bands)
    categories = page.table("By category", summary.categories)
    page.table("By request type", counted_types(summary))
    page.heading("About this report")
    for name, value in facts(report):
        page.fact(name, value)
    _insert_chart(workbook, sheet, "bar", "Tickets by category", categories, "E2")
    _insert_chart(workbook, sheet, "column", "Tickets by SLA", bands, "E20")


def _write_urgency(page: _Page, report: Report, summary: Summary) -> None:
    page.heading("Act now")
    for urgency, count in act_now_counts(report):
        page.count(urgency, count, note=ACT_NOW_MEANINGS[urgency])
    page.link(f"internal:'{act_now.SHEET}'!A1", f"The most urgent tickets: sheet {act_now.SHEET}")
    page.link(
        f"internal:'{review.SHEET}'!A1",
        f"{summary.needs_review:,} to review, and the least certain others: sheet {review.SHEET}",
    )
    if summary.oldest:
        page.text(f"Oldest ticket: {oldest_ticket(summary.oldest)}")
    if summary.overdue:
        page.heading("Overdue by category")
        for category, count in summary.overdue:
            page.count(category, count)


def _write_changes(page: _Page, report: Report, summary: Summary) -> None:
    page.heading(since_heading(report))
    for name, count in changes(summary):
        page.count(name, count)
    for ticket in gone_tickets(report):
        page.text(f"gone: {ticket}")


def _set_up(sheet: Worksheet, report: Report) -> None:
    sheet.set_row(0, 24)
    sheet.set_column(0, 0, 9)
    sheet.set_column(1, 1, _LABEL_WIDTH)
    sheet.set_column(2, 2, _NOTE_WIDTH)
    sheet.hide_gridlines(2)
    set_up_page(sheet, report)
    sheet.activate()
    # The import does not read this sheet, so the sheet does not let anybody type here.
    sheet.protect("", {"format_columns": True, "objects": True})


class _Page:
    """Writes lines from top to bottom: XlsxWriter takes the rows of a large sheet in this order only.

    The first column holds a number, the second what it counts, the third what that means.
    """

    def __init__(self, sheet: Worksheet, styles: Styles) -> None:
        self._sheet = sheet
        self._styles = styles
        self._row = 0

    def table(
        self, heading: str, counts: Sequence[Count], notes: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[int, int]:
        """Write the counts and their sum; returns the first and the last row of the counts."""
        self.heading(heading)
        first = self._row
        for name, count in counts:
            self.count(name, count, note=notes.get(name, ""))
        self._count("all", sum(count for _, count in counts), self._styles.total_label, self._styles.total)
        return first, first + len(counts) - 1

    def heading(self, text: str) -> None:
        self._row += 1
        self._sheet.set_row(self._row, 20)
        for column in range(3):
            self._sheet.write_string(self._row, column, "" if column else text, self._styles.section)
        self._row += 1

    def line(self, text: str, format: Format) -> None:
        self._sheet.write_string(self._row, 0, text, format)
        self._row += 1

    def text(self, text: str) -> None:
        """Write a text on a line of its own, as high as the text needs."""
        self._sheet.set_row(self._row, row_height([(text, _LABEL_WIDTH + _NOTE_WIDTH)]))
        self._sheet.merge_range(self._row, 1, self._row, 2, "", self._styles.wrapped_label)
        write_text(self._sheet, self._row, 1, text, self._styles, self._styles.wrapped_label)
        self._row += 1

    def count(self, name: str, count: int, note: str = "") -> None:
        self._sheet.set_row(self._row, row_height(((name, _LABEL_WIDTH), (note, _NOTE_WIDTH))))
        if note:
            self._sheet.write_string(self._row, 2, note, self._styles.aside)
        self._count(name, count, self._styles.wrapped_label, self._styles.count)

    def fact(self, name: str, value: str) -> None:
        self._sheet.set_row(self._row, row_height(((name, _LABEL_WIDTH), (value, _NOTE_WIDTH))))
        write_text(self._sheet, self._row, 1, name, self._styles, self._styles.wrapped_label)
        write_text(self._sheet, self._row, 2, value, self._styles, self._styles.fact)
        self._row += 1

    def link(self, url: str, text: str) -> None:
        self._sheet.write_url(self._row, 1, url, self._styles.internal_link, text)
        self._row += 1

    def _count(self, name: str, count: int, label: Format, format: Format) -> None:
        self._sheet.write_number(self._row, 0, count, format)
        write_text(self._sheet, self._row, 1, name, self._styles, label)
        self._row += 1


def _insert_chart(
    workbook: Workbook, sheet: Worksheet, kind: str, title: str, rows: tuple[int, int], cell: str
) -> None:
    first, last = rows[0], min(rows[1], rows[0] + _MAX_BARS - 1)
    chart: Any = workbook.add_chart({"type": kind})
    chart.add_series(
        {
            "name": title,
            "categories": [SHEET, first, 1, last, 1],
            "values": [SHEET, first, 0, last, 0],
            "fill": {"color": BLUE},
            "gap": 50,
            "data_labels": {"value": True},
        }
    )
    chart.set_title({"name": title, "name_font": {"size": 12}})
    chart.set_legend({"none": True})
    no_axis = {"visible": False, "major_gridlines": {"visible": False}}
    if kind == "bar":
        # Excel draws the first bar at the bottom; reversed, the bars have the order of the table.
        chart.set_y_axis({"reverse": True})
        chart.set_x_axis(no_axis)
    else:
        chart.set_y_axis(no_axis)
    chart.set_size({"width": _CHART_WIDTH, "height": _CHART_HEIGHT})
    sheet.insert_chart(cell, chart)
