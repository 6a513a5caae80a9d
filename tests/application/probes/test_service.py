"""The services of several hosts, as a check sees them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ticketattr.application.check import CheckResult
from ticketattr.application.probes.service import probe_hosts
from ticketattr.domain.service_run import HostSeen

from ...fakes import MIDNIGHT


@pytest.mark.parametrize(
    ("leader", "words"),
    [("desk-1", "desk-1 leads: schedule and chat"), ("", "none works with this database")],
)
def test_the_host_that_leads_is_named(leader: str, words: str) -> None:
    assert list(probe_hosts(leader, [], MIDNIGHT)) == [CheckResult("service", words)]


def test_only_hosts_that_were_seen_within_five_minutes_are_named() -> None:
    seen = MIDNIGHT - timedelta(minutes=5)
    hosts = [HostSeen("desk-1", seen, seen), HostSeen("desk-2", seen - timedelta(seconds=1), seen)]
    assert list(probe_hosts("desk-1", hosts, MIDNIGHT))[1:] == [
        CheckResult("service", "desk-1 was seen at 2026-11-22 23:55:00 UTC")
    ]
