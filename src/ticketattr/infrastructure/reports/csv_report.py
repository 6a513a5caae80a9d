"""The report as CSV, for programs and for people who open it in a spreadsheet.

The file is UTF-8 with a byte order mark. `csv_writer` keeps a spreadsheet from running text as a formula.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from ...domain.report import Report, Row
from ..files import output
from .csv_writer import write_csv

COLUMNS = tuple(field.name for field in fields(Row))


@dataclass(frozen=True, slots=True)
class CSVReports:
    """Writes reports as CSV files; a path of `-` is stdout."""

    def write(self, report: Report, path: Path) -> None:
        self.write_rows(report.rows, path)

    def write_rows(self, rows: Iterable[Row], path: Path) -> None:
        """Write these rows, of which one at a time is in memory. Raises SettingsError or ServiceError."""
        cells = ([_value(getattr(row, name)) for name in COLUMNS] for row in rows)
        with output(path) as file:
            file.write(codecs.BOM_UTF8)
            text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
            write_csv(text, COLUMNS, cells, line_end="\r\n", quote_all_text=True)
            text.detach()


def _value(value: Any) -> Any:
    """A time in ISO 8601, with its offset from UTC."""
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
