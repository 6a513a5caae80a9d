"""What a model is told, and the shape that its answer must have.

The rules and the catalog come first and never vary within a run, so that a provider can cache them. Of a
ticket, its two descriptions leave the house and nothing else. Tickets have numbers of their own, 1, 2, 3 …,
so that no text can speak for a neighbour.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from ....domain.catalog import RequestType, ServiceCatalog
from ....domain.examples import Example
from ....domain.ticket import Ticket

PROMPT_VERSION = 1
"""Raised with every change to what is asked below, so that answers to the old question are not taken for the new."""

MAX_TEXT = 4_000
"""How much of a description is shown, in characters: its start and its end, where the matter stands."""

_CUT = " [… cut …] "


def default_rules() -> str:
    return (files(__package__) / "rules.txt").read_text(encoding="utf-8")


def system_instruction(catalog: ServiceCatalog, rules: str) -> str:
    entries = [_entry(entry) for entry in catalog.entries]
    return f"{rules.rstrip()}\n\nThe service catalog:\n{json.dumps(entries, ensure_ascii=False)}\n"


def user_text(tickets: Sequence[Ticket], examples: Sequence[Example] = ()) -> str:
    """The tickets, and what people decided about others like them, as JSON in fences that no text can close."""
    items = [
        {
            "id": number,
            "short_description": _shortened(ticket.short_description),
            "long_description": _shortened(ticket.long_description),
        }
        for number, ticket in enumerate(tickets, start=1)
    ]
    text = _fenced("tickets", items)
    if not examples:
        return text
    decided = [
        {
            "short_description": example.short_description,
            "long_description": example.long_description,
            "request_category": example.entry.category,
            "request_type": example.entry.name,
        }
        for example in examples
    ]
    return f"{text}\n\nOther tickets, and what a person of the desk chose for each:\n{_fenced('examples', decided)}"


def _fenced(name: str, items: Sequence[dict[str, Any]]) -> str:
    """It holds no `<` but its own."""
    data = json.dumps(items, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")
    return f"<{name}>\n{data}\n</{name}>"


def _entry(entry: RequestType) -> dict[str, Any]:
    optional = {"description": entry.description, "keywords": entry.keywords, "examples": entry.examples}
    return {
        "request_category": entry.category,
        "request_type": entry.name,
        **{name: value for name, value in optional.items() if value},
    }


def tokens(text: str) -> int:
    """About how many tokens a text is: one for three characters, which is more than most languages need."""
    return len(text) // 3 + 1


def _shortened(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    half = (MAX_TEXT - len(_CUT)) // 2
    return text[:half] + _CUT + text[-half:]
