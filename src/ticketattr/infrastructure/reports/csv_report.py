"""The report as CSV, for programs and for those who open it in a spreadsheet all the same.

UTF-8 with a byte order mark. Text that a spreadsheet would take for a formula has a quotation mark before it.
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ...domain.report import Report, Row
from ...domain.sanitizing import sanitize
from ..files import output

COLUMNS = tuple(field.name for field in fields(Row))

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\n", "'")


@dataclass(frozen=True, slots=True)
class CSVReports:
    """A path of `-` is stdout."""

    def write(self, report: Report, path: Path) -> None:
        with output(path) as file:
            file.write(codecs.BOM_UTF8)
            text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
            writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
            writer.writerow(COLUMNS)
            for row in report.rows:
                writer.writerow([_cell(getattr(row, name)) for name in COLUMNS])
            text.detach()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    text = sanitize(value)
    # What begins with the mark itself gets one too, so that taking the first away gives the text.
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS_A_FORMULA) else text
