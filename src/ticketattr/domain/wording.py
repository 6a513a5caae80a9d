"""Lists in messages."""

from __future__ import annotations

from collections.abc import Iterable


def some_of(items: Iterable[str], most: int, *, separator: str = ", ") -> str:
    """The first `most` items and the number of the others, as text; empty if there are no items."""
    found = list(items)
    more = [f"and {len(found) - most:,} more"] if len(found) > most else []
    return separator.join([*found[:most], *more])
