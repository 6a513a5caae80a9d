"""Thirty tickets for a helpdesk: most in HTML, with umlauts, some with attachments, closed or categorised already."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

GOLD = Path(__file__).parents[1] / "data" / "gold"
CATALOG = GOLD / "stadt.yaml"

SIZE = 30


@dataclass(frozen=True)
class GivenTicket:
    """What is put into a helpdesk. An empty `category` is none."""

    subject: str
    text: str
    is_html: bool = False
    is_closed: bool = False
    has_attachment: bool = False
    category: str = ""
    request_type: str = ""

    @property
    def markup(self) -> str:
        lines = "<br>".join(html.escape(line) for line in self.text.splitlines())
        return f'<html><body><div class="x"><style>p {{color: red}}</style><p>{lines}</p></div></body></html>'


def queue() -> list[GivenTicket]:
    """Every third ticket is plain, every fifth has an attachment, every seventh is closed, every eighth categorised."""
    with (GOLD / "stadt.jsonl").open(encoding="utf-8") as file:
        labelled = [json.loads(line) for line in islice(file, SIZE)]
    return [
        GivenTicket(
            subject=f"{ticket['short_description']} ({number})",
            text=ticket["long_description"] or "Bitte um Rückruf.",
            is_html=number % 3 != 0,
            has_attachment=number % 5 == 0,
            is_closed=number % 7 == 0,
            category=ticket["request_category"] if number % 8 == 0 else "",
            request_type=ticket["request_type"] if number % 8 == 0 else "",
        )
        for number, ticket in enumerate(labelled, start=1)
    ]


def write_plain_file(tickets: list[GivenTicket], path: Path) -> None:
    """The open tickets as the answer of a webhook, in plain text."""
    items = [
        {
            "id": number,
            "short_description": ticket.subject,
            "long_description": ticket.text,
            "request_category": ticket.category,
            "request_type": ticket.request_type,
        }
        for number, ticket in enumerate(tickets, start=1)
        if not ticket.is_closed
    ]
    path.write_text(json.dumps(items), encoding="utf-8")
