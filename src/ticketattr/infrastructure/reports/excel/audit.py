"""Sheet `Findings` of an audit: what the history says about the catalog, and what the other sheet lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from ....application.audit_labels import AuditedHistory
from ....domain.label_audit import FEWEST_TICKETS, LabelAudit
from ..workbook_archive import TICKETS_SHEET
from .cells import LINE_HEIGHT, write_text
from .styles import Styles, set_up_page

SHEET = "Findings"

_WIDTHS = (52, 52, 14, 14)
_MOST = 200
"""How many findings of a kind are shown, the largest first."""

_HOW = (
    f"The sheet {TICKETS_SHEET} lists doubtful labels, the most doubtful first. Choose another request type where the "
    "label is wrong, or put an x into the column Checked where it is right. Then save the workbook and run "
    "`ticketattr corrections import` with it."
)


def write_findings_sheet(workbook: Workbook, audited: AuditedHistory, styles: Styles) -> None:
    """Add the sheet to `workbook`."""
    sheet = workbook.add_worksheet(SHEET)
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    set_up_page(sheet, audited.report)
    sheet.write_string(0, 0, "Audit of labels", styles.title)
    sheet.merge_range(1, 0, 1, len(_WIDTHS) - 1, _HOW, styles.wrapped_note)
    sheet.set_row(1, 3 * LINE_HEIGHT)
    line = _write_counts(sheet, 3, audited.audit, styles)
    for title, note, headings, rows in _sections(audited.audit):
        line = _write_section(sheet, line + 1, (title, note, headings), rows, styles)


def _write_counts(sheet: Worksheet, line: int, found: LabelAudit, styles: Styles) -> int:
    counts = (
        ("Tickets in the history", found.tickets),
        ("Doubtful labels", len(found.labels)),
        ("of which another type is surely right", found.sure),
        ("Groups of tickets with almost the same text and different labels", len(found.contradictions)),
        ("Tickets with a creation time", found.dated),
    )
    for name, count in counts:
        sheet.write_string(line, 0, name, styles.label)
        sheet.write_number(line, 1, count, styles.count)
        line += 1
    return line


Cell = str | int | float
Section = tuple[str, str, Sequence[str], list[tuple[Cell, ...]]]


def _sections(found: LabelAudit) -> Iterable[Section]:
    yield (
        "Request types that are hard to tell apart",
        "Their tickets are often taken for each other. Make them one type, or say in their descriptions what differs.",
        ("Request type", "Other request type", "Tickets", "Share"),
        [(str(one.one), str(one.other), one.mixed, one.share) for one in found.alike],
    )
    yield (
        "Request types with too few tickets",
        f"Fewer than {FEWEST_TICKETS} tickets are too few to learn a type from. Give it examples in the catalog.",
        ("Request type", "", "Tickets", ""),
        [(str(one.entry), "", one.tickets, "") for one in found.small],
    )
    yield (
        "Request types whose share of the tickets changed",
        _since(found),
        ("Request type", "", "Before", "Latest"),
        [(str(one.entry), "", one.earlier, one.latest) for one in found.drift],
    )


def _since(found: LabelAudit) -> str:
    if found.drift:
        return f"Before, and in the latest fifth of the tickets, which begins on {found.drift[0].since:%Y-%m-%d}."
    if not found.dated:
        return "The history has no creation times, so changes over time are unknown."
    return "No share differs between the latest fifth of the tickets and the others by more than chance."


def _write_section(
    sheet: Worksheet,
    line: int,
    heading: tuple[str, str, Sequence[str]],
    rows: Sequence[tuple[Cell, ...]],
    styles: Styles,
) -> int:
    title, note, columns = heading
    sheet.write_string(line, 0, f"{title} ({len(rows):,})", styles.section_title)
    sheet.write_string(line + 1, 0, note, styles.note)
    line += 2
    if rows:
        for column, name in enumerate(columns):
            write_text(sheet, line, column, name, styles, styles.header)
        line += 1
    for row in rows[:_MOST]:
        for column, cell in enumerate(row):
            _write_cell(sheet, line, column, cell, styles)
        line += 1
    return line


def _write_cell(sheet: Worksheet, line: int, column: int, cell: Cell, styles: Styles) -> None:
    if isinstance(cell, str):
        write_text(sheet, line, column, cell, styles)
    else:
        sheet.write_number(line, column, cell, styles.count if isinstance(cell, int) else styles.hundredths)
