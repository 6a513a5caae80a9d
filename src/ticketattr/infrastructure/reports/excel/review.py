"""Sheet `Needs review`: the tickets that a person should review, the reasons, and links to their rows in `Tickets`."""

from __future__ import annotations

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from ....domain.report import Report
from ..workbook_archive import TICKETS_SHEET
from .cells import LINE_HEIGHT, MAX_LINES, rule_lines, wrapped_lines, write_link, write_text
from .styles import Styles, set_up_page

SHEET = "Needs review"

_HEADINGS = ("ticket", "why", "short_description", "request_type", "next_best")
_WIDTHS = (16, 48, 44, 44, 44)
_HEADER_ROW = 3


def write_review_sheet(workbook: Workbook, report: Report, styles: Styles) -> None:
    """Add the sheet to `workbook`."""
    sheet = workbook.add_worksheet(SHEET)
    rows = [(place, row) for place, row in enumerate(report.rows, start=2) if row.needs_review]
    _set_up(sheet, report, len(rows))
    sheet.write_string(0, 0, SHEET, styles.title)
    sheet.write_string(1, 0, _note(len(rows)), styles.note)
    for column, heading in enumerate(_HEADINGS):
        write_text(sheet, _HEADER_ROW, column, heading, styles, styles.header)
    for line, (place, row) in enumerate(rows, start=_HEADER_ROW + 1):
        chosen = f"{row.request_category} / {row.request_type}" if row.request_type else ""
        texts = (row.needs_review, row.short_description, chosen, row.next_best)
        sheet.set_row(line, LINE_HEIGHT * _lines(texts))
        write_link(sheet, line, 0, f"internal:'{TICKETS_SHEET}'!B{place}", row.id or f"row {place}", styles)
        for column, text in enumerate(texts, start=1):
            write_text(sheet, line, column, text, styles, styles.flag if column == 1 else None)
    rule_lines(sheet, _HEADER_ROW + 1, _HEADER_ROW + len(rows), len(_HEADINGS), styles)


def _set_up(sheet: Worksheet, report: Report, count: int) -> None:
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    sheet.set_row(0, 24)
    sheet.freeze_panes(_HEADER_ROW + 1, 0)
    sheet.autofilter(_HEADER_ROW, 0, _HEADER_ROW + count, len(_HEADINGS) - 1)
    set_up_page(sheet, report)
    sheet.repeat_rows(_HEADER_ROW)
    # The import does not read this sheet, so the sheet does not let anybody type here.
    sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})


def _note(count: int) -> str:
    if not count:
        return "No ticket needs a review."
    return (
        f"{count:,} to review. Click a ticket to go to its row on the sheet Tickets, where you can correct it. "
        "(You can filter that sheet; if you sort it, the links lead to other rows.)"
    )


def _lines(texts: tuple[str, ...]) -> int:
    needed = (wrapped_lines(text, width - 2) for text, width in zip(texts, _WIDTHS[1:], strict=True))
    return max(1, min(max(needed), MAX_LINES))
