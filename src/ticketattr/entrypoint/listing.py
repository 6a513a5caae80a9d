"""How `pending list` prints: a table for people, JSON and CSV for programs; all with the same fields."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..domain.delivery import ReportStatus
from .console import plain

_FIELDS = (
    "file",
    "state",
    "modified",
    "size",
    "sha256",
    "run_id",
    "transport",
    "message_id",
    "recipients",
    "changed",
    "detail",
)
_IN_TABLE = ("file", "state", "modified", "size", "changed", "detail")


def print_statuses(statuses: Sequence[ReportStatus], format: str) -> None:
    rows = [_row(status) for status in statuses]
    if format == "json":
        print(json.dumps(rows, indent=2))
    elif format == "csv":
        writer = csv.DictWriter(sys.stdout, _FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "recipients": " ".join(row["recipients"])} for row in rows)
    else:
        _print_table(rows)


def _row(status: ReportStatus) -> dict[str, Any]:
    report, delivery = status.report, status.delivery
    return {
        "file": plain(str(report.path)),
        "state": status.state,
        "modified": _time(report.modified),
        "size": report.size,
        "sha256": report.sha256,
        "run_id": plain(report.run_id),
        "transport": delivery.message.transport if delivery else "",
        "message_id": delivery.message.message_id if delivery else "",
        "recipients": list(delivery.message.recipients) if delivery else [],
        "changed": _time(delivery.changed) if delivery else "",
        "detail": plain(status.detail),
    }


def _print_table(rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        print("nothing is pending")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in _IN_TABLE:
        table.add_column(name.capitalize(), overflow="fold")
    for row in rows:
        table.add_row(*(str(row[name]) for name in _IN_TABLE))
    # A pipe has no width: nothing is to be folded there.
    Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 400).print(table)


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
