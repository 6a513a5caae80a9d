"""The short form of prompt and answer: codes instead of names, no evidence, and texts without what mails have around.

system: rules, for each category a line `# Access`, for each entry `a1 Password Reset: description; keyword, …`
user:   [[1, "short description", "long description"], …] between tags
answer: {"items": [{"i": 1, "c": "a1", "p": 93}]}: the ticket, the code, and the confidence in per cent
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ....domain.catalog import RequestType, ServiceCatalog
from ....domain.examples import Example
from ....domain.ticket import Ticket
from .chat_model import JSONSchema
from .prompt import escaped, fenced, shortened
from .trimming import essential_text

NO_CODE = "-"
"""Stands for no entry of the catalog."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_HOW_TO_ANSWER = (
    "Tickets are lists: number, short description, long description. Answer with compact JSON only, one item for each "
    'ticket: {"items":[{"i":number,"c":code of the request type,"p":per cent}]}. '
    f'c is "{NO_CODE}" if none fits. p: how likely a careful agent chooses the same.'
)


def compact_rules() -> str:
    """Returns the rules of the package in the words of this form, without those that its answers cannot break."""
    return (files(__package__) / "rules_compact.txt").read_text(encoding="utf-8")


@lru_cache(maxsize=8)
def codes_of(catalog: ServiceCatalog) -> Mapping[str, RequestType]:
    """Returns the entries of the catalog by their codes: letters for the category, a number within it."""
    categories: dict[str, int] = {}
    codes: dict[str, RequestType] = {}
    counts: dict[str, int] = {}
    for entry in catalog.entries:
        letters = _letters(categories.setdefault(entry.category, len(categories)))
        counts[letters] = counts.get(letters, 0) + 1
        codes[f"{letters}{counts[letters]}"] = entry
    return codes


def _letters(place: int) -> str:
    """a, b … z, aa, ab … for 0, 1 …"""
    rest, last = divmod(place, len(_LETTERS))
    return (_letters(rest - 1) if rest else "") + _LETTERS[last]


def compact_system(catalog: ServiceCatalog, rules: str) -> str:
    """Returns the system text: the rules, how to answer, and the catalog with its codes."""
    lines: list[str] = []
    category = None
    for code, entry in codes_of(catalog).items():
        if entry.category != category:
            category = entry.category
            lines.append(f"# {' '.join(category.split())}")
        lines.append(_line(code, entry))
    return f"{rules.rstrip()}\n\n{_HOW_TO_ANSWER}\n\nThe service catalog:\n" + "\n".join(lines) + "\n"


def _line(code: str, entry: RequestType) -> str:
    about = [entry.description, ", ".join(entry.keywords), ", ".join(entry.examples)]
    more = "; ".join(filter(None, about))
    return " ".join(f"{code} {entry.name}{': ' if more else ''}{more}".split())


def compact_user(tickets: Sequence[Ticket], examples: Sequence[Example] = (), first: int = 1) -> str:
    """Returns the user text: tickets and examples as lists, between tags that no text of a ticket can close.

    The tickets have the ids `first`, `first` + 1 …
    """
    rows = [[number, *_texts(*ticket.texts)] for number, ticket in enumerate(tickets, start=first)]
    text = fenced("tickets", _json(rows))
    if not examples:
        return text
    decided = [[*_texts(*example.texts), f"{example.entry.category} / {example.entry.name}"] for example in examples]
    return f"{text}\nOther tickets, and what a person of the desk chose for each:\n{fenced('examples', _json(decided))}"


def _texts(short: str, long: str) -> list[str]:
    trimmed = essential_text(long, short)
    return [shortened(text) for text in ((short.strip(), trimmed) if trimmed else (short.strip(),))]


def _json(rows: Sequence[Sequence[Any]]) -> str:
    return escaped(json.dumps(rows, ensure_ascii=False, separators=(",", ":")))


def compact_schema(catalog: ServiceCatalog | None) -> JSONSchema:
    """Returns the schema of an answer: closed over the codes of `catalog`, or open without one."""
    code: dict[str, Any] = {"type": "string"}
    if catalog:
        code["enum"] = [*codes_of(catalog), NO_CODE]
    properties = {"i": {"type": "integer"}, "c": code, "p": {"type": "integer"}}
    item = {"type": "object", "properties": properties, "required": ["i", "c", "p"]}
    return {"type": "object", "properties": {"items": {"type": "array", "items": item}}, "required": ["items"]}


def _share(per_cent: Any) -> Any:
    """Returns a whole number of per cent as a share. Anything else is read as in a full answer."""
    if isinstance(per_cent, bool) or not isinstance(per_cent, int):
        return per_cent
    return per_cent / 100 if 0 <= per_cent <= 100 else None


def with_names(item: Mapping[str, Any], catalog: ServiceCatalog) -> Mapping[str, Any]:
    """Returns an item of a compact answer as one of a full answer. An item with names stays as it is."""
    if "c" not in item:
        return {"id": item.get("i"), **item}
    code = str(item["c"]).strip().lower()
    entry = codes_of(catalog).get(code)
    named: dict[str, Any] = {"id": item.get("i", item.get("id")), "confidence": _share(item.get("p"))}
    if entry:
        return named | {"request_category": entry.category, "request_type": entry.name}
    return named if code == NO_CODE else named | {"request_category": "code", "request_type": code}
