"""JSON from outside: bounded in depth and in number of objects, and without half surrogate pairs."""

from __future__ import annotations

import json
import math
from typing import Any

from ..domain.sanitizing import truncate
from ..errors import InputError
from .decoding import decode_json

MAX_DEPTH = 50
MAX_OBJECTS = 1_000_000
"""The most objects and lists: ten for each of 100,000 tickets. An empty one takes 100 times its size in memory."""

_LONGEST_REASON = 500
_MOST_DIGITS = 4_000


def parse_json(content: bytes, what: str, max_depth: int = MAX_DEPTH, *, max_objects: int = MAX_OBJECTS) -> Any:
    """The value in `content`. Raises InputError, which calls the content `what`."""
    # Brackets within texts count, too: only a parser could tell them apart.
    if content.count(b"{") + content.count(b"[") > max_objects:
        raise InputError(f"{what} has more than {max_objects:,} objects and lists, which is refused")
    try:
        text = content.decode("utf-8-sig")
        return without_half_pairs(json.loads(text, parse_constant=_refuse_constant, parse_float=_finite), max_depth)
    except RecursionError:
        raise InputError(f"{what} is nested too deeply") from None
    except ValueError as error:
        raise _not_json(what, content.lstrip()[:1] == b"<", error) from error


def parse_foreign_json(content: bytes, what: str, *, hint: str = "") -> Any:
    """The value in `content` as other programs write JSON; one value a line (JSON Lines) gives the list of them.

    Taken as well: UTF-16 and UTF-32; NaN, Infinity and numbers without end, as None; line ends within texts. Each byte
    that does not belong to the encoding becomes U+FFFD. Raises InputError, like `parse_json`, which carries `hint`.
    """
    text = decode_json(content)
    if text.count("{") + text.count("[") > MAX_OBJECTS:
        raise InputError(f"{what} has more than {MAX_OBJECTS:,} objects and lists, which is refused", hint=hint)
    try:
        try:
            return _foreign(text)
        except json.JSONDecodeError as error:
            if not (error.msg == "Extra data" and text.lstrip()[:1] == "{"):
                raise
            return _foreign_lines(text)
    except RecursionError:
        raise InputError(f"{what} is nested too deeply", hint=hint) from None
    except ValueError as error:
        raise _not_json(what, text.lstrip()[:1] == "<", error, hint) from error


def _foreign(text: str) -> Any:
    decoder = json.JSONDecoder(
        strict=False, parse_constant=lambda _: None, parse_float=_finite_or_none, parse_int=_int_or_text
    )
    return without_half_pairs(decoder.decode(text), MAX_DEPTH)


def _foreign_lines(text: str) -> list[Any]:
    values = []
    # JSON may hold whatever else ends a line.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                values.append(_foreign(line))
            except json.JSONDecodeError as error:
                raise ValueError(f"line {number}: {error.msg}, at character {error.pos + 1}") from error
    return values


def _not_json(what: str, is_web_page: bool, error: ValueError, hint: str = "") -> InputError:
    if is_web_page:
        return InputError(
            f"{what} is a web page, not JSON", hint="It is often a login page or an error page: check the URL."
        )
    return InputError(f"{what} is not valid JSON: {truncate(str(error), _LONGEST_REASON)}", hint=hint)


def _finite_or_none(digits: str) -> float | None:
    number = float(digits)
    return None if math.isinf(number) else number


def _int_or_text(digits: str) -> int | str:
    # Python refuses to read a number with thousands of digits.
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def dump_json(value: Any) -> bytes:
    """`value` as indented JSON in UTF-8, with a line end."""
    return (json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def without_half_pairs(value: Any, depth: int) -> Any:
    """`value` with a replacement character for each half surrogate pair: JSON can hold them, UTF-8 cannot.

    Changes lists and objects in place, because a copy of a large queue would not fit into memory. Raises RecursionError
    for a value that is nested more than `depth` times, and ValueError for a number without end.
    """
    if isinstance(value, str):
        return value if value.isascii() else whole_characters(value)
    if not isinstance(value, (dict, list)):
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("a number is too large")
        return value
    if depth == 0:
        raise RecursionError
    items = enumerate(value) if isinstance(value, list) else value.items()
    changed = {key: new for key, item in items if (new := without_half_pairs(item, depth - 1)) is not item}
    for key, item in changed.items():
        value[key] = item
    if isinstance(value, dict) and not all(map(str.isascii, value)):
        return {without_half_pairs(key, depth): item for key, item in value.items()}
    return value


def whole_characters(text: str) -> str:
    """`text` with a replacement character for each half surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits} is too large")
    return number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
