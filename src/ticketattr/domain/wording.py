"""Lists in messages: the first few of them, and how many more there are."""

from __future__ import annotations

from collections.abc import Iterable


def some_of(items: Iterable[str], most: int, *, separator: str = ", ") -> str:
    """Empty when there are none."""
    found = list(items)
    more = [f"and {len(found) - most:,} more"] if len(found) > most else []
    return separator.join([*found[:most], *more])
