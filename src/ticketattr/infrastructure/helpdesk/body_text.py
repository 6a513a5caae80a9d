"""Text of a description or a message, by what a profile says that it is written in."""

from __future__ import annotations

from typing import Any

from ..ticket_text import ticket_text
from ..ticket_text.html_text import html_text
from .profile import TextKind
from .thread import ToText


def body_reader(kind: TextKind) -> ToText:
    """What makes text of a body: each message may say that it is HTML, all others are of this `kind`."""

    def to_text(body: Any, is_html: bool | None) -> str:
        if not isinstance(body, str):
            return ticket_text(body) or ""
        if is_html or (is_html is None and kind == "html"):
            return html_text(body)
        if is_html is False or kind == "plain":
            return body.strip()
        return ticket_text(body) or ""

    return to_text
