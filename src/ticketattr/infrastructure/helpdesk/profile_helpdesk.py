"""A helpdesk that is read as its profile says."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import anyio

from ...application.ports import QueuePreview, TicketPreview
from ...domain.ticket import Ticket
from ...domain.wording import counted
from ..options import Filter, HelpdeskAccess, HTTPPolicy
from .body_text import body_reader
from .completeness import refuse_without_text
from .connection import connect
from .mapping import MappedTicket, field_names, has_text_fields
from .profile import Profile
from .queue_reader import QueueRead, QueueReader, tickets_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MappedQueue:
    """The tickets that came, and how many of them came without their details."""

    tickets: Sequence[MappedTicket]
    failures: int


@dataclass(frozen=True, slots=True)
class ProfileHelpdesk:
    """`keep` says which tickets are kept, `since` from when on changes are asked for (None: everything)."""

    profile: Profile
    access: HelpdeskAccess
    http: HTTPPolicy
    keep: frozenset[Filter] = frozenset()
    since: datetime | None = None

    def fetch_tickets(self) -> list[Ticket]:
        """The queue, first page first. Raises SettingsError, InputError or ServiceError."""
        return tickets_of(self.fetch_mapped().tickets, self.keep)

    def fetch_mapped(self) -> MappedQueue:
        """Every ticket that came, closed ones among them. Raises SettingsError, InputError or ServiceError."""
        mapped: dict[Any, MappedTicket] = {}
        failures = self.fetch_into(mapped)
        return MappedQueue(list(mapped.values()), failures)

    def fetch_into(self, mapped: MutableMapping[Any, MappedTicket]) -> int:
        """Puts the same tickets into an empty mapping, and returns how many of them came without their details."""
        read = anyio.run(self._read, None, mapped)
        if read.failures:
            log.warning(
                "the details of %d of %s could not be read", len(read.failures), counted(read.details, "ticket")
            )
        refuse_without_text(
            sum(not any(each.ticket.texts) for each in mapped.values()),
            len(mapped),
            read.first,
            has_text_fields=has_text_fields(self.profile, read.first),
        )
        return len(read.failures)

    def preview(self, count: int) -> QueuePreview:
        """The first `count` tickets, each with the expressions that found its fields."""
        read = anyio.run(self._read, count)
        mapped = list(read.mapped.values())[:count]
        return QueuePreview([TicketPreview(each.ticket, each.origins) for each in mapped], field_names(read.first))

    async def _read(self, at_most: int | None, into: MutableMapping[Any, MappedTicket] | None = None) -> QueueRead:
        to_text = body_reader(self.profile.text.kind)
        reader = QueueReader(self.profile, self.access.location, to_text, self.keep, self.since)
        async with connect(self.profile, self.access, self.http) as connection:
            return await reader.read(connection, at_most=at_most, into=into)
