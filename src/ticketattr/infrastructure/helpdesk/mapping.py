"""Tickets from what the helpdesk answered, by the expressions of a profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ...domain.ticket import Ticket
from ...errors import InputError
from ..locations import is_remote
from ..network.service_words import service_words
from .placeholders import fill
from .profile import FIELDS, Alternatives, Profile
from .thread import ToText, thread_text
from .ticket_fields import read_sla, read_text, read_title

HINT = "`ticketattr fetch --preview 3` shows which fields come, and which were taken for what."

_LONGEST_NAME = 60
_TEXTS = tuple(name for name in FIELDS if name != "sla")
_PROSE = frozenset({"short_description", "long_description", "requester_email"})
"""Fields in which a number shows that the expression is wrong: a count, or a key instead of a name."""


@dataclass(frozen=True, slots=True)
class MappedTicket:
    """A ticket, whether it is open, and for each field that is not empty the expression that found it."""

    ticket: Ticket
    is_open: bool
    origins: Mapping[str, str]


def map_ticket(
    profile: Profile, item: Mapping[str, Any], *, base_url: str, to_text: ToText, failure: str = ""
) -> MappedTicket:
    """The ticket in `item`, beside whose fields the answer of the detail request stands under `detail`.

    `failure` says why that answer is missing. Raises InputError when an expression finds what the field cannot be.
    """
    found: dict[str, str] = {}
    origins: dict[str, str] = {}
    for name in _TEXTS:
        text, origin = _field(profile, name, item, to_text)
        # A link of the report could run a script.
        if text and (name != "url" or is_remote(text)):
            found[name], origins[name] = profile.tickets.values.get(name, {}).get(text, text), origin
    if thread := profile.text.thread:
        first = found.get("long_description", "")
        if text := thread_text(thread, item, item, first, to_text):
            found["long_description"] = text
            origins["long_description"] = origins.get("long_description", thread.messages.text)
    if failure and not found.get("long_description"):
        found["long_description"] = f"[The description could not be read: {failure}]"
    if profile.page and not found.get("url") and found.get("id"):
        found["url"], origins["url"] = _page(profile, base_url, found), "page"
    sla = next((sla for each in profile.tickets.fields.get("sla", ()) if (sla := read_sla(each.search(item)))), None)
    ticket = Ticket(**{"id": "", "short_description": "", **found}, sla=sla, extra={})
    return MappedTicket(ticket, _is_open(profile, item), origins)


def items_of(alternatives: Alternatives, body: Any) -> list[Mapping[str, Any]]:
    """The tickets in an answer. Raises InputError where there is no list of objects."""
    for expression in alternatives:
        if isinstance(found := expression.search(body), list):
            break
    else:
        names = " or ".join(f"`{expression.text}`" for expression in alternatives)
        raise InputError(f"the answer of the helpdesk holds no list of tickets at {names}; {seen(body)}", hint=HINT)
    for place, item in enumerate(found, start=1):
        if not isinstance(item, dict):
            # Leaving it out would lose a ticket in silence.
            raise InputError(
                f"item {place} in the answer of the helpdesk is not a ticket but {type(item).__name__}", hint=HINT
            )
    return found


def seen(value: Any) -> str:
    """The names of the fields of an object, for a message."""
    if not isinstance(value, Mapping):
        return f"what came is {type(value).__name__}"
    names = [service_words(name, _LONGEST_NAME) for name in list(value)[:30]]
    more = ", …" if len(value) > len(names) else ""
    return f"the fields that came are {', '.join(names)}{more}" if names else "no field came"


def has_text_fields(profile: Profile, item: Any) -> bool:
    """Whether an expression for a text finds anything in `item`, be it an empty text."""
    texts = [
        each for name in ("short_description", "long_description") for each in profile.tickets.fields.get(name, ())
    ]
    return any(expression.search(item) is not None for expression in texts)


def field_names(item: Any, *, depth: int = 2) -> list[str]:
    """The names of the fields of an item, those of objects within it with a dot."""
    names: list[str] = []
    for name, value in item.items() if isinstance(item, Mapping) else ():
        within = field_names(value, depth=depth - 1) if depth > 1 else []
        names += [f"{name}.{each}" for each in within] or [str(name)]
    return names


def plain_text(value: Any) -> str:
    """`value` as text; some APIs say false for nothing."""
    return "" if value is False else read_text(value)


def _field(profile: Profile, name: str, item: Mapping[str, Any], to_text: ToText) -> tuple[str, str]:
    """The text of a field, and the expression that found it."""
    for expression in profile.tickets.fields.get(name, ()):
        value = expression.search(item)
        if name == "long_description" and isinstance(value, (str, dict)):
            text = to_text(value, None)
        else:
            text = _checked_text(value, name, expression.where, expression.text)
            text = read_title(text) if name == "short_description" else text
        if text:
            return text, expression.text
    return "", ""


def _checked_text(value: Any, name: str, where: str, expression: str) -> str:
    is_number = isinstance(value, (int, float)) and value is not False
    if isinstance(value, (list, dict)) or (is_number and name in _PROSE):
        kind = "a number" if is_number else "a list" if isinstance(value, list) else "an object"
        raise InputError(f"{where}: `{expression}` finds {kind} where {name} needs text", hint=HINT)
    return plain_text(value)


def _is_open(profile: Profile, item: Mapping[str, Any]) -> bool:
    return profile.tickets.open is None or bool(profile.tickets.open.search(item))


def _page(profile: Profile, base_url: str, found: Mapping[str, str]) -> str:
    path = fill(profile.page, {name: quote(text, safe="", errors="replace") for name, text in found.items()})
    return path if path.startswith(("http://", "https://")) else f"{base_url.rstrip('/')}{path}"
