"""Sheet `Act now`: the most urgent tickets, each with a link to the helpdesk and to its row in `Tickets`."""

from __future__ import annotations

from collections.abc import Sequence

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from ....domain.act_now import most_urgent
from ....domain.report import Report, Row
from ..labels import act_now_counts, pair_of, urgency_in_words
from ..workbook_archive import TICKETS_SHEET
from .cells import LINE_HEIGHT, row_height, rule_lines, write_link, write_text
from .styles import Styles, set_up_page

SHEET = "Act now"
MAX_ROWS = 1_000
"""The most tickets on the sheet; the sheet `Tickets` has all of them."""

_HEADINGS = ("Ticket", "Act now", "Due", "Short description", "Request type", "SLA", "Needs review", "Row")
_WIDTHS = (16, 46, 18, 44, 48, 12, 46, 9)
_LEAST_WORDS = 20
_HEADER_ROW = 3


def write_act_now_sheet(workbook: Workbook, report: Report, styles: Styles) -> None:
    """Add the sheet to `workbook`."""
    sheet = workbook.add_worksheet(SHEET)
    tickets = most_urgent(report, MAX_ROWS)
    words = [urgency_in_words(row, report) for _, row in tickets]
    widths = (_WIDTHS[0], max([_LEAST_WORDS, *(len(why) + 5 for why in words)]), *_WIDTHS[2:])
    _set_up(sheet, report, widths, len(tickets))
    sheet.write_string(0, 0, SHEET, styles.title)
    sheet.write_string(1, 0, _note(report, len(tickets)), styles.note)
    for column, heading in enumerate(_HEADINGS):
        title = f"{heading} ({report.context.time_zone})" if heading == "Due" else heading
        write_text(sheet, _HEADER_ROW, column, title, styles, styles.header)
    for line, ((place, row), why) in enumerate(zip(tickets, words, strict=True), start=_HEADER_ROW + 1):
        _write_ticket(sheet, line, f"internal:'{TICKETS_SHEET}'!B{place + 1}", row, why, styles)
    rule_lines(sheet, _HEADER_ROW + 1, _HEADER_ROW + len(tickets), len(_HEADINGS), styles)


def _write_ticket(sheet: Worksheet, line: int, link: str, row: Row, why: str, styles: Styles) -> None:
    sla = f"{row.sla_value:g} {row.sla_unit}" if row.sla_value is not None else ""
    texts = {1: why, 3: row.short_description, 4: pair_of(row), 5: sla, 6: row.needs_review}
    sheet.set_row(line, row_height((text, _WIDTHS[column]) for column, text in texts.items() if column > 1))
    write_link(sheet, line, 0, row.url or link, row.id or "(no id)", styles)
    urgent = {"overdue": styles.urgent, "due within a day": styles.flag}.get(row.urgency)
    for column in range(1, len(_HEADINGS) - 1):
        if column == 2 and row.due:
            sheet.write_datetime(line, column, row.due.replace(tzinfo=None, second=0, microsecond=0), styles.time)
        elif column in texts:
            write_text(sheet, line, column, texts[column], styles, urgent if column == 1 else None)
    write_link(sheet, line, len(_HEADINGS) - 1, link, link.rpartition("!B")[2], styles)


def _set_up(sheet: Worksheet, report: Report, widths: Sequence[int], count: int) -> None:
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.set_row(0, 24)
    sheet.set_row(_HEADER_ROW, 2 * LINE_HEIGHT)
    sheet.freeze_panes(_HEADER_ROW + 1, 0)
    sheet.autofilter(_HEADER_ROW, 0, _HEADER_ROW + count, len(_HEADINGS) - 1)
    set_up_page(sheet, report)
    sheet.repeat_rows(_HEADER_ROW)
    # The import does not read this sheet, so the sheet does not let anybody type here.
    sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})


def _note(report: Report, shown: int) -> str:
    counts = [(urgency, count) for urgency, count in act_now_counts(report) if count]
    total = sum(count for _, count in counts)
    if not total:
        return "Nothing to do now: no ticket is overdue, due within a day, in need of a review or failed."
    figures = ", ".join(f"{count:,} {urgency}" for urgency, count in counts)
    rest = f" These are the {shown:,} most urgent; the sheet {TICKETS_SHEET} has all." if shown < total else ""
    return f"{figures}, the most urgent first.{rest} Click the last column to go to the row on the sheet Tickets."
