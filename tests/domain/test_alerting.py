"""Which alert is due after a run, and its text."""

from __future__ import annotations

import pytest

from ticketattr.domain.alerting import AlertKind, PendingAlert, alert_text, pending_alert, with_alert_sent
from ticketattr.domain.metrics import ReportCounts
from ticketattr.domain.run_history import Incident, RunHistory, RunRecord, with_overlap, with_run
from ticketattr.domain.usage import Bill, Usage

from ..fakes import a_run_record


def after_alert(history: RunHistory, record: RunRecord) -> tuple[RunHistory, AlertKind | None]:
    """The history after the run and its alert, and the kind of that alert."""
    history = with_run(history, record)
    alert = pending_alert(history, record)
    return (with_alert_sent(history, alert), alert.kind) if alert else (history, None)


def alerts_of(*records: RunRecord) -> list[AlertKind | None]:
    history, kinds = RunHistory(), list[AlertKind | None]()
    for record in records:
        history, kind = after_alert(history, record)
        kinds.append(kind)
    return kinds


FINE, DOWN, BROKEN = a_run_record(), a_run_record(4, "mail server"), a_run_record(3, "catalog")
PARTIAL, DOUBT = a_run_record(5, "tickets failed (quota)"), a_run_record(5, "reports in doubt")


@pytest.mark.parametrize(
    ("records", "kinds"),
    [
        ([FINE, FINE], [None, None]),
        ([DOWN, DOWN, DOWN, FINE, FINE], ["failure", None, None, "recovery", None]),
        ([DOWN, BROKEN, DOWN], ["failure", "failure", "failure"]),
        ([PARTIAL, PARTIAL, DOUBT, FINE], ["partial", None, "doubt", "recovery"]),
        ([PARTIAL, a_run_record(5, "tickets failed (blocked)"), FINE], ["partial", "partial", "recovery"]),
        ([DOWN, FINE, DOWN], ["failure", "recovery", "failure"]),
        # Ctrl-C is neither an incident nor a recovery; a SIGTERM is an incident.
        ([a_run_record(130), DOWN, a_run_record(130), FINE], [None, "failure", None, "recovery"]),
        ([a_run_record(143, "terminated"), a_run_record(143, "terminated")], ["failure", None]),
        # A success of `send` says nothing about the helpdesk. The same incident of `run` and `send` is reported once.
        ([DOWN, a_run_record(0, command="send"), FINE], ["failure", None, "recovery"]),
        ([a_run_record(4, "mail server", command="send"), DOWN, FINE], ["failure", None, "recovery"]),
        ([a_run_record(4, "mail server", command="send"), a_run_record(0, command="send")], ["failure", "recovery"]),
        ([a_run_record(4, "mail server", command="send"), FINE], ["failure", "recovery"]),
    ],
)
def test_an_incident_is_reported_once_and_its_end_once(records: list[RunRecord], kinds: list[AlertKind | None]) -> None:
    assert alerts_of(*records) == kinds


def test_an_alert_that_could_not_be_sent_is_sent_after_a_later_run_about_the_original_run() -> None:
    history = with_run(RunHistory(), DOWN)
    sending = a_run_record(0, command="send", minute=5)
    history = with_run(history, sending)
    alert = pending_alert(history, sending)
    assert alert
    assert (alert.kind, alert.record) == ("failure", DOWN)
    assert pending_alert(with_alert_sent(history, alert), sending) is None


def test_an_incident_that_was_never_reported_has_no_recovery() -> None:
    assert pending_alert(with_run(with_run(RunHistory(), DOWN), FINE), FINE) is None


def test_the_third_overlap_in_a_row_is_reported_once_and_the_next_success_is_a_recovery() -> None:
    history, kinds = with_run(RunHistory(), FINE), list[AlertKind | None]()
    for _ in range(5):
        history = with_overlap(history)
        alert = pending_alert(history, FINE)
        kinds.append(alert.kind if alert else None)
        history = with_alert_sent(history, alert) if alert else history
    assert kinds == [None, None, "overlap", None, None]
    assert history.overlaps == 5
    assert history.last_run == {"run": FINE}, "an overlap changes nothing about the run in progress"
    assert after_alert(history, FINE)[1] == "recovery"


def test_of_two_unreported_incidents_that_of_the_latest_run_is_reported_first() -> None:
    sending = a_run_record(3, "log is damaged", command="send", minute=5)
    history = with_run(with_run(RunHistory(), DOWN), sending)
    alert = pending_alert(history, sending)
    assert alert
    assert (alert.kind, alert.record) == ("failure", sending)
    alert = pending_alert(with_alert_sent(history, alert), sending)
    assert alert
    assert (alert.kind, alert.record) == ("failure", DOWN)


def test_an_incident_whose_run_is_not_in_the_history_is_reported_with_the_latest_run() -> None:
    incident = Incident("failure", ("mail server",))
    assert pending_alert(RunHistory(open_incidents={"send": incident}), FINE) == PendingAlert("failure", FINE, incident)


def test_a_recovery_is_about_the_run_that_succeeded() -> None:
    history, _ = after_alert(RunHistory(), DOWN)
    assert pending_alert(with_run(history, FINE), FINE) == PendingAlert("recovery", FINE)


def test_an_alert_says_what_happened_with_figures_and_a_hint() -> None:
    record = a_run_record(
        4, "x", message="the mail server did not answer", hint="Try again later.",
        tickets={"model": 3, "failed": 1}, by_sla={"4 hours": 3}, bill=Bill(Usage(calls=2), cost=0.0123),
        changes={"fill refused": 1, "fill applied": 2},
    )  # fmt: skip
    reports = ReportCounts(delivered=9, recipients=9, sent=1, pending=2, in_doubt=1)
    alert = alert_text(PendingAlert("failure", record), reports, "desk-1")
    assert alert.title == "ticketattr on desk-1: run failed (exit 4)"
    assert alert.text.splitlines() == [
        "the mail server did not answer",
        "run run 0",
        "tickets: 3 attributed, 1 failed",
        "changes: 2 fill applied, 1 fill refused",
        "reports: 1 sent, 2 pending, 1 in doubt",
        "cost 0.0123 USD",
        "hint: Try again later.",
    ]


def test_an_alert_omits_unknown_figures() -> None:
    record = a_run_record(5, "x", tickets={"model": 3}, by_sla={"4 hours": 3}, bill=Bill(Usage(calls=2), cost=None))
    assert alert_text(PendingAlert("partial", record), None, "h").text.splitlines() == [
        "run run 0",
        "tickets: 3 attributed, 0 failed",
        "cost unknown",
    ]


def test_an_alert_about_overlaps_has_no_figures() -> None:
    record = a_run_record(4, message="another ticketattr is at work", hint="Try again later.")
    alert = alert_text(PendingAlert("overlap", record), ReportCounts(9, 9, 1, 2, 1), "h")
    assert (alert.kind, alert.title) == ("overlap", "ticketattr on h: 3 runs in a row found another run in progress")
    assert alert.text.splitlines() == ["another ticketattr is at work", "run run 0", "hint: Try again later."]


@pytest.mark.parametrize(("message", "shown"), [("x" * 300, "x" * 300), ("x" * 301, "x" * 299 + "…")], ids=len)
def test_a_long_message_is_shortened_to_300_characters(message: str, shown: str) -> None:
    assert (
        alert_text(PendingAlert("failure", a_run_record(3, message=message)), None, "h").text.splitlines()[0] == shown
    )


def test_a_recovery_does_not_repeat_the_old_message() -> None:
    alert = alert_text(PendingAlert("recovery", a_run_record(message="old", hint="old")), None, "desk-1")
    assert alert.title == "ticketattr on desk-1: run works again"
    assert "old" not in alert.text
