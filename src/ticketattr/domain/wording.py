"""Words for messages: counted nouns, and lists that are cut short."""

from __future__ import annotations

from collections.abc import Iterable


def some_of(items: Iterable[str], most: int, *, separator: str = ", ") -> str:
    """The first `most` items and the number of the others, as text; empty if there are no items."""
    found = list(items)
    more = [f"and {len(found) - most:,} more"] if len(found) > most else []
    return separator.join([*found[:most], *more])


def counted(number: int, noun: str, plural: str = "") -> str:
    """The number with its noun, such as `1 ticket` or `1,200 tickets`. `plural`: one without an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or f'{noun}s'}"
