"""Monitoring of runs: add a run to the history, publish the metrics, send the alert that is due.

Errors in here are logged. They never fail the run that is recorded, and every adapter has a time limit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.alerting import PendingAlert, alert_text, pending_alert, with_alert_sent
from ..domain.metrics import MetricsSnapshot, ReportCounts
from ..domain.run_history import RunRecord, with_overlap, with_run
from ..errors import TicketAttrError
from .ports import Alerts, MetricsSink, RunHistoryStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Where the history is kept, where metrics are published and how alerts are sent. `host` names this machine.

    `count_reports` counts the reports as they are now. Its argument is the time since which reports count as `sent`.
    """

    history: RunHistoryStore
    sinks: Sequence[MetricsSink]
    alerts: Alerts | None
    count_reports: Callable[[datetime], ReportCounts]
    host: str


def record_run(record: RunRecord, monitoring: Monitoring) -> None:
    """Record a run that has ended: keep it in the history, publish the metrics, send the alert that is due."""
    history = monitoring.history.change(lambda history: with_run(history, record))
    alert = pending_alert(history, record) if monitoring.alerts else None
    if not monitoring.sinks and not alert:
        # Nobody needs the counts, and counting reads every report.
        return
    reports = _count_reports(alert.record if alert else record, monitoring)
    for sink in monitoring.sinks:
        _publish(MetricsSnapshot(history, reports), sink)
    if alert:
        _send_alert(alert, reports, monitoring)


def record_overlap(record: RunRecord, monitoring: Monitoring) -> None:
    """Record a run that stopped because another run is in progress. No metrics: that other run publishes its own."""
    history = monitoring.history.change(with_overlap)
    if alert := pending_alert(history, record):
        _send_alert(alert, None, monitoring)


def _publish(snapshot: MetricsSnapshot, sink: MetricsSink) -> None:
    try:
        sink.publish(snapshot)
    except TicketAttrError as error:
        log.warning("%s", error)


def _send_alert(alert: PendingAlert, reports: ReportCounts | None, monitoring: Monitoring) -> None:
    # An alert that could not be sent is sent after the next run.
    if monitoring.alerts and monitoring.alerts.send(alert_text(alert, reports, monitoring.host)):
        monitoring.history.change(lambda history: with_alert_sent(history, alert))


def _count_reports(record: RunRecord, monitoring: Monitoring) -> ReportCounts | None:
    try:
        return monitoring.count_reports(record.started)
    except TicketAttrError as error:
        log.warning("the reports cannot be counted: %s", error)
        return None
