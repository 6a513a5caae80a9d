"""The figures that are published as metrics and quoted in alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from .chat import ChatCount, Platform
from .run_history import RunHistory
from .service_run import RunState, Trigger


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
class ServiceCounts:
    """What the service counted.

    `runs` by trigger and state, and `chat_commands` by platform, command and outcome, since the service was set up.
    `requests` by door and class of the status, such as `2xx`, since the process `started`.
    `platforms` are those of the chat that is set up.
    """

    started: datetime
    runs: Mapping[tuple[Trigger, RunState], int]
    requests: Mapping[tuple[str, str], int]
    chat_commands: Mapping[ChatCount, int]
    platforms: Sequence[Platform] = ()


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """Everything that is published. `reports` is None when the reports could not be counted.

    `service` is None when the metrics are those of a run, and not of the service.
    """

    history: RunHistory
    reports: ReportCounts | None
    service: ServiceCounts | None = None
