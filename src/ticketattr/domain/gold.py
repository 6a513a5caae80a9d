"""Tickets that people labelled carefully. A classifier is measured on them, or learns from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .catalog import RequestType, ServiceCatalog
from .ticket import Ticket


@dataclass(frozen=True, slots=True)
class GoldTicket:
    """A ticket with its label `entry`. Lenient scores also accept the entries in `also_ok`."""

    ticket: Ticket
    entry: RequestType
    also_ok: tuple[RequestType, ...] = ()


LabelledTickets: TypeAlias = Callable[[ServiceCatalog], Sequence[GoldTicket]]
"""Gives the labelled tickets of the desk whose labels are in a catalog. A classifier learns from them."""


def no_labelled_tickets(catalog: ServiceCatalog) -> Sequence[GoldTicket]:
    """An empty sequence, for a desk without labelled tickets."""
    return ()
