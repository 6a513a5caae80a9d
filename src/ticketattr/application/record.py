"""Record how a run ended: remember it, publish the figures, tell a person what is new to him.

Nothing in here fails the run that it records, or holds it up for long.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.alert import alert_of
from ..domain.operation import (
    Due,
    Figures,
    ReportFigures,
    RunRecord,
    alert_due,
    remember,
    remember_overlap,
    remember_told,
)
from ..errors import TicketAttrError
from .ports import Alerts, MemoryStore, MetricsSink

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recording:
    """Where it is remembered, where figures go, and who is told. `host` is where all this happens.

    `count_reports`: as they stand now, and how many of them were sent since the time that it is given.
    """

    memory: MemoryStore
    sinks: Sequence[MetricsSink]
    alerts: Alerts | None
    count_reports: Callable[[datetime], ReportFigures]
    host: str


def record_run(record: RunRecord, recording: Recording) -> None:
    memory = recording.memory.change(lambda memory: remember(memory, record))
    due = alert_due(memory, record) if recording.alerts else None
    if not recording.sinks and not due:
        # Counting reads every report there is.
        return
    reports = _count_reports(due.record if due else record, recording)
    for sink in recording.sinks:
        _publish(Figures(memory, reports), sink)
    if due:
        _tell(due, reports, recording)


def record_overlap(record: RunRecord, recording: Recording) -> None:
    """For a run that gave way to another one, which will have its own say."""
    memory = recording.memory.change(remember_overlap)
    if due := alert_due(memory, record):
        _tell(due, None, recording)


def _publish(figures: Figures, sink: MetricsSink) -> None:
    try:
        sink.publish(figures)
    except TicketAttrError as error:
        log.warning("%s", error)


def _tell(due: Due, reports: ReportFigures | None, recording: Recording) -> None:
    # Who could not be told is told after the next run.
    if recording.alerts and recording.alerts.tell(alert_of(due, reports, recording.host)):
        recording.memory.change(lambda memory: remember_told(memory, due))


def _count_reports(record: RunRecord, recording: Recording) -> ReportFigures | None:
    try:
        return recording.count_reports(record.started)
    except TicketAttrError as error:
        log.warning("the reports cannot be counted: %s", error)
        return None
