"""A run is recorded, published and reported; no error in that fails the run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from ticketattr.application.monitoring import Monitoring, record_overlap, record_run
from ticketattr.domain.alerting import Alert
from ticketattr.domain.metrics import MetricsSnapshot, ReportCounts
from ticketattr.domain.run_history import RunHistory, RunRecord
from ticketattr.errors import InputError, ServiceError

from ..fakes import MIDNIGHT

COUNTED = ReportCounts(delivered=9, recipients=9, sent=1, pending=2, in_doubt=0)


@dataclass
class Operator:
    """Keeps the history, and takes metrics and alerts."""

    history: RunHistory = field(default_factory=RunHistory)
    published: list[MetricsSnapshot] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    takes_alerts: bool = True
    counted_since: list[datetime] = field(default_factory=list)

    def change(self, change: Callable[[RunHistory], RunHistory]) -> RunHistory:
        self.history = change(self.history)
        return self.history

    def publish(self, snapshot: MetricsSnapshot) -> None:
        self.published.append(snapshot)

    def send(self, alert: Alert) -> bool:
        self.alerts.append(alert)
        return self.takes_alerts

    def count(self, since: datetime) -> ReportCounts:
        self.counted_since.append(since)
        return COUNTED

    def monitoring(self, *, sinks: int = 1, wants_alerts: bool = True) -> Monitoring:
        return Monitoring(self, [self] * sinks, self if wants_alerts else None, self.count, "desk-1")


def record(exit_code: int, minute: int = 0) -> RunRecord:
    at = MIDNIGHT + timedelta(minutes=minute)
    return RunRecord(f"run {minute}", "run", at, at + timedelta(seconds=9), exit_code, ("reason",) if exit_code else ())


def test_a_failed_run_is_recorded_published_and_reported_with_the_reports_since_its_start() -> None:
    operator = Operator()
    failed = record(4, minute=7)
    record_run(failed, operator.monitoring(sinks=2))
    assert operator.history.last_run == {"run": failed}
    assert [snapshot.reports for snapshot in operator.published] == [COUNTED, COUNTED]
    assert [snapshot.history.last_run for snapshot in operator.published] == [{"run": failed}] * 2
    assert operator.counted_since == [failed.started]
    (alert,) = operator.alerts
    assert alert.title == "ticketattr on desk-1: run failed (exit 4)"
    assert "reports: 1 sent, 2 pending, 0 in doubt" in alert.text.splitlines()


def test_an_alert_is_repeated_only_if_it_could_not_be_sent() -> None:
    operator = Operator(takes_alerts=False)
    record_run(record(4), operator.monitoring())
    operator.takes_alerts = True
    for minute in (1, 2):
        record_run(record(4, minute), operator.monitoring())
    assert len(operator.alerts) == 2


def test_reports_are_not_counted_if_nothing_is_published_or_sent() -> None:
    operator = Operator()
    record_run(record(4), operator.monitoring(sinks=0, wants_alerts=False))
    record_run(record(0), operator.monitoring(sinks=0))
    assert (operator.counted_since, operator.alerts) == ([], [])


def test_an_alert_has_figures_even_if_no_metrics_are_published() -> None:
    operator = Operator()
    record_run(record(4), operator.monitoring(sinks=0))
    assert "reports: 1 sent, 2 pending, 0 in doubt" in operator.alerts[0].text


def test_an_alert_about_an_earlier_run_counts_the_reports_since_that_run() -> None:
    operator = Operator(takes_alerts=False)
    failed = record(4)
    record_run(failed, operator.monitoring())
    sending = RunRecord("send", "send", MIDNIGHT + timedelta(hours=1), MIDNIGHT + timedelta(hours=1), 0)
    record_run(sending, operator.monitoring())
    assert operator.counted_since == [failed.started, failed.started]
    assert "run run 0" in operator.alerts[1].text


def test_metrics_that_cannot_be_published_or_counted_are_warnings(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken:
        def publish(self, snapshot: MetricsSnapshot) -> None:
            raise ServiceError("the gateway is down")

    def count(since: datetime) -> ReportCounts:
        raise InputError("the log is damaged")

    operator = Operator()
    with caplog.at_level(logging.WARNING):
        record_run(record(3), Monitoring(operator, [Broken(), operator], operator, count, "desk-1"))
    assert [snapshot.reports for snapshot in operator.published] == [None]
    assert not [line for line in operator.alerts[0].text.splitlines() if line.startswith("reports")]
    assert caplog.messages == ["the reports cannot be counted: the log is damaged", "the gateway is down"]


def test_the_third_overlap_is_reported_and_publishes_no_metrics() -> None:
    operator = Operator()
    for minute in range(4):
        record_overlap(record(4, minute), operator.monitoring())
    (alert,) = operator.alerts
    assert (alert.kind, operator.published, operator.counted_since) == ("overlap", [], [])
    assert "run run 2" in alert.text


def test_overlaps_are_counted_even_without_alerts() -> None:
    operator = Operator()
    for minute in range(3):
        record_overlap(record(4, minute), operator.monitoring(wants_alerts=False))
    assert (operator.history.overlaps, operator.alerts) == (3, [])
