"""JSON from outside: bounded in depth and in number of objects, free of what no file or terminal can carry."""

from __future__ import annotations

import json
import math
from typing import Any

from ..domain.sanitizing import truncate
from ..errors import InputError

MAX_DEPTH = 50
MAX_OBJECTS = 1_000_000
"""Objects and lists: ten for each of 100,000 tickets. An empty one takes a hundred times its place in memory."""

_LONGEST_REASON = 500


def parse_json(
    content: bytes, what: str, max_depth: int = MAX_DEPTH, *, max_objects: int = MAX_OBJECTS, hint: str = ""
) -> Any:
    """The value in `content`. Raises InputError, which says of `what` it was, and by `hint` what to do next."""
    # Those within texts count too: to tell them apart would be to parse them.
    if content.count(b"{") + content.count(b"[") > max_objects:
        raise InputError(f"{what} has more than {max_objects:,} objects and lists, which is refused", hint=hint)
    try:
        text = content.decode("utf-8-sig")
        return _tidy(json.loads(text, parse_constant=_refuse_constant, parse_float=_finite), max_depth)
    except RecursionError:
        raise InputError(f"{what} is nested too deeply", hint=hint) from None
    except ValueError as error:
        if content.lstrip()[:1] == b"<":
            raise InputError(
                f"{what} is a web page, not JSON", hint="Often a login or error page: check the URL."
            ) from error
        raise InputError(f"{what} is not valid JSON: {truncate(str(error), _LONGEST_REASON)}", hint=hint) from error


def dump_json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def _tidy(value: Any, depth: int) -> Any:
    """`value` with half surrogate pairs replaced: JSON can spell them, UTF-8 cannot."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if not isinstance(value, (dict, list)):
        return value
    if depth == 0:
        raise RecursionError
    if isinstance(value, list):
        return [_tidy(item, depth - 1) for item in value]
    return {_tidy(key, depth - 1): _tidy(item, depth - 1) for key, item in value.items()}


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits} is too large a number")
    return number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
