"""Sheet `Needs review`: the tickets that a person should review, the reasons, and links to their rows in `Tickets`.

After them come the attributions with the lowest confidence that need no review.
"""

from __future__ import annotations

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from ....domain.act_now import Placed, least_certain
from ....domain.report import Report
from ..labels import pair_of, review_checks
from ..workbook_archive import TICKETS_SHEET
from .cells import LINE_HEIGHT, row_height, rule_lines, write_link, write_text
from .styles import Styles, set_up_page

SHEET = "Needs review"

_HEADINGS = ("Ticket", "Why", "Short description", "Request type", "Next best")
_WIDTHS = (16, 46, 44, 46, 46)
_HEADER_ROW = 4


def write_review_sheet(workbook: Workbook, report: Report, styles: Styles) -> None:
    """Add the sheet to `workbook`."""
    sheet = workbook.add_worksheet(SHEET)
    rows = [(place, row) for place, row in enumerate(report.rows, start=1) if row.needs_review]
    least = least_certain(report)
    _set_up(sheet, report, len(rows))
    sheet.write_string(0, 0, SHEET, styles.title)
    sheet.write_string(1, 0, _note(len(rows), len(least)), styles.note)
    sheet.merge_range(2, 0, 2, len(_HEADINGS) - 1, review_checks(report), styles.wrapped_note)
    line = _write_rows(sheet, _HEADER_ROW, rows, styles)
    if least:
        sheet.write_string(line + 1, 0, "Lowest confidence of the others", styles.section_title)
        _write_rows(sheet, line + 2, least, styles)


def _write_rows(sheet: Worksheet, header_row: int, rows: list[Placed], styles: Styles) -> int:
    """A heading and the rows below it; returns the line after the last."""
    for column, heading in enumerate(_HEADINGS):
        write_text(sheet, header_row, column, heading, styles, styles.header)
    for line, (place, row) in enumerate(rows, start=header_row + 1):
        why = row.needs_review or f"no check found a reason; confidence {row.confidence:.2f}"
        texts = (why, row.short_description, pair_of(row), row.next_best)
        sheet.set_row(line, row_height(zip(texts, _WIDTHS[1:], strict=False)))
        link = f"internal:'{TICKETS_SHEET}'!B{place + 1}"
        write_link(sheet, line, 0, link, row.id or f"row {place + 1}", styles)
        for column, text in enumerate(texts, start=1):
            flagged = column == 1 and row.needs_review
            write_text(sheet, line, column, text, styles, styles.flag if flagged else None)
    rule_lines(sheet, header_row + 1, header_row + len(rows), len(_HEADINGS), styles)
    return header_row + 1 + len(rows)


def _set_up(sheet: Worksheet, report: Report, count: int) -> None:
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    sheet.set_row(0, 24)
    sheet.set_row(2, 2 * LINE_HEIGHT)
    sheet.freeze_panes(_HEADER_ROW + 1, 0)
    sheet.autofilter(_HEADER_ROW, 0, _HEADER_ROW + count, len(_HEADINGS) - 1)
    set_up_page(sheet, report)
    sheet.repeat_rows(_HEADER_ROW)
    # The import does not read this sheet, so the sheet does not let anybody type here.
    sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})


def _note(count: int, least: int) -> str:
    found = f"{count:,} to review" if count else "No check found a ticket to review"
    rest = f", then the {least:,} with the lowest confidence of the others" if least else ""
    return (
        f"{found}{rest}. Click a ticket to go to its row on the sheet Tickets, where you can correct it. "
        "(You can filter that sheet; if you sort it, the links lead to other rows.)"
    )
