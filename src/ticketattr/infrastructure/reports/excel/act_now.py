"""Sheet `Act now`: the most urgent tickets, each with a link to the helpdesk and to its row in `Tickets`."""

from __future__ import annotations

from collections.abc import Sequence

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from ....domain.act_now import most_urgent
from ....domain.report import Report, Row
from ..labels import act_now_counts, pair_of, sla_of, urgency_in_words, words_of
from ..workbook_archive import TICKETS_SHEET
from .cells import LINE_HEIGHT, row_height, rule_lines, write_link, write_text
from .styles import Styles, set_up_page

SHEET = "Act now"
"""The name of the sheet in English."""
MAX_ROWS = 1_000
"""The most tickets on the sheet; the sheet `Tickets` has all of them."""

_COLUMNS = ("id", "urgency", "due", "short_description", "request_type", "sla_value", "needs_review")
_WIDTHS = (16, 46, 18, 44, 48, 12, 46, 9)
_LEAST_WORDS = 20
_HEADER_ROW = 3


def write_act_now_sheet(workbook: Workbook, report: Report, styles: Styles) -> None:
    """Add the sheet to `workbook`."""
    say = words_of(report)
    sheet = workbook.add_worksheet(say.text(SHEET))
    tickets = most_urgent(report, MAX_ROWS)
    words = [urgency_in_words(row, report) for _, row in tickets]
    widths = (_WIDTHS[0], max([_LEAST_WORDS, *(len(why) + 5 for why in words)]), *_WIDTHS[2:])
    _set_up(sheet, report, widths, len(tickets))
    sheet.write_string(0, 0, say.text(SHEET), styles.title)
    sheet.write_string(1, 0, _note(report, len(tickets)), styles.note)
    for column, heading in enumerate(_headings(report)):
        write_text(sheet, _HEADER_ROW, column, heading, styles, styles.header)
    for line, ((place, row), why) in enumerate(zip(tickets, words, strict=True), start=_HEADER_ROW + 1):
        _write_ticket(sheet, line, f"internal:'{TICKETS_SHEET}'!B{place + 1}", row, why, report, styles)
    rule_lines(sheet, _HEADER_ROW + 1, _HEADER_ROW + len(tickets), len(_WIDTHS), styles)


def _headings(report: Report) -> list[str]:
    say = words_of(report)
    titles = dict(zip(_COLUMNS, map(say.section("columns").get, _COLUMNS), strict=True))
    titles["due"] = f"{titles['due']} ({report.context.time_zone})"
    return [*map(str, titles.values()), say.text("Row")]


def _write_ticket(sheet: Worksheet, line: int, link: str, row: Row, why: str, report: Report, styles: Styles) -> None:
    say = words_of(report)
    needs_review = say.value(row.needs_review)
    texts = {1: why, 3: row.short_description, 4: pair_of(row), 5: sla_of(row, report), 6: needs_review}
    sheet.set_row(line, row_height((text, _WIDTHS[column]) for column, text in texts.items() if column > 1))
    write_link(sheet, line, 0, row.url or link, row.id or say.text("(no id)"), styles)
    urgent = {"overdue": styles.urgent, "due within a day": styles.flag}.get(row.urgency)
    for column in range(1, len(_COLUMNS)):
        if column == 2 and row.due:
            sheet.write_datetime(line, column, row.due.replace(tzinfo=None, second=0, microsecond=0), styles.time)
        elif column in texts:
            write_text(sheet, line, column, texts[column], styles, urgent if column == 1 else None)
    write_link(sheet, line, len(_COLUMNS), link, link.rpartition("!B")[2], styles)


def _set_up(sheet: Worksheet, report: Report, widths: Sequence[int], count: int) -> None:
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.set_row(0, 24)
    sheet.set_row(_HEADER_ROW, 2 * LINE_HEIGHT)
    sheet.freeze_panes(_HEADER_ROW + 1, 0)
    sheet.autofilter(_HEADER_ROW, 0, _HEADER_ROW + count, len(_COLUMNS))
    set_up_page(sheet, report)
    sheet.repeat_rows(_HEADER_ROW)
    # The import does not read this sheet, so the sheet does not let anybody type here.
    sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})


def _note(report: Report, shown: int) -> str:
    say = words_of(report)
    counts = [(urgency, count) for urgency, count in act_now_counts(report) if count]
    total = sum(count for _, count in counts)
    if not total:
        return say.text("Nothing to do now: no ticket is overdue, due within a day, in need of a review or failed.")
    figures = ", ".join(f"{say.number(count)} {say.value(urgency)}" for urgency, count in counts)
    notes = [say.text("{figures}, the most urgent first.", figures=figures)]
    if shown < total:
        all_of = {"n": say.number(shown), "sheet": TICKETS_SHEET}
        notes.append(say.text("These are the {n} most urgent; the sheet {sheet} has all.", **all_of))
    notes.append(say.text("Click the last column to go to the row on the sheet {sheet}.", sheet=TICKETS_SHEET))
    return " ".join(notes)
