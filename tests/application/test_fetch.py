"""What a fetch makes of times and texts that other programs wrote."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from ticketattr.application.fetch import fetch_tickets
from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.ticket import Ticket
from ticketattr.domain.times import DEFAULT_STYLE, TimeStyle

from ..fakes import CATALOG


class Sources:
    def __init__(self, *tickets: Ticket) -> None:
        self.tickets = list(tickets)

    def fetch_tickets(self) -> list[Ticket]:
        return self.tickets

    def fetch_catalog(self) -> ServiceCatalog:
        return CATALOG


def created(*times: str, style: TimeStyle = DEFAULT_STYLE) -> list[str]:
    sources = Sources(*(Ticket(str(place), "x", created_at=time) for place, time in enumerate(times, start=1)))
    return [ticket.created_at for ticket in fetch_tickets(sources, sources, style).tickets]


def test_times_are_in_iso_8601_after_a_fetch(caplog: pytest.LogCaptureFixture) -> None:
    assert created("20261120103000Z", "1712101530123", "Fri, 20 Nov 2026 10:30:00 +0100", "") == [
        "2026-11-20T10:30:00Z",
        "2024-04-02T23:45:30.123000Z",
        "2026-11-20T10:30:00+01:00",
        "",
    ]
    assert not caplog.records


def test_times_that_are_not_read_stay_and_their_tickets_are_named(caplog: pytest.LogCaptureFixture) -> None:
    assert created("20.11.2026 08:00", "2026-11-20T10:30:00Z", "soon") == [
        "20.11.2026 08:00",
        "2026-11-20T10:30:00Z",
        "soon",
    ]
    (message,) = caplog.messages
    assert "2 tickets are not readable" in message
    assert "1, 3" in message
    assert "TIME_FORMAT" in message


def test_a_local_form_and_zone_are_applied() -> None:
    style = TimeStyle("%d.%m.%Y %H:%M", ZoneInfo("Europe/Berlin"))
    assert created("20.11.2026 08:00", style=style) == ["2026-11-20T08:00:00+01:00"]


def test_tickets_with_bytes_that_could_not_be_decoded_are_named(caplog: pytest.LogCaptureFixture) -> None:
    sources = Sources(Ticket("T-1", "B\ufffdro"), Ticket("T-2", "VPN"))
    fetch_tickets(sources, sources)
    (message,) = caplog.messages
    assert message == "the texts of 1 tickets have bytes that are not in their encoding: T-1"
