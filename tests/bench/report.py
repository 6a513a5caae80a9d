"""Writes a report of so many tickets: `python -m tests.bench.report ours|plain TICKETS`.

`plain` is openpyxl in its normal mode, with the same columns, a style for each cell and no drop-downs: all rows
in memory. Prints seconds, peak memory above that of the tickets themselves, and the size of the file, as JSON. It is a
process of its own, because memory is that of a process.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font

from ticketattr.domain.report import Report, ReportContext, build_report
from ticketattr.domain.ticket import AttributedTicket, Attribution
from ticketattr.infrastructure.catalog.source import YAMLCatalog
from ticketattr.infrastructure.helpdesk.ticket_file import TicketFile
from ticketattr.infrastructure.options import HelpdeskAccess, HTTPPolicy
from ticketattr.infrastructure.reports.csv_report import COLUMNS
from ticketattr.infrastructure.reports.excel import ExcelReports

EXAMPLES = Path(__file__).parents[2] / "examples"


def main(kind: str, number: int) -> None:
    report = a_report(number)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.xlsx"
        before, start = peak_mb(), time.perf_counter()
        if kind == "ours":
            ExcelReports().write(report, path)
        else:
            write_plainly(report, path)
        figures = {
            "seconds": time.perf_counter() - start,
            "peak_mb": peak_mb(),
            "added_mb": peak_mb() - before,
            "file_mb": path.stat().st_size / 1e6,
        }
    print(json.dumps(figures))


def a_report(number: int) -> Report:
    catalog = YAMLCatalog(str(EXAMPLES / "catalog.yaml"), HTTPPolicy()).fetch_catalog()
    tickets = TicketFile(HelpdeskAccess(str(EXAMPLES / "tickets.json"))).fetch_tickets()
    entries = catalog.entries
    attributed = [
        AttributedTicket(
            tickets[place % len(tickets)],
            Attribution(entries[place % len(entries)], "model", place % 100 / 100, "words", entries[:2]),
        )
        for place in range(number)
    ]
    now = datetime(2026, 11, 23, tzinfo=timezone.utc)
    return build_report(
        attributed, run_id="20261123T000000Z-0000", generated_at=now, context=ReportContext(catalog=catalog)
    )


def write_plainly(report: Report, path: Path) -> None:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(COLUMNS)
    wrapped, bold = Alignment(wrap_text=True, vertical="top"), Font(bold=True)
    for place, row in enumerate(report.rows, start=2):
        for column, name in enumerate(COLUMNS, start=1):
            value = getattr(row, name)
            if value not in (None, ""):
                value = value.replace(tzinfo=None) if isinstance(value, datetime) else value
                text = ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
                cell: Any = sheet.cell(place, column, text)
                cell.alignment = wrapped
                if isinstance(value, str):
                    cell.data_type = "s"
    for cell in sheet[1]:
        cell.font = bold
    workbook.save(path)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
