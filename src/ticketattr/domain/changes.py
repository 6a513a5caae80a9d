"""What is new, changed or gone since an earlier report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from .correction import ticket_key, unique_ids
from .ticket import AttributedTicket, Attribution, Ticket

Change = Literal["new", "changed", ""]
"""How a ticket differs from the earlier report; empty if it does not."""


@dataclass(frozen=True, slots=True)
class ReportedTicket:
    """What an earlier report said about a ticket. `content_key` changes if its text or its outcome changes."""

    id: str
    short_description: str
    content_key: str


@dataclass(frozen=True, slots=True)
class EarlierReport:
    """The part of an earlier report that a later one is compared with: its tickets, by `identities`."""

    run_id: str
    tickets: dict[str, ReportedTicket]

    @classmethod
    def of(cls, run_id: str, tickets: Sequence[AttributedTicket]) -> EarlierReport:
        """The earlier report of the run `run_id`; `tickets` come in the order of the queue."""
        known = (ReportedTicket(one.ticket.id, one.ticket.short_description, _content_key(one)) for one in tickets)
        return cls(run_id, dict(zip(identities([one.ticket for one in tickets]), known, strict=True)))

    def change(self, identity: str, attributed: AttributedTicket) -> Change:
        """How the ticket with this identity differs from the earlier report."""
        known = self.tickets.get(identity)
        if known is None:
            return "new"
        return "" if known.content_key == _content_key(attributed) else "changed"

    def gone(self, identities: Iterable[str]) -> tuple[ReportedTicket, ...]:
        """The tickets of the earlier report that are not among `identities`, in the order of that report."""
        here = set(identities)
        return tuple(known for identity, known in self.tickets.items() if identity not in here)


def identities(tickets: Sequence[Ticket]) -> list[str]:
    """A key for each ticket that finds it again in a later queue, in the order of `tickets`.

    The key is made of the id, or of id and text if the id is empty or not unique. Equal tickets are numbered.
    """
    unique = unique_ids(tickets)
    seen: Counter[str] = Counter()
    names = []
    for ticket in tickets:
        name = f"id {ticket.id}" if ticket.id in unique else f"text {ticket_key(ticket)}"
        names.append(f"{name} {seen[name]}")
        seen[name] += 1
    return names


def _content_key(attributed: AttributedTicket) -> str:
    outcome = attributed.outcome
    pair = str(outcome.entry) if isinstance(outcome, Attribution) else outcome.reason
    return f"{ticket_key(attributed.ticket)[:16]} {pair}"
