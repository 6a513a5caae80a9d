"""Sheet `Needs review`: the tickets that a person should review, the reasons, and links to their rows in `Tickets`.

After them come the attributions with the lowest confidence that need no review.
"""

from __future__ import annotations

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from ....domain.act_now import Placed, least_certain
from ....domain.report import Report
from ...words import Words
from ..labels import pair_of, review_checks, words_of
from ..workbook_archive import TICKETS_SHEET
from .cells import LINE_HEIGHT, row_height, rule_lines, write_link, write_text
from .styles import Styles, set_up_page

SHEET = "Needs review"

_WIDTHS = (16, 46, 44, 46, 46)
_HEADER_ROW = 4
_CLICK = (
    "Click a ticket to go to its row on the sheet {sheet}, where you can correct it. "
    "(You can filter that sheet; if you sort it, the links lead to other rows.)"
)


def write_review_sheet(workbook: Workbook, report: Report, styles: Styles) -> None:
    """Add the sheet to `workbook`."""
    say = words_of(report)
    sheet = workbook.add_worksheet(say.text(SHEET))
    rows = [(place, row) for place, row in enumerate(report.rows, start=1) if row.needs_review]
    least = least_certain(report)
    _set_up(sheet, report, len(rows))
    sheet.write_string(0, 0, say.text(SHEET), styles.title)
    sheet.write_string(1, 0, _note(len(rows), len(least), say), styles.note)
    sheet.merge_range(2, 0, 2, len(_WIDTHS) - 1, review_checks(report), styles.wrapped_note)
    line = _write_rows(sheet, _HEADER_ROW, rows, say, styles)
    if least:
        sheet.write_string(line + 1, 0, say.text("Lowest confidence of the others"), styles.section_title)
        _write_rows(sheet, line + 2, least, say, styles)


def _write_rows(sheet: Worksheet, header_row: int, rows: list[Placed], say: Words, styles: Styles) -> int:
    """A heading and the rows below it; returns the line after the last."""
    columns = say.section("columns")
    after_why = [str(columns[name]) for name in ("short_description", "request_type", "next_best")]
    for column, heading in enumerate((str(columns["id"]), say.text("Why"), *after_why)):
        write_text(sheet, header_row, column, heading, styles, styles.header)
    for line, (place, row) in enumerate(rows, start=header_row + 1):
        confidence = say.number(row.confidence or 0.0, ".2f")
        why = say.value(row.needs_review) or say.text(
            "no check found a reason; confidence {confidence}", confidence=confidence
        )
        texts = (why, row.short_description, pair_of(row), row.next_best)
        sheet.set_row(line, row_height(zip(texts, _WIDTHS[1:], strict=False)))
        link = f"internal:'{TICKETS_SHEET}'!B{place + 1}"
        write_link(sheet, line, 0, link, row.id or say.text("row {row}", row=place + 1), styles)
        for column, text in enumerate(texts, start=1):
            flagged = column == 1 and row.needs_review
            write_text(sheet, line, column, text, styles, styles.flag if flagged else None)
    rule_lines(sheet, header_row + 1, header_row + len(rows), len(_WIDTHS), styles)
    return header_row + 1 + len(rows)


def _set_up(sheet: Worksheet, report: Report, count: int) -> None:
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    sheet.set_row(0, 24)
    sheet.set_row(2, 2 * LINE_HEIGHT)
    sheet.freeze_panes(_HEADER_ROW + 1, 0)
    sheet.autofilter(_HEADER_ROW, 0, _HEADER_ROW + count, len(_WIDTHS) - 1)
    set_up_page(sheet, report)
    sheet.repeat_rows(_HEADER_ROW)
    # The import does not read this sheet, so the sheet does not let anybody type here.
    sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})


def _note(count: int, least: int, say: Words) -> str:
    counts = {"n": say.number(count), "least": say.number(least)}
    found = {
        (True, True): "{n} to review, then the {least} with the lowest confidence of the others.",
        (True, False): "{n} to review.",
        (False, True): "No check found a ticket to review, then the {least} with the lowest confidence.",
        (False, False): "No check found a ticket to review.",
    }
    return f"{say.text(found[count > 0, least > 0], **counts)} {say.text(_CLICK, sheet=TICKETS_SHEET)}"
