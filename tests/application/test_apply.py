"""Planning and bounding of changes, over a helpdesk on loopback."""

from __future__ import annotations

import threading
import time
from itertools import count
from pathlib import Path

import pytest

from ticketattr.application.apply import Applied, WriteBack, apply_attributions, duration_words, plan_run, seconds_for
from ticketattr.infrastructure.applied_db import SQLiteChangeLedger
from ticketattr.infrastructure.helpdesk.profile_writer import ProfileWriter
from ticketattr.infrastructure.helpdesk.profile_yaml import parse_profile
from ticketattr.infrastructure.options import HelpdeskAccess, HTTPPolicy

from ..changing_desk import PROFILE, RUN, ChangingDesk, Held, attributed
from ..fakes import CATALOG, PASSWORD, ticking_clock
from ..servers import HTTPServer


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


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (59, "59 s"), (61, "2 min"), (600_000, "10,000 min")])
def test_a_duration_is_rounded_up(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
