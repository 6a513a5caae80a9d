"""The report as a page: what it contains, and that nothing but its own script and style has an effect."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ticketattr.domain.report import ReportContext, build_report
from ticketattr.domain.ticket import AttributedTicket, Attribution, Outcome, Ticket, Unattributed
from ticketattr.infrastructure.reports.html_report import HTMLReports
from ticketattr.infrastructure.words import LANGUAGES

from ...fakes import CATALOG, LAPTOP, MIDNIGHT, PASSWORD

HOSTILE = "</script><style>x</style><img src=x onerror=alert(1)>\x1b[31m\u202e$rows ${style} & \"'"


def a_ticket(id: str, outcome: Outcome, hours: float, text: str = "text", url: str = "") -> AttributedTicket:
    created = (MIDNIGHT - timedelta(hours=hours)).isoformat()
    return AttributedTicket(Ticket(id, text, text, created_at=created, url=url), outcome)


TICKETS = [
    a_ticket("later", Attribution(LAPTOP, "model", 0.9), 1),
    a_ticket("failed", Unattributed("quota", "429"), 1),
    a_ticket("review", Attribution(LAPTOP, "model", 0.1, alternatives=(PASSWORD,)), 1),
    a_ticket("overdue", Attribution(PASSWORD, "model", 0.2), 9, HOSTILE, "https://desk.example.com/1"),
    a_ticket("soon", Attribution(PASSWORD, "corrected"), 1),
]


def a_page(folder: Path, tickets: Sequence[AttributedTicket] = TICKETS, language: str = "en") -> str:
    context = ReportContext(catalog=CATALOG, language=language, time_zone="Europe/Berlin")
    report = build_report(tickets, run_id="20261123T000000Z-7f3a", generated_at=MIDNIGHT, context=context)
    path = folder / f"{language}.html"
    HTMLReports().write(report, path)
    return path.read_text(encoding="utf-8")


def test_the_most_urgent_tickets_come_first(tmp_path: Path) -> None:
    body = a_page(tmp_path).partition("<tbody>")[2].partition("</tbody>")[0]
    names = re.findall(r"<tr[^>]*><td>(?:<a[^>]*>)?(\w+)", body)
    assert names == ["overdue", "soon", "review", "failed", "later"]
    assert body.count("<tr") == body.count("</tr>") == len(TICKETS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_the_script_and_the_style_of_the_page_may_have_an_effect(tmp_path: Path, language: str) -> None:
    page = a_page(tmp_path, language=language)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    for tag in ("style", "script"):
        (content,) = re.findall(rf"(?s)<{tag}>(.*?)</{tag}>", page)
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    parsed = Parsed()
    parsed.feed(page)
    assert not {"link", "img", "iframe", "object", "base"} & parsed.tags
    assert not {name for name in parsed.attributes if name.startswith("on") or name in ("src", "style")}
    assert "url(" not in page
    assert f'<html lang="{language}">' in page


class Parsed(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_ticket_text_stays_text(tmp_path: Path) -> None:
    page = a_page(tmp_path)
    assert page.count("</script>") == page.count("<script>") == page.count("<style>") == 1
    assert "<img" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "$rows ${style} &amp; &quot;&#x27;" in page


def test_an_address_that_is_no_web_page_is_no_link(tmp_path: Path) -> None:
    tickets = [a_ticket("1", TICKETS[0].outcome, 1, url=f"{scheme}:alert(1)") for scheme in ("javascript", "data")]
    assert "href=" not in a_page(tmp_path, tickets).replace('href="#tickets"', "")


def test_an_empty_queue_is_told(tmp_path: Path) -> None:
    page = a_page(tmp_path, [])
    assert "The queue is empty." in page
