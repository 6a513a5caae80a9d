"""A folder of many workbooks."""

from __future__ import annotations

import io
import os
import zipfile
from datetime import datetime, timezone
from pathlib import Path

from ticketattr.domain.report import Report, Row
from ticketattr.infrastructure.reports.excel import write_workbook


def write_workbooks(folder: Path, number: int) -> None:
    """Workbooks of which no two are equal."""
    folder.mkdir(parents=True)
    content = workbook_of(Report("20261123T150301Z-7f3a", datetime.now(timezone.utc), (Row("T-1"),)))
    for place in range(number):
        path = folder / f"ticket-attribution-{place}.xlsx"
        path.write_bytes(content)
        with zipfile.ZipFile(path, "a") as workbook:
            workbook.comment = str(place).encode()
        os.utime(path, (place * 86_400, place * 86_400))


def workbook_of(report: Report) -> bytes:
    file = io.BytesIO()
    write_workbook(report, file)
    return file.getvalue()
