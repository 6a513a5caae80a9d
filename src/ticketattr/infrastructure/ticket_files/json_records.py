"""The tickets of a JSON document, whatever is wrapped around their list, and of JSON Lines, as a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from ...errors import InputError
from ..json_text import MAX_DEPTH, parse_foreign_json
from ..ticket_text import ticket_text
from .columns import recognized, shapes, words

_DEPTH = 4
_NAMED_DEPTH = 3
_NAMED_AFTER = 500
_LONGEST_LINE = 32 * 1024 * 1024
_FIRST = 1024 * 1024


def tickets_in(document: Any, what: str) -> list[Mapping[str, Any]]:
    """The objects of the list in `document`. Raises InputError where there is none, or where one is not an object."""
    found = _list_in(document, _DEPTH)
    if found is None and isinstance(document, dict) and recognized(_names(document, _NAMED_DEPTH)):
        found = [document]
    if found is None:
        raise InputError(
            f"{what} does not hold a list of tickets",
            hint='Expected [...], {"data": [...]}, {"tickets": [...]} or one object on each line.',
        )
    for place, item in enumerate(found, start=1):
        _refuse_other_than_object(item, place, what)
    return found


def lines_of(file: IO[bytes], what: str) -> Iterator[Mapping[str, Any]]:
    """The object on each line. Raises InputError."""
    file.seek(0)
    number = 0
    while line := file.readline(_LONGEST_LINE + 1):
        number += 1
        if len(line) > _LONGEST_LINE:
            raise InputError(f"{what}, line {number:,}, is longer than {_LONGEST_LINE:,} bytes, which is refused")
        if line.strip(b" \t\r\n\xef\xbb\xbf"):
            found = parse_foreign_json(line, f"{what}, line {number:,},")
            _refuse_other_than_object(found, number, what)
            yield found


def looks_like_lines(file: IO[bytes]) -> bool:
    """Whether the first line is an object, and another one follows."""
    file.seek(0)
    first, second = file.readline(_FIRST), file.readline(_FIRST)
    while second and not second.strip():
        second = file.readline(_FIRST)
    if not (second.lstrip()[:1] == b"{" and first.lstrip(b"\xef\xbb\xbf \t")[:1] == b"{"):
        return False
    try:
        return isinstance(json.loads(first.decode("utf-8-sig", "replace"), strict=False), dict)
    except (ValueError, RecursionError):
        return False


def names_of(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of all fields of `records`, those of objects within them with a dot, in their order."""
    names: dict[str, None] = {}
    for record in records[:_NAMED_AFTER]:
        names |= dict.fromkeys(_names(record, _NAMED_DEPTH))
    return list(names)


def shape_of(names: Sequence[str]) -> Mapping[str, str]:
    """The fields that names hold only because of others beside them."""
    present = set(names)
    return next((fields for beside, fields in shapes() if beside <= present), {})


def value_at(record: Mapping[str, Any], name: str) -> Any:
    """The value under `name`, which may have dots; objects show their name, and lists their elements."""
    if name in record:
        return _shown(record[name], words("shown"))
    outer, _, inner = name.partition(".")
    within = record.get(outer)
    return value_at(within, inner) if inner and isinstance(within, Mapping) else None


def address_at(record: Mapping[str, Any], name: str) -> Any:
    """The same for a person, of whom the address is shown."""
    value = record.get(name, value_at(record, name))
    value = value[0] if isinstance(value, list) and value else value
    return _shown(value, words("address"))


def first_message(record: Mapping[str, Any]) -> Any:
    """The text of the first message of a thread; None where there is no thread."""
    for name in words("messages"):
        thread = record.get(name)
        if isinstance(thread, list) and thread and isinstance(thread[0], Mapping):
            return next((thread[0][key] for key in words("message_text") if thread[0].get(key)), None)
    return None


def _list_in(value: Any, depth: int) -> list[Any] | None:
    if isinstance(value, list):
        return value
    if not isinstance(value, Mapping) or not depth:
        return None
    for name in words("envelopes"):
        inner = value.get(name)
        if isinstance(inner, Mapping) and inner and name == "objects":
            return list(inner.values())  # iTop: a mapping by class and id
        if (found := _list_in(inner, depth - 1)) is not None:
            return found
    return None


def _names(record: Mapping[str, Any], depth: int) -> Iterator[str]:
    for name, value in record.items():
        yield str(name)
        if depth > 1 and isinstance(value, Mapping) and len(value) <= MAX_DEPTH * 10:
            yield from (f"{name}.{inner}" for inner in _names(value, depth - 1))


def _shown(value: Any, keys: Sequence[str]) -> Any:
    """An object as one of its parts, a list as its elements; documents stay what they are."""
    if isinstance(value, Mapping):
        if ticket_text(value) is not None:
            return value
        return next((value[key] for key in keys if isinstance(value.get(key), (str, int, float))), value)
    if isinstance(value, list) and value:
        parts = [_shown(each, keys) for each in value]
        return ", ".join(map(str, parts)) if all(isinstance(part, (str, int)) for part in parts) else value
    return value


def _refuse_other_than_object(item: Any, place: int, what: str) -> None:
    if not isinstance(item, dict):
        # Leaving it out would lose a ticket in silence.
        raise InputError(f"item {place:,} in {what} is not a ticket but {type(item).__name__}")
