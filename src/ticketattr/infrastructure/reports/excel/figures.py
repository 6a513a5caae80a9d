"""Sheet `Figures`, which is hidden: the figures that the mail with the workbook shows."""

from __future__ import annotations

from xlsxwriter import Workbook

from ....domain.figures import figures_of
from ....domain.report import Report
from ..figures_text import FIGURES_SHEET, figures_as_lines


def write_figures_sheet(workbook: Workbook, report: Report) -> None:
    """Add the sheet to `workbook`. No program offers to show it."""
    sheet = workbook.add_worksheet(FIGURES_SHEET)
    for row, line in enumerate(figures_as_lines(figures_of(report))):
        sheet.write_string(row, 0, line)
    sheet.very_hidden()
