"""Record how a run ended: remember it, publish the figures, tell a person what is new to him.

Nothing in here fails the run that it records, or holds it up for long.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.alerting import alert_text
from ..domain.run_history import (
    Figures,
    PendingAlert,
    ReportFigures,
    RunRecord,
    pending_alert,
    with_alert_sent,
    with_overlap,
    with_run,
)
from ..errors import TicketAttrError
from .ports import Alerts, MetricsSink, RunHistoryStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Where it is remembered, where figures go, and who is told. `host` is where all this happens.

    `count_reports`: as they stand now, and how many of them were sent since the time that it is given.
    """

    history: RunHistoryStore
    sinks: Sequence[MetricsSink]
    alerts: Alerts | None
    count_reports: Callable[[datetime], ReportFigures]
    host: str


def record_run(record: RunRecord, monitoring: Monitoring) -> None:
    history = monitoring.history.change(lambda history: with_run(history, record))
    alert = pending_alert(history, record) if monitoring.alerts else None
    if not monitoring.sinks and not alert:
        # Counting reads every report there is.
        return
    reports = _count_reports(alert.record if alert else record, monitoring)
    for sink in monitoring.sinks:
        _publish(Figures(history, reports), sink)
    if alert:
        _tell(alert, reports, monitoring)


def record_overlap(record: RunRecord, monitoring: Monitoring) -> None:
    """For a run that gave way to another one, which will have its own say."""
    history = monitoring.history.change(with_overlap)
    if alert := pending_alert(history, record):
        _tell(alert, None, monitoring)


def _publish(figures: Figures, sink: MetricsSink) -> None:
    try:
        sink.publish(figures)
    except TicketAttrError as error:
        log.warning("%s", error)


def _tell(alert: PendingAlert, reports: ReportFigures | None, monitoring: Monitoring) -> None:
    # Who could not be told is told after the next run.
    if monitoring.alerts and monitoring.alerts.send(alert_text(alert, reports, monitoring.host)):
        monitoring.history.change(lambda history: with_alert_sent(history, alert))


def _count_reports(record: RunRecord, monitoring: Monitoring) -> ReportFigures | None:
    try:
        return monitoring.count_reports(record.started)
    except TicketAttrError as error:
        log.warning("the reports cannot be counted: %s", error)
        return None
