"""Tickets with the label that a careful agent gave them."""

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


Examples: TypeAlias = Callable[[ServiceCatalog], Sequence[GoldTicket]]
"""Labelled tickets of the desk, as far as a catalog has their labels."""


def no_examples(catalog: ServiceCatalog) -> Sequence[GoldTicket]:
    return ()
