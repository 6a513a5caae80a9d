"""Finds the JSON in the text of a model, which may put it into a code fence, into prose, or write it twice."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from ...json_text import MAX_DEPTH, without_half_pairs

MAX_ATTEMPTS = 20
"""How many places of a text are tried: each attempt may read the rest of the text."""

_START = re.compile(r"[{\[]")


def json_values(text: str) -> Iterator[Any]:
    """Yields the objects and lists in `text`, in their order; NaN and Infinity are None.

    What is nested inside another value is not yielded by itself. Takes linear time: at most MAX_ATTEMPTS places are
    tried. A value that is nested too deeply is skipped.
    """
    decoder = json.JSONDecoder(parse_constant=lambda _: None, parse_float=_finite, parse_int=_integer, strict=False)
    position = 0
    for _ in range(MAX_ATTEMPTS):
        start = _START.search(text, position)
        if start is None:
            return
        try:
            value, position = decoder.raw_decode(text, start.start())
            value = without_half_pairs(value, MAX_DEPTH)
        except (ValueError, RecursionError):
            position = start.end()
        else:
            yield value


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _integer(digits: str) -> int | None:
    # Python refuses to read a number with thousands of digits, and nothing here needs one.
    return int(digits) if len(digits) < 20 else None
