"""Tickets with the label that a careful agent gave them."""

from __future__ import annotations

from dataclasses import dataclass

from .catalog import RequestType
from .ticket import Ticket


@dataclass(frozen=True, slots=True)
class GoldTicket:
    """`entry` is the label; an answer in `also_ok` counts as right when one is lenient."""

    ticket: Ticket
    entry: RequestType
    also_ok: tuple[RequestType, ...] = ()
