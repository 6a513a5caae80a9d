"""What a model is told, and the shape that its answer must have.

The rules and the catalog come first and never vary within a run, so that a provider can cache them. Of a
ticket, its two descriptions leave the house and nothing else. Tickets have numbers of their own, 1, 2, 3 …,
so that no text can speak for a neighbour.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any

from ..domain.catalog import RequestType, ServiceCatalog
from ..domain.ticket import Ticket

MAX_TEXT = 4_000
"""How much of a description is shown, in characters: its start and its end, where the matter stands."""

_CUT = " [… cut …] "


def system_instruction(catalog: ServiceCatalog) -> str:
    rules = (files(__package__) / "templates" / "rules.txt").read_text(encoding="utf-8")
    entries = [_entry(entry) for entry in catalog.entries]
    return f"{rules}\nThe service catalog:\n{json.dumps(entries, ensure_ascii=False)}\n"


def question(tickets: Sequence[Ticket]) -> str:
    """The tickets as JSON in a fence that their text cannot close: it holds no `<`."""
    items = [
        {
            "id": number,
            "short_description": _shortened(ticket.short_description),
            "long_description": _shortened(ticket.long_description),
        }
        for number, ticket in enumerate(tickets, start=1)
    ]
    data = json.dumps(items, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e")
    return f"<tickets>\n{data}\n</tickets>"


def answer_schema(catalog: ServiceCatalog) -> dict[str, Any]:
    """JSON schema; its enums are the names of the catalog."""
    return {
        "type": "object",
        "properties": {
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "integer"},
                        "request_category": _names(entry.category for entry in catalog.entries),
                        "request_type": _names(entry.name for entry in catalog.entries),
                        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                        "evidence": {"type": "string"},
                    },
                    "required": ["id", "confidence", "evidence"],
                },
            }
        },
        "required": ["items"],
    }


def _entry(entry: RequestType) -> dict[str, Any]:
    optional = {"description": entry.description, "keywords": entry.keywords, "examples": entry.examples}
    return {
        "request_category": entry.category,
        "request_type": entry.name,
        **{name: value for name, value in optional.items() if value},
    }


def _names(names: Iterable[str]) -> dict[str, Any]:
    return {"type": "string", "enum": list(dict.fromkeys(names))}


def _shortened(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    half = (MAX_TEXT - len(_CUT)) // 2
    return text[:half] + _CUT + text[-half:]
