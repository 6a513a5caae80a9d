"""How runs ended, what is remembered of it, and what a person is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketattr.domain.alerting import alert_text
from ticketattr.domain.delivery import Delivery, RecipientResult
from ticketattr.domain.report_status import ReportState, ReportStatus
from ticketattr.domain.run_history import (
    AlertKind,
    Command,
    Incident,
    PendingAlert,
    ReportFigures,
    RunHistory,
    RunRecord,
    cause_of,
    count_outcomes,
    count_slas,
    pending_alert,
    shortfalls,
    with_alert_sent,
    with_overlap,
    with_run,
)
from ticketattr.domain.ticket import AttributedTicket, Attribution, Outcome, Ticket, Unattributed
from ticketattr.domain.usage import Bill, Usage
from ticketattr.errors import InputError, MailServerError

from ..fakes import LAPTOP, MIDNIGHT, PASSWORD, a_message, a_report


def a_record(exit_code: int = 0, *causes: str, command: Command = "run", minute: float = 0, **more: Any) -> RunRecord:
    at = MIDNIGHT + timedelta(minutes=minute)
    return RunRecord(f"run {minute:g}", command, at, at, exit_code, causes, **more)


def alerted(history: RunHistory, record: RunRecord) -> tuple[RunHistory, AlertKind | None]:
    """What is known once the run was remembered and somebody told, and what he was told."""
    history = with_run(history, record)
    alert = pending_alert(history, record)
    return (with_alert_sent(history, alert), alert.kind) if alert else (history, None)


def all_told(*records: RunRecord) -> list[AlertKind | None]:
    history, kinds = RunHistory(), list[AlertKind | None]()
    for record in records:
        history, kind = alerted(history, record)
        kinds.append(kind)
    return kinds


FINE, DOWN, BROKEN = a_record(), a_record(4, "mail server"), a_record(3, "catalog")
PARTIAL, DOUBT = a_record(5, "tickets failed (quota)"), a_record(5, "reports in doubt")


@pytest.mark.parametrize(
    ("records", "kinds"),
    [
        ([FINE, FINE], [None, None]),
        ([DOWN, DOWN, DOWN, FINE, FINE], ["failure", None, None, "recovery", None]),
        ([DOWN, BROKEN, DOWN], ["failure", "failure", "failure"]),
        ([PARTIAL, PARTIAL, DOUBT, FINE], ["partial", None, "doubt", "recovery"]),
        ([PARTIAL, a_record(5, "tickets failed (blocked)"), FINE], ["partial", "partial", "recovery"]),
        ([DOWN, FINE, DOWN], ["failure", "recovery", "failure"]),
        # Ctrl-C is no news, and no recovery; a SIGTERM that nobody expected is.
        ([a_record(130), DOWN, a_record(130), FINE], [None, "failure", None, "recovery"]),
        ([a_record(143, "terminated"), a_record(143, "terminated")], ["failure", None]),
        # A `send` that went well says nothing of the helpdesk; the same trouble met by both is told once.
        ([DOWN, a_record(0, command="send"), FINE], ["failure", None, "recovery"]),
        ([a_record(4, "mail server", command="send"), DOWN, FINE], ["failure", None, "recovery"]),
        ([a_record(4, "mail server", command="send"), a_record(0, command="send")], ["failure", "recovery"]),
        ([a_record(4, "mail server", command="send"), FINE], ["failure", "recovery"]),
    ],
)
def test_a_person_is_told_once_and_again_when_it_is_over(
    records: list[RunRecord], kinds: list[AlertKind | None]
) -> None:
    assert all_told(*records) == kinds


def test_who_could_not_be_told_is_told_after_a_later_run_of_what_it_was() -> None:
    history = with_run(RunHistory(), DOWN)
    sending = a_record(0, command="send", minute=5)
    history = with_run(history, sending)
    alert = pending_alert(history, sending)
    assert alert
    assert (alert.kind, alert.record) == ("failure", DOWN)
    assert pending_alert(with_alert_sent(history, alert), sending) is None


def test_a_trouble_that_nobody_heard_of_ends_in_silence() -> None:
    assert pending_alert(with_run(with_run(RunHistory(), DOWN), FINE), FINE) is None


def test_the_third_run_in_a_row_that_gives_way_is_told_once_and_the_next_end_is_a_recovery() -> None:
    history, kinds = with_run(RunHistory(), FINE), list[AlertKind | None]()
    for _ in range(5):
        history = with_overlap(history)
        alert = pending_alert(history, FINE)
        kinds.append(alert.kind if alert else None)
        history = with_alert_sent(history, alert) if alert else history
    assert kinds == [None, None, "overlap", None, None]
    assert history.overlaps == 5
    assert history.last == {"run": FINE}, "what gives way touches nothing of the one at work"
    assert alerted(history, FINE)[1] == "recovery"


def test_giving_way_now_and_then_is_no_trouble() -> None:
    history = RunHistory()
    for _ in range(9):
        history = with_overlap(with_overlap(history))
        assert not history.incidents
        history = with_run(history, FINE)


@pytest.mark.parametrize(
    ("record", "standing"),
    [(a_record(0, command="send"), []), (DOWN, ["failure"]), (FINE, [])],
    ids=["a good send", "a failure", "a good run"],
)
def test_whatever_ends_by_itself_ends_the_trouble_that_nothing_does(record: RunRecord, standing: list[str]) -> None:
    history = with_overlap(with_overlap(with_overlap(RunHistory())))
    assert [incident.kind for incident in with_run(history, record).incidents.values()] == standing


def test_two_troubles_are_told_after_each_other_that_of_the_run_first_which_just_ended() -> None:
    sending = a_record(3, "log is damaged", command="send", minute=5)
    history = with_run(with_run(RunHistory(), DOWN), sending)
    alert = pending_alert(history, sending)
    assert alert
    assert (alert.kind, alert.record) == ("failure", sending)
    alert = pending_alert(with_alert_sent(history, alert), sending)
    assert alert
    assert (alert.kind, alert.record) == ("failure", DOWN)


def test_a_trouble_of_a_run_that_nobody_remembers_is_told_of_the_one_that_just_ended() -> None:
    incident = Incident("failure", ("mail server",))
    assert pending_alert(RunHistory(incidents={"send": incident}), FINE) == PendingAlert("failure", FINE, incident)


def test_a_recovery_is_told_of_the_run_that_went_well() -> None:
    history, _ = alerted(RunHistory(), DOWN)
    assert pending_alert(with_run(history, FINE), FINE) == PendingAlert("recovery", FINE)


def test_a_failed_run_keeps_the_time_of_the_last_success() -> None:
    history = with_run(with_run(RunHistory(), a_record(minute=1)), a_record(4, "x", minute=9))
    assert history.succeeded == {"run": MIDNIGHT + timedelta(minutes=1)}
    assert history.last["run"].exit_code == 4


def test_a_success_in_times_to_come_does_not_hide_that_nothing_succeeds_any_more() -> None:
    history = with_run(RunHistory(), a_record(minute=60 * 24 * 3650))
    for minute in (1, 2, 3):
        history = with_run(history, a_record(4, "x", minute=minute))
    assert history.succeeded == {"run": MIDNIGHT + timedelta(minutes=1)}


@given(st.lists(st.tuples(st.sampled_from([0, 1, 4, 5, 130]), st.floats(-1e6, 1e6), st.integers(0, 9)), max_size=8))
def test_counters_never_get_less_whatever_the_clock_does(runs: list[tuple[int, float, int]]) -> None:
    history = RunHistory()
    for exit_code, minute, number in runs:
        before = history.totals
        bill = Bill(Usage(calls=number), cost=None if number % 2 else 0.5)
        history = with_run(history, a_record(exit_code, minute=minute, tickets={"model": number}, bill=bill))
        after = history.totals
        assert sum(after.runs.values()) == sum(before.runs.values()) + 1
        assert after.tickets.get("model", 0) == before.tickets.get("model", 0) + number
        assert after.usage.calls == before.usage.calls + number
        assert after.cost == before.cost + (0.0 if number % 2 else 0.5)


def test_figures_are_those_of_run_and_of_send_where_nobody_runs_the_whole_chain() -> None:
    sent = with_run(RunHistory(), a_record(0, command="send"))
    assert (RunHistory().main, sent.main, with_run(sent, DOWN).main) == (None, "send", "run")


def ticket(outcome: Outcome) -> AttributedTicket:
    return AttributedTicket(Ticket("1", "x"), outcome)


def test_tickets_are_counted_by_who_decided_and_by_sla() -> None:
    tickets = [
        ticket(Attribution(PASSWORD, "model")),
        ticket(Attribution(LAPTOP, "model")),
        ticket(Attribution(LAPTOP, "kept")),
        ticket(Unattributed("no_match")),
        ticket(Unattributed("quota")),
        ticket(Unattributed("service_error")),
    ]
    assert count_outcomes(tickets) == {"model": 2, "kept": 1, "no_match": 1, "failed": 2}
    assert count_slas(tickets) == {"4 hours": 1, "3 days": 2}


def test_what_is_done_in_part_says_why_and_not_how_often() -> None:
    states: tuple[ReportState, ...] = ("failed", "in_doubt", "held", "damaged", "failed")
    left = [ReportStatus(a_report(), state) for state in states]
    tickets = [ticket(Unattributed("quota")), ticket(Unattributed("quota")), ticket(Unattributed("no_match"))]
    results = (RecipientResult("a@example.com", "refused", "550"), RecipientResult("b@example.com", "sent"))
    deliveries = [Delivery(a_message(), "sent", MIDNIGHT, results=results)]
    assert shortfalls(tickets, deliveries, left) == (
        "tickets failed (quota)",
        "reports damaged",
        "reports failed",
        "reports in doubt",
        "recipients refused",
    )
    taken = [Delivery(a_message(), "sent", MIDNIGHT, results=results[1:])]
    assert shortfalls([ticket(Unattributed("no_match"))], taken, []) == ()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("in_doubt", "reports in doubt"),
        ("held", "reports in doubt"),
        ("sent", "recipients put off"),
        ("pending", "reports pending"),
    ],
)
def test_a_report_that_did_not_reach_everybody_says_how(state: ReportState, said: str) -> None:
    assert shortfalls([], [], [ReportStatus(a_report(), state)]) == (said,)


def test_a_cause_is_told_without_what_varies() -> None:
    assert (
        cause_of(InputError("line 3 of work/20261123T150301Z-7f3a/x.json is wrong"))
        == "line # of work/#/x.json is wrong"
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (MailServerError("the mail server a:25 did not answer: timed out"),
         MailServerError("the mail server a:25 did not answer: refused"), True),
        (MailServerError("the mail server did not answer: TLS: too old"),
         MailServerError("the mail server did not answer: TLS: unknown: certificate"), True),
        (MailServerError("the mail server refused the session: 421"),
         MailServerError("the mail server did not answer: timed out"), False),
        (MailServerError("the mail server refused the session: 421"), MailServerError("the disk is full"), False),
        (InputError("work/20261123T150301Z-7f3a/tickets.json is damaged"),
         InputError("work/20261124T150301Z-0000/tickets.json is damaged"), True),
        (InputError("report 2 and 3 more reports are over a day old"),
         InputError("report 9 and 12 more reports are over a day old"), True),
        (InputError("the catalog: line 3: no name"), InputError("the catalog: line 3: no SLA"), False),
    ],
)  # fmt: skip
def test_two_tellings_of_one_trouble_are_the_same(
    one: MailServerError | InputError, other: MailServerError | InputError, same: bool
) -> None:
    assert (cause_of(one) == cause_of(other)) is same


def test_an_alert_is_short_and_says_what_happened_in_figures_and_what_to_do() -> None:
    record = a_record(
        4, "x", reason="the mail server did not answer", hint="Try again later.",
        tickets={"model": 3, "failed": 1}, by_sla={"4 hours": 3}, bill=Bill(Usage(calls=2), cost=0.0123),
    )  # fmt: skip
    figures = ReportFigures(delivered=9, recipients=9, sent=1, pending=2, in_doubt=1)
    alert = alert_text(PendingAlert("failure", record), figures, "desk-1")
    assert alert.title == "ticketattr on desk-1: run failed (exit 4)"
    assert alert.text.splitlines() == [
        "the mail server did not answer",
        "run run 0",
        "tickets: 3 attributed, 1 failed",
        "reports: 1 sent, 2 pending, 1 in doubt",
        "cost 0.0123 USD",
        "hint: Try again later.",
    ]


def test_what_is_not_known_is_not_made_up() -> None:
    record = a_record(5, "x", tickets={"model": 3}, by_sla={"4 hours": 3}, bill=Bill(Usage(calls=2), cost=None))
    assert alert_text(PendingAlert("partial", record), None, "h").text.splitlines() == [
        "run run 0",
        "tickets: 3 attributed, 0 failed",
        "cost unknown",
    ]


def test_an_overlap_says_nothing_of_a_run_that_never_worked() -> None:
    record = a_record(4, reason="another ticketattr is at work", hint="Try again later.")
    alert = alert_text(PendingAlert("overlap", record), ReportFigures(9, 9, 1, 2, 1), "h")
    assert (alert.kind, alert.title) == ("overlap", "ticketattr on h: 3 runs in a row found another one at work")
    assert alert.text.splitlines() == ["another ticketattr is at work", "run run 0", "hint: Try again later."]


@pytest.mark.parametrize(("reason", "alerted"), [("x" * 300, "x" * 300), ("x" * 301, "x" * 299 + "…")], ids=len)
def test_a_reason_takes_300_characters_at_most(reason: str, alerted: str) -> None:
    assert alert_text(PendingAlert("failure", a_record(3, reason=reason)), None, "h").text.splitlines()[0] == alerted


def test_a_recovery_does_not_repeat_what_was_wrong() -> None:
    alert = alert_text(PendingAlert("recovery", a_record(reason="old", hint="old")), None, "desk-1")
    assert alert.title == "ticketattr on desk-1: run works again"
    assert "old" not in alert.text
