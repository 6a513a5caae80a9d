"""Planning and bounding of changes, over a helpdesk on loopback."""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from ticketattr.application.apply import (
    Applied,
    NotPutBack,
    Undone,
    WriteBack,
    apply_attributions,
    changes_of,
    duration_words,
    plan_run,
    recorded_run,
    seconds_for,
    undo_run,
)
from ticketattr.application.ports import AppliedRun, WriteResult
from ticketattr.domain.ticket import Attribution
from ticketattr.domain.write_back import Change, ChangeMode, ChangePlan, ChangeState
from ticketattr.errors import ServiceError, SettingsError
from ticketattr.infrastructure.helpdesk.applied_db import SQLiteChangeLedger
from ticketattr.infrastructure.helpdesk.profile_writer import ProfileWriter
from ticketattr.infrastructure.helpdesk.profile_yaml import parse_profile
from ticketattr.infrastructure.options import HelpdeskAccess, HTTPPolicy

from ..changing_desk import PROFILE, RUN, ChangingDesk, Held, attributed
from ..fakes import CATALOG, LAPTOP, MIDNIGHT, PASSWORD, FakeChangeLedger, ticking_clock
from ..servers import HTTPServer
from .test_ticket_change import ScriptedDesk


def write_back(folder: Path, url: str, *, limits: str = "", seconds: float | None = None) -> WriteBack:
    profile = parse_profile((PROFILE + limits).encode(), "desk.yaml")
    assert profile.update
    ticks = count(step=100)
    return WriteBack(
        writer=ProfileWriter(profile, profile.update, HelpdeskAccess(url, "key", "secret"), HTTPPolicy()),
        ledger=SQLiteChangeLedger(folder / "applied.db"),
        clock=ticking_clock(),
        mode="fill",
        location=url,
        seconds=seconds,
        timer=lambda: float(next(ticks)),
    )


def test_ten_thousand_changes_are_planned_at_once_and_the_plan_says_how_long_they_take(tmp_path: Path) -> None:
    back = write_back(tmp_path, "http://desk.example.com", limits="limits: {requests_per_minute: 300}\n")
    tickets = [attributed(str(number)) for number in range(10_000)]
    began = time.process_time()
    plan = plan_run(tickets, CATALOG, back)
    assert len(plan.changes) == 10_000
    assert time.process_time() - began < 5
    # Reading, setting, reading back, and the note: the profile finds earlier notes in the ticket itself.
    assert duration_words(seconds_for(len(plan.changes), back)) == "134 min"


def test_what_does_not_fit_into_the_time_of_a_run_is_left_for_the_next(tmp_path: Path, http: HTTPServer) -> None:
    desk = ChangingDesk(http, {str(number): Held() for number in range(6)})
    tickets = [attributed(each) for each in desk.tickets]
    back = write_back(tmp_path, http.url, seconds=350.0)
    first = apply_attributions(RUN, tickets, CATALOG, back, lambda done, total: None)
    assert (len(first.changes), first.left) == (3, 3)
    second = apply_attributions(RUN, tickets, CATALOG, back, lambda done, total: None)
    assert (len(second.changes), second.left) == (3, 0)
    assert [held.writes for held in desk.tickets.values()] == [1] * 6


def test_two_hosts_at_once_write_each_ticket_and_each_note_once(tmp_path: Path, http: HTTPServer) -> None:
    desk = ChangingDesk(http, {str(number): Held() for number in range(12)})
    tickets = [attributed(each) for each in desk.tickets]
    results: list[Applied] = []

    def apply(host: str) -> None:
        (tmp_path / host).mkdir()
        back = write_back(tmp_path / host, http.url)
        results.append(apply_attributions(RUN, tickets, CATALOG, back, lambda done, total: None))

    hosts = [threading.Thread(target=apply, args=(name,)) for name in ("one", "other")]
    for host in hosts:
        host.start()
    for host in hosts:
        host.join()
    assert [(held.writes, len(held.notes), held.pair) for held in desk.tickets.values()] == [(1, 1, PASSWORD.pair)] * 12
    changes = [change for result in results for change in result.changes]
    assert sum(change.state == "applied" for change in changes) == 12
    assert {change.state for change in changes} <= {"applied", "kept", "conflict"}


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (59, "59 s"), (60, "1 min"), (61, "2 min"), (600_000, "10,000 min")]
)
def test_a_duration_is_rounded_up(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


def in_memory(desk: ScriptedDesk | None, mode: ChangeMode = "fill") -> WriteBack:
    return WriteBack(desk, FakeChangeLedger(), ticking_clock(), mode, "https://desk.example.com")


def apply_in_memory(back: WriteBack, count: int, at_most: int | None = None) -> Applied:
    tickets = [attributed(str(number)) for number in range(count)]
    return apply_attributions(RUN, tickets, CATALOG, back, lambda done, total: None, at_most=at_most)


@pytest.mark.parametrize(
    ("count", "at_most", "limit", "said"),
    [
        (1, None, None, "1 change due; 0 tickets left as they are"),
        (3, 3, None, "3 changes due; 0 tickets left as they are"),
        (3, 2, None, "3 changes due, 2 of them now; 0 tickets left as they are"),
        (
            3,
            2,
            60,
            "3 changes due, 2 of them now, at least 2 s by the limit of the helpdesk; 0 tickets left as they are",
        ),
    ],
)
def test_the_plan_is_told_before_the_first_request(
    count: int, at_most: int | None, limit: int | None, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    desk = ScriptedDesk([PASSWORD.pair], requests_per_minute=limit)
    applied = apply_in_memory(in_memory(desk), count, at_most)
    done = count if at_most is None else at_most
    assert (len(applied.changes), applied.left, applied.stopped) == (done, count - done, None)
    assert caplog.messages == [said]


@pytest.mark.parametrize(("count", "changes"), [(24, 24), (25, 25), (26, 25)])
def test_after_25_refusals_in_a_row_the_rest_is_left(count: int, changes: int) -> None:
    applied = apply_in_memory(in_memory(ScriptedDesk([("", "")], [WriteResult("refused", "422: no rights")])), count)
    assert (len(applied.changes), applied.left) == (changes, count - changes)
    if count < 25:
        assert applied.stopped is None
        return
    assert isinstance(applied.stopped, ServiceError)
    assert str(applied.stopped) == "the helpdesk refused 25 changes in a row, the last one with: 422: no rights"
    assert applied.stopped.hint == (
        "Check the rights of its user and the values of its fields, then run `ticketattr apply` again."
    )


def test_a_change_that_is_made_ends_the_row_of_refusals() -> None:
    refused, done = WriteResult("refused", "422"), WriteResult("done", "200")
    desk = ScriptedDesk([("", "")], [*[refused] * 24, done, *[refused] * 24], can_note=False)
    desk.reads = [*[("", "")] * 25, PASSWORD.pair, ("", "")]
    applied = apply_in_memory(in_memory(desk), 49)
    assert ([change.state for change in applied.changes].count("refused"), applied.stopped) == (48, None)


def test_an_error_about_all_tickets_ends_the_work_and_is_in_the_result() -> None:
    down = ServiceError("the helpdesk is down")
    applied = apply_in_memory(in_memory(ScriptedDesk([("", "")], [down])), 3)
    assert ([change.state for change in applied.changes], applied.left, applied.stopped) == (["refused"], 2, down)


def test_the_shadow_records_what_would_be_set_and_asks_nothing() -> None:
    back = in_memory(None, "shadow")
    applied = apply_in_memory(back, 2, at_most=1)
    at = MIDNIGHT + timedelta(seconds=2)  # the first tick is that of the lock
    (change,) = back.ledger.changes()
    found = attributed("0").outcome
    assert isinstance(found, Attribution)
    assert change == Change(
        *("https://desk.example.com", RUN, "0", "shadow", ("", ""), PASSWORD.pair, "applied", at, at),
        confidence=found.confidence,
        source=found.source,
        number=1,
    )
    assert applied == Applied("shadow", (change,), left=1)


def test_the_ledger_is_locked_from_now_on_and_waited_for_as_long_as_is_said() -> None:
    class Locked(FakeChangeLedger):
        def lock(self, at: datetime, *, wait: float = 0.0) -> AbstractContextManager[datetime]:
            locks.append((at, wait))
            return super().lock(at, wait=wait)

    locks: list[tuple[datetime, float]] = []
    back = replace(in_memory(ScriptedDesk([("", "")])), ledger=Locked(), clock=lambda: MIDNIGHT)
    apply_attributions(RUN, [], CATALOG, back, lambda done, total: None, wait=3.0)
    undo_run(RUN, back, lambda done, total: None, wait=7.0)
    apply_in_memory(back, 0)
    undo_run(RUN, back, lambda done, total: None)
    assert locks == [(MIDNIGHT, wait) for wait in (3.0, 7.0, 0.0, 0.0)]


def test_the_progress_counts_the_changes_that_are_due() -> None:
    steps: list[tuple[int, int]] = []
    back = in_memory(ScriptedDesk([PASSWORD.pair]))
    tickets = [attributed(str(number)) for number in range(3)]
    apply_attributions(RUN, tickets, CATALOG, back, lambda *step: steps.append(step), at_most=2)
    assert steps == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.parametrize(("seconds", "changes"), [(0.0, 0), (99.0, 0), (100.0, 0), (101.0, 1), (200.0, 1), (201.0, 2)])
def test_no_change_begins_once_the_time_is_up(seconds: float, changes: int) -> None:
    ticks = count(step=100)  # one when it begins, and one before each change
    back = replace(in_memory(ScriptedDesk([PASSWORD.pair])), seconds=seconds, timer=lambda: float(next(ticks)))
    applied = apply_in_memory(back, 3)
    assert (len(applied.changes), applied.left, applied.stopped) == (changes, 3 - changes, None)


def test_an_error_while_open_changes_are_settled_ends_the_work_before_anything_is_planned() -> None:
    down = ServiceError("the helpdesk is down")
    back = in_memory(ScriptedDesk([("", ""), down]))
    at = MIDNIGHT
    open_change, other = (
        back.ledger.add(Change(back.location, RUN, ticket, "fill", ("", ""), PASSWORD.pair, "applying", at, at))
        for ticket in ("8", "9")
    )
    applied = apply_in_memory(back, 1)
    settled = replace(open_change, state="refused", detail="not written before the process ended")
    assert [replace(change, changed=at) for change in applied.settled] == [settled]
    assert applied == Applied("fill", settled=applied.settled, stopped=applied.stopped)
    assert back.ledger.changes()[1] == other


def test_an_error_while_a_run_is_put_back_ends_the_work_and_is_in_the_result() -> None:
    down = ServiceError("the helpdesk is down")
    back = in_memory(ScriptedDesk([PASSWORD.pair, ("", ""), down]))
    at = MIDNIGHT
    for ticket in "123":
        back.ledger.add(Change(back.location, RUN, ticket, "fill", ("", ""), PASSWORD.pair, "applied", at, at))
    undone = undo_run(RUN, back, lambda done, total: None)
    assert ([change.state for change in undone.changes], undone.left, undone.stopped) == (["applied"], 2, down)
    assert undone.kept == ()


NO_WRITING = "Choose another mode (HELPDESK_WRITE), or a profile with `update` (docs/how-to/write-back.md)."


@pytest.mark.parametrize(
    ("mode", "desk", "refusal"),
    [
        ("fill", None, "this helpdesk cannot set fields: its profile does not say how"),
        ("fill", ScriptedDesk([None], can_fill=False), "this helpdesk cannot set fields: its profile does not say how"),
        ("suggest", None, "this helpdesk cannot add internal notes: its profile does not say how"),
        (
            *("suggest", ScriptedDesk([None], can_note=False)),
            "this helpdesk cannot add internal notes: its profile does not say how",
        ),
        ("fill", ScriptedDesk([None], can_note=False), ""),
        ("suggest", ScriptedDesk([None], can_fill=False), ""),
        ("shadow", None, ""),
    ],
)
def test_a_mode_that_the_helpdesk_cannot_do_is_a_wrong_setting(
    mode: ChangeMode, desk: ScriptedDesk | None, refusal: str
) -> None:
    if not refusal:
        assert plan_run([], CATALOG, in_memory(desk, mode)) == ChangePlan((), ())
        return
    with pytest.raises(SettingsError) as caught:
        plan_run([], CATALOG, in_memory(desk, mode))
    assert (str(caught.value), caught.value.hint) == (refusal, NO_WRITING)


def test_changes_of_another_helpdesk_do_not_count() -> None:
    back = in_memory(ScriptedDesk([("", ""), PASSWORD.pair], can_note=False))
    (made,) = apply_in_memory(back, 1).changes
    elsewhere = back.ledger.add(replace(made, helpdesk="https://other.example.com"))
    assert back.ledger.changes() == [made, elsewhere]
    assert changes_of(back) == [made]
    assert recorded_run(RUN, Applied("fill"), back) == AppliedRun((made,), ())
    assert recorded_run("another run", Applied("fill"), back) == AppliedRun((), ())


def test_a_run_is_put_back_where_it_can_be_and_the_rest_is_told() -> None:
    back = in_memory(ScriptedDesk([PASSWORD.pair, ("", ""), LAPTOP.pair]))
    at = MIDNIGHT

    def made(ticket: str, mode: ChangeMode, state: ChangeState, run: str = RUN) -> Change:
        return back.ledger.add(Change(back.location, run, ticket, mode, ("", ""), PASSWORD.pair, state, at, at))

    first, second = made("1", "fill", "applied"), made("2", "fill", "applied")
    noted, doubt = made("3", "suggest", "applied"), made("4", "fill", "in_doubt")
    for mode, state, run in (("suggest", "refused", RUN), ("fill", "refused", RUN), ("fill", "applied", "other")):
        made("5", mode, state, run)  # type: ignore[arg-type]
    steps: list[tuple[int, int]] = []
    undone = undo_run(RUN, back, lambda done, total: steps.append((done, total)))
    done, kept = undone.changes
    assert [(one.undoes, one.state, one.before, one.after) for one in (done, kept)] == [
        (first.number, "applied", PASSWORD.pair, ("", "")),
        (second.number, "kept", PASSWORD.pair, ("", "")),
    ]
    assert undone == Undone(
        (done, kept),
        (
            NotPutBack(noted, "a note cannot be taken back"),
            NotPutBack(doubt, "nobody knows yet whether it was written; `ticketattr apply` finds out"),
            NotPutBack(kept, "somebody changed it since: Hardware / Laptop Repair"),
        ),
    )
    assert steps == [(0, 2), (1, 2), (2, 2)]
    assert undo_run(RUN, back, lambda done, total: None, only=noted.number) == Undone(
        (), (NotPutBack(noted, "a note cannot be taken back"),)
    )
