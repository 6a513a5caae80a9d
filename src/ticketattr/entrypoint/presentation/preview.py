"""The first tickets of a queue as they were understood, with what each field was found by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from ...application.ports import QueuePreview, TicketPreview
from ...domain.ticket import Ticket
from .log_lines import plain
from .tables import print_table

_NOT_SHOWN = frozenset({"extra", "sla"})
_SHOWN = [field.name for field in fields(Ticket) if field.name not in _NOT_SHOWN]
_ALWAYS_SHOWN = frozenset({"id", "short_description", "long_description", "requester_email", "created_at"})
_LONGEST = 160
_MOST_NAMES = 80


def print_preview(preview: QueuePreview) -> None:
    """Print each ticket as a table: the field, its value, and what found it; an empty one says (nothing)."""
    for position, ticket in enumerate(preview.tickets, start=1):
        rows = [(name, value or "(nothing)", origin) for name, value, origin in _rows(ticket)]
        print_table(("field", "value", "found by"), rows, title=f"ticket {position} of {len(preview.tickets)}")
    print(plain(f"the fields that the first ticket came with: {', '.join(_names(preview))}"))


def preview_lines(preview: QueuePreview) -> Iterator[str]:
    """The first ticket, one line for each field."""
    for ticket in preview.tickets[:1]:
        for name, value, origin in _rows(ticket):
            yield f"{name} = {value} (found by {origin})" if value else f"{name} is empty"
        yield f"the fields that the ticket came with: {', '.join(_names(preview))}"


def _rows(preview: TicketPreview) -> Iterator[tuple[str, str, str]]:
    for name in _SHOWN:
        value = " ".join(str(getattr(preview.ticket, name)).split())
        if value or name in _ALWAYS_SHOWN:
            shown = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}… ({len(value):,} characters)"
            yield name, shown, preview.origins.get(name, "")


def _names(preview: QueuePreview) -> list[str]:
    names = list(preview.fields_seen[:_MOST_NAMES])
    return [*names, "…"] if len(preview.fields_seen) > _MOST_NAMES else names
