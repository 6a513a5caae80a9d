"""Request types that are for what nothing else fits: "Other …", "General …"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .catalog import RequestType

_LEFT_OVER = re.compile(
    r"\b(other|others|general|misc|miscellaneous|uncategori[sz]ed|undefined|sonstiges?|autres?|otros?)\b", re.IGNORECASE
)
_SIGNS = re.compile(r"[(/)_\s]+")


def is_left_over(*names: str) -> bool:
    """Whether all of these names say that they are for what nothing else fits."""
    return all(_LEFT_OVER.search(name) for name in names)


def general_entry(entries: Sequence[RequestType]) -> int | None:
    """The entry for what fits nowhere, not even in a category."""
    places = range(len(entries))
    return next((place for place in places if is_left_over(entries[place].category, entries[place].name)), None)


def bare_name(entry: RequestType) -> str:
    """The name without what says that it is for the rest, and without signs."""
    return _SIGNS.sub(" ", _LEFT_OVER.sub(" ", entry.name)).strip()
