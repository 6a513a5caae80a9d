"""The part of a ticket's text that is encoded as its sentence vector."""

from __future__ import annotations

_MAX_MEANING = 500
"""The length of that part, in characters. The subject of a ticket is usually at the start of its text."""


def meaning_text(title: str, body: str) -> str:
    """Returns the start of title and body."""
    return f"{title}\n{body}".strip()[:_MAX_MEANING]
