"""The report as an Excel workbook: sheets `Summary`, `Needs review`, `Tickets`, and a hidden `Catalog`.

It is written row by row, so that a large queue takes little memory. A custom property says which run it came
from. Times come from the report alone, so that the same report always makes the same bytes.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError

from ....domain.report import Report
from ....errors import InputError
from ...files import output
from ..workbook import RUN_ID_PROPERTY
from .catalog import write_catalog_sheet
from .cells import MAX_CELL
from .review import write_review_sheet
from .styles import make_styles
from .summary import write_summary_sheet
from .tickets import COLUMNS, MAX_ROWS, write_tickets_sheet

__all__ = ["COLUMNS", "MAX_CELL", "ExcelReports", "write_workbook"]


@dataclass(frozen=True, slots=True)
class ExcelReports:
    """Workbooks; a path of `-` is stdout."""

    def write(self, report: Report, path: Path) -> None:
        with output(path) as file:
            write_workbook(report, file)


def write_workbook(report: Report, file: IO[bytes]) -> None:
    """Raises InputError when there are more tickets than a sheet has rows."""
    if len(report.rows) > MAX_ROWS:
        raise InputError(
            f"a sheet holds {MAX_ROWS:,} tickets, and these are {len(report.rows):,}",
            hint="Use `ticketattr report --format csv`.",
        )
    # Rows wait in files until the workbook is put together: in a folder of their own, which goes in any case.
    with tempfile.TemporaryDirectory(prefix="ticketattr-") as folder:
        options = {"constant_memory": True, "tmpdir": folder, "use_zip64": True}
        workbook = Workbook(file, options)
        _describe(workbook, report)
        styles = make_styles(workbook)
        write_summary_sheet(workbook, report, styles)
        write_review_sheet(workbook, report, styles)
        write_tickets_sheet(workbook, report, styles)
        if report.background.catalog:
            write_catalog_sheet(workbook, report.background.catalog, styles)
        try:
            workbook.close()
        except FileCreateError as error:
            raise error.__cause__ or error from None


def _describe(workbook: Workbook, report: Report) -> None:
    workbook.set_properties(
        {
            "title": f"Ticket attribution {report.run_id}",
            "author": "ticketattr",
            "created": report.generated_at.replace(tzinfo=None),
        }
    )
    workbook.set_custom_property(RUN_ID_PROPERTY, report.run_id, "text")
