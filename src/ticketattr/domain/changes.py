"""What is new, changed or gone since an earlier report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from .correction import ticket_key
from .ticket import AttributedTicket, Attribution, Ticket

Change = Literal["new", "changed", ""]


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier report said of a ticket: its short description, and a mark that changes with the rest."""

    id: str
    short_description: str
    mark: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier report, as far as a later one is compared with it: its tickets by their identity."""

    run_id: str
    tickets: dict[str, Known]

    @classmethod
    def of(cls, run_id: str, tickets: Sequence[AttributedTicket]) -> Earlier:
        known = (Known(one.ticket.id, one.ticket.short_description, _mark(one)) for one in tickets)
        return cls(run_id, dict(zip(identities([one.ticket for one in tickets]), known, strict=True)))

    def change(self, identity: str, attributed: AttributedTicket) -> Change:
        known = self.tickets.get(identity)
        if known is None:
            return "new"
        return "" if known.mark == _mark(attributed) else "changed"

    def gone(self, identities: Iterable[str]) -> tuple[Known, ...]:
        """Its tickets that are no longer in the queue, in its order."""
        here = set(identities)
        return tuple(known for identity, known in self.tickets.items() if identity not in here)


def identities(tickets: Sequence[Ticket]) -> list[str]:
    """By what each ticket is known from one queue to the next: its id, or its text where that says too little.

    Tickets that are alike in both are told apart by their number among their like.
    """
    ids = Counter(ticket.id for ticket in tickets)
    seen: Counter[str] = Counter()
    names = []
    for ticket in tickets:
        name = f"id {ticket.id}" if ticket.id and ids[ticket.id] == 1 else f"text {ticket_key(ticket)}"
        names.append(f"{name} {seen[name]}")
        seen[name] += 1
    return names


def _mark(attributed: AttributedTicket) -> str:
    outcome = attributed.outcome
    pair = str(outcome.entry) if isinstance(outcome, Attribution) else outcome.reason
    return f"{ticket_key(attributed.ticket)[:16]} {pair}"
