"""Fetch the service catalog and the queue of tickets."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..domain.catalog import ServiceCatalog
from ..domain.ticket import Ticket
from ..domain.times import DEFAULT_STYLE, TimeStyle, forms_of, read_time
from ..domain.wording import counted, some_of
from .ports import CatalogSource, Helpdesk

log = logging.getLogger(__name__)

_NAMED = 5
_MOST_DOUBTFUL = 1_000
_NOT_DECODED = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """The result of a fetch; `tickets` come in the order of the queue."""

    catalog: ServiceCatalog
    tickets: list[Ticket]

    @property
    def counts(self) -> dict[str, int]:
        """The number of tickets and of request types, for the progress of the run."""
        return {"tickets": len(self.tickets), "request_types": len(self.catalog.entries)}


def fetch_tickets(helpdesk: Helpdesk, catalog_source: CatalogSource, times: TimeStyle = DEFAULT_STYLE) -> Fetched:
    """The catalog and the queue, whose creation times are in ISO 8601 from here on.

    A time that is not read stays as it came, and a warning names the tickets. Raises SettingsError, InputError or
    ServiceError.
    """
    # The catalog comes first: without it, nobody needs the queue.
    catalog = catalog_source.fetch_catalog()
    log.info("service catalog fetched: %d request types", len(catalog.entries))
    tickets = [_with_iso_time(ticket, times) for ticket in helpdesk.fetch_tickets()]
    log.info("queue fetched: %s", counted(len(tickets), "ticket"))
    _warn_about_times(tickets)
    _warn_about_damage(tickets)
    return Fetched(catalog, tickets)


def stream_tickets(tickets: Iterable[Ticket], times: TimeStyle = DEFAULT_STYLE) -> Iterator[Ticket]:
    """Yields `tickets` one by one, with their creation times in ISO 8601.

    Warnings about times and texts that could not be read follow the last ticket; they count at most 1,000 tickets.
    """
    doubtful: list[Ticket] = []
    for each in tickets:
        ticket = _with_iso_time(each, times)
        if len(doubtful) < _MOST_DOUBTFUL and (_is_unread(ticket) or _is_damaged(ticket)):
            doubtful.append(ticket)
        yield ticket
    _warn_about_times(doubtful)
    _warn_about_damage(doubtful)


def _with_iso_time(ticket: Ticket, style: TimeStyle) -> Ticket:
    created = read_time(ticket.created_at, style)
    return replace(ticket, created_at=created.isoformat().replace("+00:00", "Z")) if created else ticket


def _is_unread(ticket: Ticket) -> bool:
    return bool(ticket.created_at) and not read_time(ticket.created_at)


def _is_damaged(ticket: Ticket) -> bool:
    return any(_NOT_DECODED in text for text in ticket.texts)


def _warn_about_times(tickets: Sequence[Ticket]) -> None:
    unread = list(filter(_is_unread, tickets))
    if unread:
        forms = forms_of([ticket.created_at for ticket in unread])
        advice = f": {' or '.join(forms)} reads them" if forms else ""
        log.warning(
            "the creation times of %s are not readable, so their age is unknown: %s (TIME_FORMAT names a form%s)",
            *(counted(len(unread), "ticket"), some_of([ticket.id for ticket in unread], _NAMED), advice),
        )


def _warn_about_damage(tickets: Sequence[Ticket]) -> None:
    damaged = [ticket.id for ticket in tickets if _is_damaged(ticket)]
    if damaged:
        log.warning(
            "the texts of %s have bytes that are not in their encoding: %s",
            counted(len(damaged), "ticket"),
            some_of(damaged, _NAMED),
        )
