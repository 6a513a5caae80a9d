"""Checks of the services of several hosts: which of them leads, and which work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ...domain.service_run import HostSeen
from ..check import CheckResult
from ..service.runs import GONE


def probe_hosts(leader: str, hosts: Sequence[HostSeen], now: datetime) -> Iterator[CheckResult]:
    """Who looks after schedule and chat, and which services were seen lately. `leader` is empty if none works."""
    yield CheckResult("service", f"{leader} leads: schedule and chat" if leader else "none works with this database")
    for host in hosts:
        if now - host.seen <= GONE:
            yield CheckResult("service", f"{host.name} was seen at {host.seen:%Y-%m-%d %H:%M:%S} UTC")
