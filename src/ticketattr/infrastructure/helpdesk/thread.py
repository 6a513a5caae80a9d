"""The text of a ticket from the messages of its thread: the first one whole, later ones without what they quote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...domain.sanitizing import truncate
from .profile import Thread
from .quoted_replies import without_quotation

MAX_LATER = 10_000
"""The most characters that later messages may add to the first one."""

ToText = Callable[[Any, bool | None], str]
"""Makes text of a body; the second argument says whether the body is HTML (None: look)."""


def thread_text(
    thread: Thread, source: Mapping[str, Any], ticket: Mapping[str, Any], first: str, to_text: ToText
) -> str:
    """Returns `first`, or the first message where that is empty, and the newest later messages that count.

    `source` is where the messages are found; `ticket` is what the helpdesk said about the ticket. What is left out
    is said by a line in square brackets.
    """
    messages = list(_messages(thread, source, ticket))
    texts = [to_text(thread.body.search(each), _is_html(thread, each)) for each in messages]
    subject = str(ticket.get("subject") or "")
    own = [
        without_quotation(text, subject)
        for text, each in zip(texts[1:], messages[1:], strict=True)
        if text and thread.counts and thread.counts.search(each)
    ]
    kept = _newest(own, thread.at_most)
    left_out = len(own) - len(kept)
    note = f"[{left_out} later message{'s' if left_out > 1 else ''} left out]" if left_out else ""
    opening = first or (texts[0] if texts else "")
    return "\n\n".join(filter(None, [opening, note, *kept]))


def _newest(texts: Sequence[str], at_most: int) -> list[str]:
    """The newest `at_most` of `texts` that together have at most MAX_LATER characters; a long one is cut."""
    kept: list[str] = []
    left = MAX_LATER
    for text in reversed(texts[len(texts) - min(at_most, len(texts)) :]):
        if left > 0:
            kept.insert(0, truncate(text, left))
        left -= len(text)
    return kept


def _messages(thread: Thread, source: Mapping[str, Any], ticket: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each message with its ticket; of several versions of one message, the first."""
    groups: list[Any] = []
    found = thread.messages.search(source)
    for message in found if isinstance(found, list) else []:
        each = {"message": message, "ticket": ticket}
        group = thread.group.search(each) if thread.group else None
        if group is not None and group in groups[-1:]:
            continue
        groups.append(group)
        yield each


def _is_html(thread: Thread, each: Mapping[str, Any]) -> bool | None:
    return bool(thread.is_html.search(each)) if thread.is_html else None
