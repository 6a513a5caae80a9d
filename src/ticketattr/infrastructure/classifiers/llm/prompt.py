"""The prompt: the system text with rules and catalog, and the user text with tickets and examples.

The system text is the same for all calls of a run, so that a provider can cache it. Of a ticket, only the two
descriptions are sent. Tickets are numbered 1, 2, 3 … in each call (in a batch job, through all of
its calls), so that no text can pose as another ticket.
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
"""Increase it with every change of the prompt, so that cached answers to an older prompt are not used."""

MAX_TEXT = 4_000
"""The length of a description in the prompt, in characters. Of a longer one, the start and the end are sent."""

_CUT = " [… cut …] "


def default_rules() -> str:
    """Returns the rules of the package."""
    return (files(__package__) / "rules.txt").read_text(encoding="utf-8")


def system_instruction(catalog: ServiceCatalog, rules: str) -> str:
    """Returns the system text: the rules, and the catalog as JSON."""
    entries = [_entry(entry) for entry in catalog.entries]
    return f"{rules.rstrip()}\n\nThe service catalog:\n{json.dumps(entries, ensure_ascii=False)}\n"


def user_text(tickets: Sequence[Ticket], examples: Sequence[Example] = (), first: int = 1) -> str:
    """Returns the user text: tickets and examples as JSON, between tags that no text of a ticket can close.

    The tickets have the ids `first`, `first` + 1 …
    """
    items = [
        {
            "id": number,
            "short_description": shortened(ticket.short_description),
            "long_description": shortened(ticket.long_description),
        }
        for number, ticket in enumerate(tickets, start=first)
    ]
    text = _fenced("tickets", items)
    if not examples:
        return text
    decided = [
        {
            "short_description": short_description,
            "long_description": long_description,
            "request_category": entry.category,
            "request_type": entry.name,
        }
        for (short_description, long_description), entry in ((example.texts, example.entry) for example in examples)
    ]
    return f"{text}\n\nOther tickets, and what a person of the desk chose for each:\n{_fenced('examples', decided)}"


def _fenced(name: str, items: Sequence[dict[str, Any]]) -> str:
    return fenced(name, escaped(json.dumps(items, ensure_ascii=False)))


def escaped(data: str) -> str:
    """Returns JSON that means the same, and contains no `<` and no `>`."""
    return data.replace("<", "\\u003c").replace(">", "\\u003e")


def fenced(name: str, data: str) -> str:
    """Returns `data`, which contains no `<` and no `>`, between two tags."""
    return f"<{name}>\n{data}\n</{name}>"


def _entry(entry: RequestType) -> dict[str, Any]:
    optional = {"description": entry.description, "keywords": entry.keywords, "examples": entry.examples}
    return {
        "request_category": entry.category,
        "request_type": entry.name,
        **{name: value for name, value in optional.items() if value},
    }


def tokens(text: str) -> int:
    """Returns the estimated number of tokens: one for three characters, which is more than most languages need."""
    return len(text) // 3 + 1


def shortened(text: str) -> str:
    """Returns at most MAX_TEXT characters of a text: its start and its end."""
    if len(text) <= MAX_TEXT:
        return text
    half = (MAX_TEXT - len(_CUT)) // 2
    return text[:half] + _CUT + text[-half:]
