"""Makes a ticket of an item in the response of a helpdesk, given the names that its fields have there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from ...domain.catalog import SLA, sla_unit
from ...domain.ticket import Ticket
from ...errors import InputError
from ..ticket_text import ticket_text

FieldNames: TypeAlias = Mapping[str, tuple[str, ...]]
"""For each text field of `Ticket`, its names in an item; the first one with a text counts."""

_SLA = "sla"


def read_ticket(item: Any, position: int, names: FieldNames, *, hint: str) -> Ticket:
    """The ticket in `item`, which is at `position` in the response, from 1.

    Fields that are not used are kept in `extra` as they came. Raises InputError, with `hint`, if `item` is not an
    object: if it were left out, a ticket would be lost without a message.
    """
    if not isinstance(item, dict):
        kind = type(item).__name__
        raise InputError(f"item {position} in the answer of the helpdesk is not a ticket but {kind}", hint=hint)
    texts = {field: _first_text(item, field, names[field]) for field in names}
    sla = read_sla(item.get(_SLA))
    used = {
        alias
        for field, aliases in names.items()
        for alias in aliases
        if read_field(field, item.get(alias)) == texts[field]
    }
    extra = {name: value for name, value in item.items() if name not in used and not (name == _SLA and sla)}
    return Ticket(**texts, sla=sla, extra=extra)


def read_text(value: Any) -> str:
    """`value` as text: null is empty, 17.0 is 17, and a value that should not be there is shown as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def read_description(value: Any) -> str:
    """The text of a description, out of HTML and the other forms that `ticket_text` reads."""
    text = ticket_text(value)
    return read_text(value) if text is None else text.strip()


def read_title(value: Any) -> str:
    """The text of a title, on one line if it was not plain text."""
    text = read_description(value)
    return text if text == read_text(value) else " ".join(text.split())


_READERS = {"short_description": read_title, "long_description": read_description}


def read_field(field: str, value: Any) -> str:
    """`value` as the text of the field of `Ticket` with that name."""
    return _READERS.get(field, read_text)(value)


def _first_text(item: dict[str, Any], field: str, names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := read_field(field, item.get(name)))), "")


def read_sla(value: Any) -> SLA | None:
    """The SLA that a ticket came with, or None if it is not set (zero, empty) or has an unknown form."""
    if not isinstance(value, dict):
        return None
    amount, unit = value.get("value"), sla_unit(read_text(value.get("unit")))
    if unit is None or isinstance(amount, bool) or not isinstance(amount, (int, float)):
        return None
    sla = SLA(amount, unit)
    return sla if amount > 0 and sla.is_possible else None
