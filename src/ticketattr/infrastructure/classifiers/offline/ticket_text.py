"""The part of a ticket's text that is encoded as its sentence vector."""

from __future__ import annotations

from dataclasses import replace

from ....domain.ticket import Ticket
from ...ticket_text import PICTURE

_MAX_MEANING = 500
"""The length of that part, in characters. The subject of a ticket is usually at the start of its text."""


def without_pictures(ticket: Ticket) -> Ticket:
    """The ticket without the marks of its pictures: they say nothing about its matter."""
    if PICTURE not in ticket.long_description:
        return ticket
    return replace(ticket, long_description=ticket.long_description.replace(PICTURE, "").strip())


def meaning_text(title: str, body: str) -> str:
    """Returns the start of title and body."""
    return f"{title}\n{body}".strip()[:_MAX_MEANING]
