"""Words for messages: counted nouns, and lists that are cut short."""

from __future__ import annotations

from collections.abc import Iterable


def some_of(items: Iterable[str], most: int, *, separator: str = ", ") -> str:
    """The first `most` items and the number of the others, as text; empty if there are no items."""
    found = list(items)
    more = [f"and {len(found) - most:,} more"] if len(found) > most else []
    return separator.join([*found[:most], *more])


def duration(seconds: float) -> str:
    """About so long, such as `40 seconds`, `25 minutes`, `3.5 hours` or `4.2 days`."""
    if seconds < 90:
        return counted(max(round(seconds), 1), "second")
    if seconds < 90 * 60:
        return counted(round(seconds / 60), "minute")
    hours = seconds / 3600
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:,.1f} days"


def counted(number: int, noun: str, plural: str = "") -> str:
    """The number with its noun, such as `1 ticket` or `1,200 tickets`. `plural`: one without an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or f'{noun}s'}"
