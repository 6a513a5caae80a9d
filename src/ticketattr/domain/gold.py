"""Tickets that people labelled carefully. A classifier is measured on them, or learns from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from .catalog import RequestType, ServiceCatalog
from .ticket import Ticket


@dataclass(frozen=True, slots=True)
class GoldTicket:
    """A ticket with its label `entry`. Lenient scores also accept the entries in `also_ok`."""

    ticket: Ticket
    entry: RequestType
    also_ok: tuple[RequestType, ...] = ()


class GoldTickets(Protocol):
    """Gold tickets in their order, as often as they are asked for. They need not be in memory."""

    def __iter__(self) -> Iterator[GoldTicket]: ...

    def __len__(self) -> int: ...


LabelledTickets: TypeAlias = Callable[[ServiceCatalog], Sequence[GoldTicket]]
"""Gives the labelled tickets of the desk whose labels are in a catalog. A classifier learns from them."""


def no_labelled_tickets(catalog: ServiceCatalog) -> Sequence[GoldTicket]:
    """An empty sequence, for a desk without labelled tickets."""
    return ()
