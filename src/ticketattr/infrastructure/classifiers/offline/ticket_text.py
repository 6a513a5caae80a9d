"""The part of a ticket's text that its sentence vector is made of."""

from __future__ import annotations

_MAX_MEANING = 500
"""In characters: the matter stands at the beginning, and what follows would blur it."""


def meaning_text(title: str, body: str) -> str:
    return f"{title}\n{body}".strip()[:_MAX_MEANING]
