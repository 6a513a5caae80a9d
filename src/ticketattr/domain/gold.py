"""Tickets with the label that a careful agent gave them: to measure a classifier on, or for it to learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .catalog import RequestType, ServiceCatalog
from .ticket import Ticket


@dataclass(frozen=True, slots=True)
class GoldTicket:
    """`entry` is the label; an answer in `also_ok` counts as right when one is lenient."""

    ticket: Ticket
    entry: RequestType
    also_ok: tuple[RequestType, ...] = ()


LabelledTickets: TypeAlias = Callable[[ServiceCatalog], Sequence[GoldTicket]]
"""Those of the desk that a classifier learns from, as far as a catalog has their labels."""


def no_labelled_tickets(catalog: ServiceCatalog) -> Sequence[GoldTicket]:
    return ()
