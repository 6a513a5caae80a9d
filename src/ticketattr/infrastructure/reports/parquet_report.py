"""The rows of a report as Parquet, for programs: texts as they are, numbers as numbers, times as times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ...domain.report import Report, Row
from ..files import output
from ..parquet import ROWS, load_pyarrow
from .csv_report import COLUMNS

_NUMBERS = ("sla_value", "sla_hours", "overdue_by", "age_days", "confidence")
_TIMES = ("due", "response_due")


@dataclass(frozen=True, slots=True)
class ParquetReports:
    """Writes reports as Parquet; a path of `-` is stdout."""

    def write(self, report: Report, path: Path) -> None:
        self.write_rows(report.rows, path)

    def write_rows(self, rows: Iterable[Row], path: Path) -> None:
        """Write these rows, some of which at a time are in memory. Raises SettingsError or ServiceError."""
        arrow, parquet = load_pyarrow()
        schema, remaining = _schema(arrow), iter(rows)
        with output(path) as file, parquet.ParquetWriter(file, schema) as writer:
            while part := list(islice(remaining, ROWS)):
                columns = {name: [getattr(row, name) for row in part] for name in COLUMNS}
                writer.write_table(arrow.table(columns, schema=schema))


def _schema(arrow: Any) -> Any:
    types = {
        **dict.fromkeys(COLUMNS, arrow.string()),
        **dict.fromkeys(_NUMBERS, arrow.float64()),
        **dict.fromkeys(_TIMES, arrow.timestamp("us", tz="UTC")),
        "place": arrow.int64(),
    }
    return arrow.schema(list(types.items()))
