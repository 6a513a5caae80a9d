"""What a mail says about its reports, as text and as HTML."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser

import pytest

from ticketattr.application.outgoing_messages import Addressing
from ticketattr.domain.changes import EarlierReport
from ticketattr.domain.delivery import DEFAULT_FORM, MailForm, Message, ReportFile
from ticketattr.domain.figures import MAX_TEXT, MAX_URL, MOST_URGENT, FailedTickets, ReportFigures, UrgentTicket
from ticketattr.domain.report import ReportContext, build_report
from ticketattr.domain.ticket import AttributedTicket, Attribution, Outcome, Ticket, Unattributed
from ticketattr.infrastructure.delivery.mail_content import content_of
from ticketattr.infrastructure.delivery.mail_html import as_html
from ticketattr.infrastructure.delivery.mail_text import as_text
from ticketattr.infrastructure.delivery.message import MailTemplate
from ticketattr.infrastructure.reports.excel import write_workbook
from ticketattr.infrastructure.reports.figures_text import figures_as_lines, read_figures

from ...fakes import CATALOG, LAPTOP, MIDNIGHT, PASSWORD, a_message, a_report

HOSTILE = '<img src=x onerror="alert(1)">&\u202e\x1b[31m\r\nBcc: all@example.com'
TEMPLATE = MailTemplate("Service Desk", "https://example.com/code")


def a_ticket(id: str, text: str, outcome: Outcome, hours: float, url: str = "") -> AttributedTicket:
    created = (MIDNIGHT - timedelta(hours=hours)).isoformat()
    return AttributedTicket(Ticket(id, text, created_at=created, url=url), outcome)


TICKETS = [
    a_ticket("T-1", "locked out", Attribution(PASSWORD, "model", 0.9), 7.5, "https://desk.example.com/T-1"),
    a_ticket("T-2", "broken hinge", Attribution(LAPTOP, "model", 0.2), 60),
    a_ticket("T-3", "later", Attribution(LAPTOP, "model", 0.9), 1),
    a_ticket("T-4", "too much", Unattributed("quota", "429"), 1),
]


def a_workbook(tickets: Sequence[AttributedTicket] = TICKETS, *, earlier: EarlierReport | None = None) -> bytes:
    context = ReportContext(catalog=CATALOG, time_zone="Europe/Berlin", earlier=earlier)
    file = io.BytesIO()
    write_workbook(build_report(tickets, run_id="20261123T000000Z-7f3a", generated_at=MIDNIGHT, context=context), file)
    return file.getvalue()


def composed(*contents: bytes, form: MailForm = DEFAULT_FORM) -> EmailMessage:
    reports = (described(content, f"{number}.xlsx") for number, content in enumerate(contents))
    message = replace(a_message(*reports), form=form)
    return message_from_bytes(TEMPLATE.compose(message, contents), EmailMessage, policy=default)


def described(content: bytes, name: str) -> ReportFile:
    return replace(a_report(content, name), figures=read_figures(content))


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part
    return str(part.get_content())


class Visible(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


def visible(html: str) -> str:
    parser = Visible()
    parser.feed(re.sub(r"(?s)<style>.*</style>", "", html))
    return " ".join(" ".join(parser.seen).split())


def both(mail: EmailMessage) -> list[str]:
    return [" ".join(body(mail, "plain").split()), visible(body(mail, "html"))]


class TestWhatItSays:
    def test_figures_urgent_tickets_changes_and_failures_stand_in_both_bodies(self) -> None:
        earlier = EarlierReport.of("20261122T000000Z-0000", [*TICKETS[1:], a_ticket("T-9", "x", TICKETS[0].outcome, 9)])
        for text in both(composed(a_workbook(earlier=earlier))):
            assert "2026-11-23 01:00 Europe/Berlin" in text
            assert "4 tickets in the queue, 3 with a request type." in text
            for figure in ("1 overdue", "1 due within a day", "2 to review", "1 failed", "1 new", "1 no longer in"):
                assert figure in text, (figure, text)
            assert "overdue by 3 h 30 min" in text
            assert "due in 12 h" in text
            assert text.index("T-1") < text.index("T-2") < text.index("T-4")
            assert "1 ticket: the daily quota was used up (T-4)" in text

    def test_it_says_where_a_corrected_workbook_goes(self) -> None:
        for text in both(composed(a_workbook())):
            assert "put the saved workbook into the folder for corrections, or give it to the operator" in text

    def test_links_are_in_both_bodies(self) -> None:
        mail = composed(a_workbook())
        assert "       https://desk.example.com/T-1" in body(mail, "plain").splitlines()
        assert '<a href="https://desk.example.com/T-1"' in body(mail, "html")

    @pytest.mark.parametrize("shows", [False, True])
    def test_text_of_tickets_is_there_only_if_that_is_set(self, shows: bool) -> None:
        mail = composed(a_workbook(), form=MailForm(shows_ticket_text=shows))
        for text in both(mail):
            assert ("locked out" in text) == ("broken hinge" in text) == shows

    def test_an_empty_queue_is_told_without_figures(self) -> None:
        for text in both(composed(a_workbook([]))):
            assert "Nothing today: the queue is empty." in text
            assert "0 overdue" not in text

    def test_a_workbook_without_figures_is_announced_all_the_same(self) -> None:
        for text in both(composed(b"an older workbook")):
            assert "states no figures" in text
            assert "0.xlsx" in text

    def test_of_several_reports_the_newest_decides_and_the_others_have_a_line(self) -> None:
        old = a_workbook(TICKETS[:1]), b"older"
        for text in both(composed(*old, a_workbook())):
            assert "4 tickets in the queue" in text
            assert "1 ticket, 1 overdue, 0 to review, 0 failed" in text
            assert "Attached: 3 reports" in text

    def test_without_the_attachment_it_says_where_the_report_is(self) -> None:
        content = a_workbook()
        message = a_message(described(content, "output/report.xlsx"))
        message = replace(message, form=MailForm(attaches=False))
        mail = message_from_bytes(TEMPLATE.compose(message, [content]), EmailMessage, policy=default)
        assert list(mail.iter_attachments()) == []
        # A repetition has the frame alone, and the form of other settings.
        repeated = replace(message, frame=TEMPLATE.frame(message), form=DEFAULT_FORM)
        assert len(list(message_from_bytes(TEMPLATE.compose(repeated, [content])).walk())) == 3
        for text in both(mail):
            assert "Not attached: too large for the mail server" in text
            assert "output/report.xlsx" in text
            assert "1 overdue" in text


class TestSafety:
    @pytest.fixture
    def mail(self) -> EmailMessage:
        outcome = Attribution(PASSWORD, "model", 0.9)
        tickets = [
            a_ticket(HOSTILE, HOSTILE, outcome, 9, "javascript:alert(1)"),
            a_ticket("T-2", "x", outcome, 8, f"https://example.com/{HOSTILE}"),
        ]
        return composed(a_workbook(tickets), form=MailForm(shows_ticket_text=True))

    def test_ticket_text_is_neither_markup_nor_link_nor_header(self, mail: EmailMessage) -> None:
        html = body(mail, "html")
        assert "<img" not in html
        assert "javascript:" not in html
        assert re.findall(r'href="([^"]*)"', html) == ["https://example.com/code"]
        assert mail["Bcc"] is None
        for text in (html, body(mail, "plain")):
            assert "\x1b" not in text
            assert "\u202e" not in text

    def test_each_element_has_its_style_and_loads_nothing(self, mail: EmailMessage) -> None:
        html = body(mail, "html")
        for tag in re.findall(r"<(?:p|h1|h2|td|div)\b[^>]*>", re.sub(r"(?s)<!--.*?-->", "", html)):
            assert "style=" in tag, tag
        assert not re.search(r"(?i)<(script|link|img|iframe)|url\(|@import|https?://(?!example\.com/code)", html)

    def test_figures_of_a_stranger_are_no_figures(self) -> None:
        good = figures_as_lines(LARGE)
        assert read_figures(b"no archive") is None
        for line in ("{}", "[]", "nonsense", good[0].replace('"tickets": ', '"tickets": -'), "[" * 100_000):
            assert read_figures(_with_lines([line])) is None
        assert read_figures(_with_lines([good[0], good[1].replace('"overdue"', '"<b>"')])) is None


CUT = "🎉" * 50
LARGE = ReportFigures(
    generated_at=MIDNIGHT,
    time_zone="America/Argentina/ComodRivadavia",
    **dict.fromkeys(("tickets", "attributed", "overdue", "due_soon", "review", "failed", "urgent_count"), 10**9),
    **dict.fromkeys(("new", "changed", "gone", "newly_overdue"), 10**9),
    urgent=tuple(
        UrgentTicket(CUT, "overdue", f"https://x/{'&' * (MAX_URL - 10)}", CUT, CUT, CUT, 1e9, True, MIDNIGHT)
        for _ in range(MOST_URGENT)
    ),
    failures=tuple(FailedTickets(CUT, 10**9, ("🎉" * 20,) * 5) for _ in range(7)),
)


def _with_lines(lines: Sequence[str]) -> bytes:
    from xlsxwriter import Workbook

    file = io.BytesIO()
    workbook = Workbook(file, {"constant_memory": True})
    sheet = workbook.add_worksheet("Figures")
    for row, line in enumerate(lines):
        sheet.write_string(row, 0, line)
    workbook.close()
    return file.getvalue()


def test_figures_come_back_from_a_workbook_as_they_were() -> None:
    assert read_figures(_with_lines(figures_as_lines(LARGE))) == LARGE
    escape = replace(LARGE, urgent=(replace(LARGE.urgent[0], id="_x0041_ </t>"),))
    assert read_figures(_with_lines(figures_as_lines(escape))) == escape


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_a_mail_with_the_longest_figures_keeps_within_the_size_that_messages_are_planned_with(language: str) -> None:
    content = _with_lines(figures_as_lines(LARGE))
    report = replace(a_report(content), figures=read_figures(content))
    form = MailForm(language, shows_ticket_text=True)
    message = Addressing("smtp", "desk@example.com", ("a@example.com",), "x", form=form).message([report], MIDNIGHT)
    from ticketattr.application.outgoing_messages import _size_of_mail

    assert len(TEMPLATE.compose(message, [content])) <= _size_of_mail([report])


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_lines_of_the_text_fit_78_columns(language: str) -> None:
    figures = replace(
        LARGE,
        urgent=(
            UrgentTicket("T-1", "overdue", "", "Access", "Password " * 10, "x" * MAX_TEXT, 51.25, True, MIDNIGHT),
            UrgentTicket("A very long id " * 4, "overdue", "", "Access", "", "", 0.0, True, MIDNIGHT),
            UrgentTicket("服务台" * 3, "due within a day", "", "Access", "", "", None, False, MIDNIGHT),
        ),
        failures=(FailedTickets("quota", 7, ("T-1", "T-2")),),
    )
    message = _message(figures, MailForm(language, shows_ticket_text=True))
    lines = as_text(content_of(message), "https://example.com", "Desk").splitlines()
    assert max(map(len, lines)) <= 78, max(lines, key=len)
    assert f'lang="{language}"' in as_html(content_of(message), "https://example.com", "Desk")


def _message(figures: ReportFigures, form: MailForm) -> Message:
    return replace(a_message(replace(a_report(), figures=figures)), form=form)


def test_half_a_surrogate_pair_in_an_id_is_no_bug() -> None:
    tickets = [a_ticket("\ud83d", "\udc00", Unattributed("quota"), 1), a_ticket("T\ud83d", "x", TICKETS[0].outcome, 9)]
    figures = read_figures(a_workbook(tickets))
    assert figures
    assert [ticket.id for ticket in figures.urgent] == ["T\ufffd", "\ufffd"]
