"""Only changes are asked for, and the queue stays whole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ticketattr.infrastructure.helpdesk.incremental import IncrementalHelpdesk, stable_repr
from ticketattr.infrastructure.helpdesk.profile_helpdesk import ProfileHelpdesk
from ticketattr.infrastructure.helpdesk.profile_yaml import parse_profile
from ticketattr.infrastructure.helpdesk.shipped_profiles import read_profile
from ticketattr.infrastructure.options import HelpdeskAccess, HTTPPolicy

from ...servers import HTTPServer, Response

NOW = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)
PROFILE = """\
name: Desk
verified: documentation
tickets:
  request: {path: /tickets}
  filters: {open: {state: open}, since: {changed: "${since}"}}
  items: "@"
  open: state != 'closed'
  keep: [open]
  fields: {id: id, short_description: title}
"""

Fetch = Callable[..., list[tuple[str, str]]]


def ticket(number: int, title: str = "", state: str = "open") -> dict[str, Any]:
    return {"id": number, "title": title or f"ticket {number}", "state": state}


@pytest.fixture
def fetch(http: HTTPServer, tmp_path: Path) -> Fetch:
    def fetch(answer: list[dict[str, Any]], *, after: timedelta, profile: str = PROFILE) -> list[tuple[str, str]]:
        http.routes["/tickets"] = [Response(body=answer)]
        read = parse_profile(profile.encode(), "desk.yaml")
        helpdesk = ProfileHelpdesk(read, HelpdeskAccess(http.url), HTTPPolicy(max_retries=0), read.tickets.keep)
        source = IncrementalHelpdesk(helpdesk, tmp_path / "queue.json", lambda: NOW + after)
        return [(each.id, each.short_description) for each in source.fetch_tickets()]

    return fetch


def asked(http: HTTPServer) -> dict[str, str]:
    query = parse_qs(urlsplit(http.requests[-1].path).query)
    return {name: values[0] for name, values in query.items()}


def test_changes_are_joined_with_the_queue_of_the_last_fetch(fetch: Fetch, http: HTTPServer) -> None:
    fetch([ticket(1), ticket(2), ticket(3)], after=timedelta(0))
    assert asked(http) == {"state": "open"}
    changed = [ticket(2, "other"), ticket(3, state="closed"), ticket(4), ticket(5, state="closed")]
    assert fetch(changed, after=timedelta(hours=1)) == [("1", "ticket 1"), ("2", "other"), ("4", "ticket 4")]
    # From a day before the last fetch, and closed ones, too.
    assert asked(http) == {"changed": "2026-11-19T08:00:00Z"}
    assert len(fetch([], after=timedelta(hours=2))) == 3
    assert asked(http) == {"changed": "2026-11-19T09:00:00Z"}


@pytest.mark.parametrize("after", [timedelta(days=1), timedelta(hours=-1)], ids=["a day later", "the clock was set"])
def test_the_whole_queue_is_read_now_and_then(fetch: Fetch, http: HTTPServer, after: timedelta) -> None:
    fetch([ticket(1), ticket(2)], after=timedelta(0))
    assert fetch([ticket(2)], after=after) == [("2", "ticket 2")]
    assert asked(http) == {"state": "open"}


def test_another_profile_reads_the_whole_queue(fetch: Fetch, http: HTTPServer) -> None:
    fetch([ticket(1)], after=timedelta(0))
    assert fetch([ticket(2)], after=timedelta(hours=1), profile=PROFILE.replace("name: Desk", "name: Other")) == [
        ("2", "ticket 2")
    ]


def test_a_damaged_file_reads_the_whole_queue(fetch: Fetch, tmp_path: Path) -> None:
    fetch([ticket(1)], after=timedelta(0))
    (tmp_path / "queue.json").write_text("{", encoding="utf-8")
    assert fetch([ticket(2)], after=timedelta(hours=1)) == [("2", "ticket 2")]


def test_a_profile_that_cannot_ask_for_changes_reads_the_whole_queue(fetch: Fetch, http: HTTPServer) -> None:
    profile = PROFILE.replace(', since: {changed: "${since}"}', "")
    fetch([ticket(1)], after=timedelta(0), profile=profile)
    assert fetch([ticket(2)], after=timedelta(hours=1), profile=profile) == [("2", "ticket 2")]


@pytest.mark.thorough
def test_a_profile_is_the_same_in_every_process() -> None:
    program = (
        "from ticketattr.infrastructure.helpdesk.incremental import stable_repr\n"
        "from ticketattr.infrastructure.helpdesk.shipped_profiles import read_profile\n"
        "print(*map(stable_repr, map(read_profile, ('rt', 'znuny', 'zendesk'))))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    command = [sys.executable, "-c", program]
    shown = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.rstrip("\n")
    assert shown == " ".join(map(stable_repr, map(read_profile, ("rt", "znuny", "zendesk"))))
    assert " object at " not in shown
