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
from ...words import Words
from ..labels import (
    ACT_NOW_MEANINGS,
    DUE_MEANINGS,
    EFFECT_MEANINGS,
    MEANINGS,
    act_now_counts,
    by_category,
    changes,
    counted_types,
    facts,
    gone_tickets,
    oldest_ticket,
    queue_line,
    since_heading,
    words_of,
)
from . import act_now, review
from .cells import row_height, write_text
from .styles import BLUE, Styles, set_up_page

_MAX_BARS = 15
_CHART_WIDTH, _CHART_HEIGHT = 520, 320
_LABEL_WIDTH, _NOTE_WIDTH = 46, 50


def write_summary_sheet(workbook: Workbook, report: Report, styles: Styles) -> None:
    """Add the sheet to `workbook`."""
    summary = summarize(report)
    say = words_of(report)
    sheet = workbook.add_worksheet(say.text("Summary"))
    _set_up(sheet, report)
    page = _Page(sheet, say, styles)
    page.line(say.text("Ticket attribution"), styles.title)
    page.line(queue_line(report), styles.note)
    _write_urgency(page, report, summary)
    page.table("State of the queue", summary.states, MEANINGS)
    if summary.effects:
        page.table("Written to the helpdesk", summary.effects, EFFECT_MEANINGS)
    _write_changes(page, report, summary)
    page.table("When tickets are due", summary.due, DUE_MEANINGS)
    bands = page.table("By SLA, in calendar time", summary.bands)
    categories = page.data_table("By category", by_category(summary.categories, say))
    page.data_table("By request type", counted_types(summary, say))
    page.heading("About this report")
    for name, value in facts(report):
        page.fact(name, value)
    _insert_chart(workbook, sheet, "bar", say.text("Tickets by category"), categories, "E2")
    _insert_chart(workbook, sheet, "column", say.text("Tickets by SLA"), bands, "E20")


def _write_urgency(page: _Page, report: Report, summary: Summary) -> None:
    say = words_of(report)
    act_now_sheet, review_sheet = say.text(act_now.SHEET), say.text(review.SHEET)
    page.heading("Act now")
    for urgency, count in act_now_counts(report):
        page.count(say.value(urgency), count, note=ACT_NOW_MEANINGS[urgency])
    page.link(f"internal:'{act_now_sheet}'!A1", say.text("The most urgent tickets: sheet {sheet}", sheet=act_now_sheet))
    counts = {"n": say.number(summary.needs_review), "sheet": review_sheet}
    to_review = say.text("{n} to review, and the least certain others: sheet {sheet}", **counts)
    page.link(f"internal:'{review_sheet}'!A1", to_review)
    if summary.oldest:
        page.text(say.text("Oldest ticket: {ticket}", ticket=oldest_ticket(summary.oldest, report)))
    if summary.overdue:
        page.heading("Overdue by category")
        for category, count in summary.overdue:
            page.count(category, count)


def _write_changes(page: _Page, report: Report, summary: Summary) -> None:
    page.heading(since_heading(report))
    for name, count in changes(summary, words_of(report)):
        page.count(name, count)
    for ticket in gone_tickets(report):
        page.text(ticket)


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

    def __init__(self, sheet: Worksheet, say: Words, styles: Styles) -> None:
        self._sheet = sheet
        self._say = say
        self._texts = say.section("report")
        self._styles = styles
        self._row = 0

    def table(
        self, heading: str, counts: Sequence[Count], notes: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[int, int]:
        """Write the counts and their sum, in the language; returns the first and the last row of the counts."""
        self.heading(heading)
        first = self._row
        for name, count in counts:
            self.count(self._say.value(name), count, note=notes.get(name, ""))
        self._total(counts)
        return first, first + len(counts) - 1

    def data_table(self, heading: str, counts: Sequence[Count]) -> tuple[int, int]:
        """The same for counts whose names come from the catalog."""
        self.heading(heading)
        first = self._row
        for name, count in counts:
            self.count(name, count)
        self._total(counts)
        return first, first + len(counts) - 1

    def heading(self, text: str) -> None:
        self._row += 1
        self._sheet.set_row(self._row, 20)
        for column, title in enumerate((self._texts.get(text, text), "", "")):
            self._sheet.write_string(self._row, column, title, self._styles.section)
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
        note = self._texts.get(note, note)
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

    def _total(self, counts: Sequence[Count]) -> None:
        total = sum(count for _, count in counts)
        self._count(self._say.text("all"), total, self._styles.total_label, self._styles.total)

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
            "categories": [sheet.name, first, 1, last, 1],
            "values": [sheet.name, first, 0, last, 0],
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
