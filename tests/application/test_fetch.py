"""What a fetch makes of times and texts that other programs wrote."""

from __future__ import annotations

import logging
from zoneinfo import ZoneInfo

import pytest

from ticketattr.application.fetch import Fetched, fetch_tickets, stream_tickets
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
    assert caplog.messages == [
        "the creation times of 2 tickets are not readable, so their age is unknown: 1, 3 (TIME_FORMAT names a form)"
    ]


@pytest.mark.parametrize(
    ("times", "count", "named"),
    [
        (["31.12.2026 08:00"], "1 ticket", "1 (TIME_FORMAT names a form: %d.%m.%Y %H:%M reads them)"),
        (
            ["01/02/2026 08:00"] * 7,
            "7 tickets",
            "1, 2, 3, 4, 5, and 2 more (TIME_FORMAT names a form: %d/%m/%Y %H:%M or %m/%d/%Y %H:%M reads them)",
        ),
    ],
)
def test_a_form_that_reads_the_times_is_proposed(
    times: list[str], count: str, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    created(*times)
    assert caplog.messages == [f"the creation times of {count} are not readable, so their age is unknown: {named}"]


def test_a_local_form_and_zone_are_applied() -> None:
    style = TimeStyle("%d.%m.%Y %H:%M", ZoneInfo("Europe/Berlin"))
    assert created("20.11.2026 08:00", style=style) == ["2026-11-20T08:00:00+01:00"]


def test_tickets_with_bytes_that_could_not_be_decoded_are_named(caplog: pytest.LogCaptureFixture) -> None:
    sources = Sources(Ticket("T-1", "B\ufffdro"), Ticket("T-2", "VPN"))
    fetch_tickets(sources, sources)
    (message,) = caplog.messages
    assert message == "the texts of 1 ticket have bytes that are not in their encoding: T-1"


def test_a_fetch_says_how_much_came_the_catalog_first(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    asked: list[str] = []

    class Asked(Sources):
        def fetch_tickets(self) -> list[Ticket]:
            asked.append("tickets")
            return super().fetch_tickets()

        def fetch_catalog(self) -> ServiceCatalog:
            asked.append("catalog")
            return super().fetch_catalog()

    tickets = [Ticket("1", "VPN"), Ticket("2", "Printer")]
    sources = Asked(*tickets)
    fetched = fetch_tickets(sources, sources)
    assert (fetched, fetched.counts) == (Fetched(CATALOG, tickets), {"tickets": 2, "request_types": 4})
    assert asked == ["catalog", "tickets"]
    assert caplog.messages == ["service catalog fetched: 4 request types", "queue fetched: 2 tickets"]


def test_a_stream_passes_on_each_ticket_at_once_and_warns_after_the_last_one(caplog: pytest.LogCaptureFixture) -> None:
    style = TimeStyle(zone=ZoneInfo("Asia/Tokyo"))
    tickets = [Ticket("1", "x", created_at="2026-11-20 08:00"), Ticket("2", "B\ufffdro", created_at="soon")]
    stream = stream_tickets(iter(tickets), style)
    assert next(stream).created_at == "2026-11-20T08:00:00+09:00"
    assert next(stream) == tickets[1]
    assert not caplog.messages
    assert list(stream) == []
    assert caplog.messages == [
        "the creation times of 1 ticket are not readable, so their age is unknown: 2 (TIME_FORMAT names a form)",
        "the texts of 1 ticket have bytes that are not in their encoding: 2",
    ]


@pytest.mark.parametrize("ticket", [Ticket("1", "x", created_at="soon"), Ticket("1", "B\ufffdro")])
def test_the_warnings_after_a_stream_count_at_most_1000_tickets(
    ticket: Ticket, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(list(stream_tickets([ticket] * 1_001))) == 1_001
    (message,) = caplog.messages
    assert "of 1,000 tickets" in message
