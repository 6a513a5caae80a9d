"""The figures that are published as metrics and quoted in alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .run_history import RunHistory


@dataclass(frozen=True, slots=True)
class ReportCounts:
    """Numbers of reports, from the report log and the folder of reports.

    `delivered` and `recipients` count all deliveries in the log; `sent` counts the reports delivered since the run
    started. `pending` includes the reports `in_doubt`. `oldest` is the modification time of the oldest pending report.
    """

    delivered: int
    recipients: int
    sent: int
    pending: int
    in_doubt: int
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """Everything that is published after a run. `reports` is None when the reports could not be counted."""

    history: RunHistory
    reports: ReportCounts | None
