"""The text of a mail, for people and programs that show no HTML: columns, at most 78 characters wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from unicodedata import east_asian_width

from .mail_content import Figure, MailContent, TicketLine

_WIDTH = 78
_MOST_ID = 20


def as_text(content: MailContent, codebase_url: str, sender_name: str) -> str:
    """The mail as plain text. Addresses stay on a line of their own, whatever their length."""
    blocks = (
        [f"{content.title}, {content.date}"],
        textwrap.wrap(content.intro, _WIDTH),
        _columns(content.figures),
        _section(content.tickets_heading, _tickets(content)) if content.tickets else [],
        _section(content.changes_heading, [*_columns(content.changes), *_indented(content.changes_note)])
        if content.changes or content.changes_note
        else [],
        _section(content.failures_heading, _failures(content)) if content.failures else [],
        _section(content.reports_heading, list(_reports(content))),
        [content.code, codebase_url],
        [sender_name],
    )
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _section(heading: str, lines: Sequence[str]) -> list[str]:
    return [heading, "-" * min(_width(heading), _WIDTH), *lines]


def _columns(figures: Sequence[Figure]) -> list[str]:
    widest = max((len(figure.number) for figure in figures), default=0)
    return [f"  {figure.number.rjust(widest)}  {figure.label}" for figure in figures]


def _tickets(content: MailContent) -> list[str]:
    id_width = min(_MOST_ID, max(_width(ticket.id) for ticket in content.tickets))
    due_width = max(_width(ticket.due) for ticket in content.tickets)
    why_width = min(_WIDTH - 6 - id_width - due_width, max(_width(ticket.why) for ticket in content.tickets))
    lines = [line for ticket in content.tickets for line in _ticket(ticket, id_width, why_width)]
    return [*lines, "", *_indented(content.more_tickets)] if content.more_tickets else lines


def _ticket(ticket: TicketLine, id_width: int, why_width: int) -> Iterator[str]:
    """First id, reason and due time as columns, below each other if they are too long; then what belongs to them."""
    indent = " " * (4 + id_width)
    line = f"  {_padded(ticket.id, id_width)}  {_padded(ticket.why, why_width)}  {ticket.due}".rstrip()
    if fits := _width(line) <= _WIDTH:
        yield line
    else:
        yield f"  {ticket.id}"
    for text in (*(() if fits else (ticket.why, ticket.due)), ticket.pair, ticket.text):
        yield from textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
    if ticket.url:
        yield f"{indent}{ticket.url}"


def _failures(content: MailContent) -> list[str]:
    return [line for text in (*content.failures, content.failures_note) for line in _indented(text)]


def _reports(content: MailContent) -> Iterator[str]:
    for report in content.reports:
        yield f"  {report.name}  ({report.size})"
        yield from _indented(report.figures, 4)
    if content.reports_note:
        yield ""
        yield from _indented(content.reports_note)


def _indented(text: str, by: int = 2) -> list[str]:
    indent = " " * by
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """The columns that a terminal needs for `text`."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
