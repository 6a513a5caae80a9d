"""The history of runs: records, totals and open incidents."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketattr.domain.delivery import Delivery, RecipientResult
from ticketattr.domain.report_status import ReportState, ReportStatus
from ticketattr.domain.run_history import (
    Incident,
    RunHistory,
    RunRecord,
    change_reasons,
    count_outcomes,
    count_slas,
    failure_reason,
    partial_reasons,
    with_overlap,
    with_run,
)
from ticketattr.domain.ticket import AttributedTicket, Attribution, Outcome, Reason, Ticket, Unattributed
from ticketattr.domain.usage import Bill, Usage
from ticketattr.errors import InputError, MailServerError

from ..fakes import LAPTOP, MIDNIGHT, PASSWORD, a_message, a_report, a_run_record

FINE, DOWN = a_run_record(), a_run_record(4, "mail server")


def test_single_overlaps_open_no_incident() -> None:
    history = RunHistory()
    for _ in range(9):
        history = with_overlap(with_overlap(history))
        assert not history.open_incidents
        history = with_run(history, FINE)


@pytest.mark.parametrize(
    ("record", "open_incidents"),
    [(a_run_record(0, command="send"), []), (DOWN, ["failure"]), (FINE, [])],
    ids=["send succeeded", "run failed", "run succeeded"],
)
def test_any_recorded_run_closes_the_incident_of_overlaps(record: RunRecord, open_incidents: list[str]) -> None:
    history = with_overlap(with_overlap(with_overlap(RunHistory())))
    assert [incident.kind for incident in with_run(history, record).open_incidents.values()] == open_incidents


def test_a_failed_run_keeps_the_time_of_the_last_success() -> None:
    history = with_run(with_run(RunHistory(), a_run_record(minute=1)), a_run_record(4, "x", minute=9))
    assert history.last_success == {"run": MIDNIGHT + timedelta(minutes=1)}
    assert history.last_run["run"].exit_code == 4


def test_a_success_in_the_future_does_not_hide_that_no_run_succeeds_any_more() -> None:
    history = with_run(RunHistory(), a_run_record(minute=60 * 24 * 3650))
    for minute in (1, 2, 3):
        history = with_run(history, a_run_record(4, "x", minute=minute))
    assert history.last_success == {"run": MIDNIGHT + timedelta(minutes=1)}


@given(st.lists(st.tuples(st.sampled_from([0, 1, 4, 5, 130]), st.floats(-1e6, 1e6), st.integers(0, 9)), max_size=8))
def test_totals_never_decrease_even_if_the_clock_goes_back(runs: list[tuple[int, float, int]]) -> None:
    history = RunHistory()
    for exit_code, minute, number in runs:
        before = history.totals
        bill = Bill(Usage(calls=number), cost=None if number % 2 else 0.5)
        history = with_run(history, a_run_record(exit_code, minute=minute, tickets={"model": number}, bill=bill))
        after = history.totals
        assert sum(after.runs.values()) == sum(before.runs.values()) + 1
        assert after.tickets.get("model", 0) == before.tickets.get("model", 0) + number
        assert after.usage.calls == before.usage.calls + number
        assert after.cost == before.cost + (0.0 if number % 2 else 0.5)


def test_the_main_command_is_run_or_send_if_run_was_never_used() -> None:
    sent = with_run(RunHistory(), a_run_record(0, command="send"))
    assert (RunHistory().main_command, sent.main_command, with_run(sent, DOWN).main_command) == (None, "send", "run")


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
    assert count_outcomes([ticket(Unattributed("pending"))]) == {"pending": 1}
    assert count_slas(tickets) == {"4 hours": 1, "3 days": 2}


def test_partial_reasons_name_each_reason_once() -> None:
    states: tuple[ReportState, ...] = ("failed", "in_doubt", "held", "damaged", "failed")
    left = [ReportStatus(a_report(), state) for state in states]
    reasons: tuple[Reason, ...] = ("quota", "quota", "no_match", "pending", "blocked")
    tickets = [ticket(Unattributed(reason)) for reason in reasons]
    results = (RecipientResult("a@example.com", "refused", "550"), RecipientResult("b@example.com", "sent"))
    deliveries = [Delivery(a_message(), "sent", MIDNIGHT, results=results)]
    changes = ["changes in the helpdesk refused"]
    assert partial_reasons(tickets, deliveries, left, refused_workbooks=1, changes=changes) == (
        "tickets failed (blocked)",
        "tickets failed (quota)",
        "tickets pending in a batch job",
        "reports damaged",
        "reports failed",
        "reports in doubt",
        "recipients refused",
        "workbooks with corrections refused",
        "changes in the helpdesk refused",
    )
    taken = [Delivery(a_message(), "sent", MIDNIGHT, results=results[1:])]
    assert partial_reasons([ticket(Unattributed("no_match"))], taken, []) == ()


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("in_doubt", "reports in doubt"),
        ("held", "reports in doubt"),
        ("sent", "recipients deferred"),
        ("pending", "reports pending"),
    ],
)
def test_a_pending_report_is_a_partial_reason_by_its_state(state: ReportState, reason: str) -> None:
    assert partial_reasons([], [], [ReportStatus(a_report(), state)]) == (reason,)


def test_a_failure_reason_omits_numbers_and_ids() -> None:
    assert (
        failure_reason(InputError("line 3 of work/20261123T150301Z-7f3a/x.json is wrong"))
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
def test_two_errors_with_the_same_cause_have_the_same_failure_reason(
    one: MailServerError | InputError, other: MailServerError | InputError, same: bool
) -> None:
    assert (failure_reason(one) == failure_reason(other)) is same


@pytest.mark.parametrize(
    ("counts", "left", "stopped", "reasons"),
    [
        ({"fill applied": 3, "shadow applied": 1}, 0, "", ()),
        ({"fill refused": 2, "fill applied": 2}, 0, "", ("changes refused",)),
        ({"fill refused": 2, "suggest refused": 1, "fill applied": 2}, 0, "", ("most changes refused",)),
        ({"fill in_doubt": 1, "fill applied": 2}, 0, "", ("changes in doubt",)),
        ({}, 1, "", ("changes left for the next run",)),
        (
            *({"fill in_doubt": 1, "undo refused": 1}, 2, "the helpdesk did not answer"),
            (
                *("changes refused", "changes in doubt", "changes left for the next run"),
                "write-back stopped (the helpdesk did not answer)",
            ),
        ),
    ],
)
def test_the_reasons_say_why_writing_was_done_in_part(
    counts: dict[str, int], left: int, stopped: str, reasons: tuple[str, ...]
) -> None:
    assert change_reasons(counts, left=left, stopped=stopped) == reasons


@pytest.mark.parametrize(
    ("record", "incident"),
    [
        (a_run_record(0), None),
        (a_run_record(130, "interrupted"), None),
        (a_run_record(4, "mail server"), Incident("failure", ("exit 4", "mail server"))),
        (a_run_record(5, "changes refused"), Incident("partial", ("changes refused",))),
        (a_run_record(5, "most changes refused", "x"), Incident("refused", ("most changes refused", "x"))),
        (a_run_record(5, "reports in doubt"), Incident("doubt", ("reports in doubt",))),
        (
            a_run_record(5, "most changes refused", "reports in doubt"),
            Incident("doubt", ("most changes refused", "reports in doubt")),
        ),
    ],
)
def test_a_run_opens_an_incident_of_its_kind(record: RunRecord, incident: Incident | None) -> None:
    history = with_run(RunHistory(), record)
    assert history.open_incidents == ({"run": incident} if incident else {})


def test_a_run_that_succeeds_closes_all_incidents_and_sending_only_its_own() -> None:
    history = with_run(with_run(RunHistory(), DOWN), a_run_record(4, "x", command="send"))
    assert list(history.open_incidents) == ["run", "send"]
    assert list(with_run(history, a_run_record(0, command="send")).open_incidents) == ["run"]
    assert list(with_run(history, DOWN).open_incidents) == ["run", "send"]
    assert with_run(history, FINE).open_incidents == {}


def test_totals_add_up_runs_and_changes() -> None:
    history = with_run(RunHistory(), a_run_record(0, changes={"fill applied": 2}))
    history = with_run(history, a_run_record(5, "x", changes={"fill applied": 1, "fill refused": 1}))
    assert history.totals.runs == {"done": 1, "partial": 1}
    assert history.totals.changes == {"fill applied": 3, "fill refused": 1}


def test_the_third_overlap_in_a_row_opens_an_incident() -> None:
    twice = with_overlap(with_overlap(RunHistory()))
    assert (twice.overlaps, twice.open_incidents) == (2, {})
    thrice = with_overlap(with_run(RunHistory(), DOWN))
    for _ in range(2):
        thrice = with_overlap(thrice)
    assert thrice.overlaps == 3
    assert thrice.open_incidents == {
        "run": Incident("failure", ("exit 4", "mail server")),
        "overlap": Incident("overlap"),
    }
