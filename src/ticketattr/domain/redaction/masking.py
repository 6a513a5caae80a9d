"""Private text in a form that a person who knows it recognizes, and nobody else can use."""

from __future__ import annotations

import re

from .found import Kind

_REST_OF_WORD = re.compile(r"(?<=[^\W_])[^\W_]")
_LONGEST = 40
_MASK = "********"


def masked(text: str, kind: Kind) -> str:
    """Returns the first character of each word, and all signs, at most 40; of a secret, not even its length."""
    if kind == "SECRET":
        return _MASK
    hidden = _REST_OF_WORD.sub("*", " ".join(text.split()))
    return hidden if len(hidden) <= _LONGEST else f"{hidden[:_LONGEST]}…"
