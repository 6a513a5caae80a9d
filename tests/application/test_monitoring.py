"""How a run ended is remembered, published and told; nothing of that fails the run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from ticketattr.application.monitoring import Monitoring, record_overlap, record_run
from ticketattr.domain.alerting import Alert
from ticketattr.domain.run_history import Figures, ReportFigures, RunHistory, RunRecord
from ticketattr.errors import InputError, ServiceError

from ..fakes import MIDNIGHT

COUNTED = ReportFigures(delivered=9, recipients=9, sent=1, pending=2, in_doubt=0)


@dataclass
class Operator:
    """Whoever looks at figures and is told of trouble."""

    history: RunHistory = field(default_factory=RunHistory)
    published: list[Figures] = field(default_factory=list)
    alerted: list[Alert] = field(default_factory=list)
    can_be_told: bool = True
    asked_since: list[datetime] = field(default_factory=list)

    def change(self, change: Callable[[RunHistory], RunHistory]) -> RunHistory:
        self.history = change(self.history)
        return self.history

    def publish(self, figures: Figures) -> None:
        self.published.append(figures)

    def send(self, alert: Alert) -> bool:
        self.alerted.append(alert)
        return self.can_be_told

    def count(self, since: datetime) -> ReportFigures:
        self.asked_since.append(since)
        return COUNTED

    def monitoring(self, *, sinks: int = 1, wants_alerts: bool = True) -> Monitoring:
        return Monitoring(self, [self] * sinks, self if wants_alerts else None, self.count, "desk-1")


def record(exit_code: int, minute: int = 0) -> RunRecord:
    at = MIDNIGHT + timedelta(minutes=minute)
    return RunRecord(f"run {minute}", "run", at, at + timedelta(seconds=9), exit_code, ("cause",) if exit_code else ())


def test_a_run_is_remembered_published_and_its_trouble_told_with_the_reports_since_it_began() -> None:
    operator = Operator()
    failed = record(4, minute=7)
    record_run(failed, operator.monitoring(sinks=2))
    assert operator.history.last == {"run": failed}
    assert [figures.reports for figures in operator.published] == [COUNTED, COUNTED]
    assert [figures.history.last for figures in operator.published] == [{"run": failed}] * 2
    assert operator.asked_since == [failed.started]
    (alert,) = operator.alerted
    assert alert.title == "ticketattr on desk-1: run failed (exit 4)"
    assert "reports: 1 sent, 2 pending, 0 in doubt" in alert.text.splitlines()


def test_what_was_told_is_not_told_again_and_what_could_not_be_is() -> None:
    operator = Operator(can_be_told=False)
    record_run(record(4), operator.monitoring())
    operator.can_be_told = True
    for minute in (1, 2):
        record_run(record(4, minute), operator.monitoring())
    assert len(operator.alerted) == 2


def test_reports_are_not_counted_where_nobody_wants_to_know() -> None:
    operator = Operator()
    record_run(record(4), operator.monitoring(sinks=0, wants_alerts=False))
    record_run(record(0), operator.monitoring(sinks=0))
    assert (operator.asked_since, operator.alerted) == ([], [])


def test_a_person_is_told_with_figures_where_nobody_else_wants_them() -> None:
    operator = Operator()
    record_run(record(4), operator.monitoring(sinks=0))
    assert "reports: 1 sent, 2 pending, 0 in doubt" in operator.alerted[0].text


def test_a_trouble_of_an_earlier_run_is_told_with_the_reports_since_that_one() -> None:
    operator = Operator(can_be_told=False)
    failed = record(4)
    record_run(failed, operator.monitoring())
    sending = RunRecord("send", "send", MIDNIGHT + timedelta(hours=1), MIDNIGHT + timedelta(hours=1), 0)
    record_run(sending, operator.monitoring())
    assert operator.asked_since == [failed.started, failed.started]
    assert "run run 0" in operator.alerted[1].text


def test_figures_that_cannot_be_published_or_counted_fail_nothing_and_are_warned_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken:
        def publish(self, figures: Figures) -> None:
            raise ServiceError("the gateway is down")

    def count(since: datetime) -> ReportFigures:
        raise InputError("the log is damaged")

    operator = Operator()
    with caplog.at_level(logging.WARNING):
        record_run(record(3), Monitoring(operator, [Broken(), operator], operator, count, "desk-1"))
    assert [figures.reports for figures in operator.published] == [None]
    assert not [line for line in operator.alerted[0].text.splitlines() if line.startswith("reports")]
    assert caplog.messages == ["the reports cannot be counted: the log is damaged", "the gateway is down"]


def test_the_third_overlap_is_told_and_publishes_nothing() -> None:
    operator = Operator()
    for minute in range(4):
        record_overlap(record(4, minute), operator.monitoring())
    (alert,) = operator.alerted
    assert (alert.kind, operator.published, operator.asked_since) == ("overlap", [], [])
    assert "run run 2" in alert.text


def test_an_overlap_that_nobody_wants_to_hear_of_is_remembered_all_the_same() -> None:
    operator = Operator()
    for minute in range(3):
        record_overlap(record(4, minute), operator.monitoring(wants_alerts=False))
    assert (operator.history.overlaps, operator.alerted) == (3, [])
