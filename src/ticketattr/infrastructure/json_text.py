"""JSON from outside: bounded in depth and in number of objects, and without half surrogate pairs."""

from __future__ import annotations

import json
import math
from typing import Any

from ..domain.sanitizing import truncate
from ..errors import InputError

MAX_DEPTH = 50
MAX_OBJECTS = 1_000_000
"""The most objects and lists: ten for each of 100,000 tickets. An empty one takes 100 times its size in memory."""

_LONGEST_REASON = 500


def parse_json(
    content: bytes, what: str, max_depth: int = MAX_DEPTH, *, max_objects: int = MAX_OBJECTS, hint: str = ""
) -> Any:
    """The value in `content`. Raises InputError, which calls the content `what` and carries `hint`."""
    # Brackets within texts count, too: only a parser could tell them apart.
    if content.count(b"{") + content.count(b"[") > max_objects:
        raise InputError(f"{what} has more than {max_objects:,} objects and lists, which is refused", hint=hint)
    try:
        text = content.decode("utf-8-sig")
        return without_half_pairs(json.loads(text, parse_constant=_refuse_constant, parse_float=_finite), max_depth)
    except RecursionError:
        raise InputError(f"{what} is nested too deeply", hint=hint) from None
    except ValueError as error:
        if content.lstrip()[:1] == b"<":
            raise InputError(
                f"{what} is a web page, not JSON", hint="It is often a login page or an error page: check the URL."
            ) from error
        raise InputError(f"{what} is not valid JSON: {truncate(str(error), _LONGEST_REASON)}", hint=hint) from error


def dump_json(value: Any) -> bytes:
    """`value` as indented JSON in UTF-8, with a line end."""
    return (json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def without_half_pairs(value: Any, depth: int) -> Any:
    """`value` with a replacement character for each half surrogate pair: JSON can hold them, UTF-8 cannot.

    Raises RecursionError for a value that is nested more than `depth` times.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if not isinstance(value, (dict, list)):
        return value
    if depth == 0:
        raise RecursionError
    if isinstance(value, list):
        return [without_half_pairs(item, depth - 1) for item in value]
    return {without_half_pairs(key, depth - 1): without_half_pairs(item, depth - 1) for key, item in value.items()}


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits} is too large")
    return number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
