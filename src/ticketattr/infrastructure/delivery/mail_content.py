"""What a mail says, before it becomes text or HTML. All texts are safe to show, on one line, and in one language.

Everything comes from the message and from the figures in its workbooks, so that the same message always says the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.delivery import Message, ReportFile
from ...domain.due import Urgency
from ...domain.figures import ReportFigures, UrgentTicket
from ...domain.mail_subject import newest_figures
from ...domain.sanitizing import sanitize
from ..words import Words, words
from ..words.urgency import UrgentCase, urgency_text
from .headers import HIDDEN, one_line


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, and what it counts. `urgency` is the one that it counts (empty: none)."""

    number: str
    label: str
    urgency: Urgency = ""


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A ticket of the list of the most urgent ones. `url` and `text` may be empty."""

    id: str
    url: str
    urgency: Urgency
    why: str
    due: str
    pair: str
    text: str


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A report of the message: its name and size, and its figures if it is not the newest one."""

    name: str
    size: str
    figures: str


@dataclass(frozen=True, slots=True)
class MailContent:
    """The parts of a mail from top to bottom. `tickets`, `changes` and `failures` may be empty."""

    language: str
    title: str
    date: str
    intro: str
    figures: tuple[Figure, ...]
    tickets_heading: str
    tickets: tuple[TicketLine, ...]
    more_tickets: str
    changes_heading: str
    changes: tuple[Figure, ...]
    changes_note: str
    failures_heading: str
    failures: tuple[str, ...]
    failures_note: str
    reports_heading: str
    reports: tuple[ReportLine, ...]
    reports_note: str
    code: str


def content_of(message: Message) -> MailContent:
    """What the mail with `message` says."""
    say = words(message.form.language)
    figures = newest_figures(report.figures for report in message.reports)
    tickets = tuple(_ticket(ticket, figures, message, say) for ticket in figures.urgent) if figures else ()
    more = figures.urgent_count - len(tickets) if figures else 0
    return MailContent(
        language=say.language,
        title=say("mail.title"),
        date=f"{say.time(figures.generated_at)} {one_line(figures.time_zone)}" if figures else say.date(message.date),
        intro=_intro(figures, say),
        figures=_figures(figures, say),
        tickets_heading=say("mail.most urgent"),
        tickets=tickets,
        more_tickets=say.count("mail.more urgent", more) if more > 0 else "",
        changes_heading=say("mail.since"),
        changes=_changes(figures, say),
        changes_note=say("mail.first report") if figures and figures.new is None else "",
        failures_heading=say("mail.what failed"),
        failures=_failures(figures, say),
        failures_note=say("mail.retried"),
        reports_heading=_reports_heading(message, say),
        reports=tuple(_report(report, figures, say) for report in message.reports),
        reports_note=_reports_note(message, say),
        code=say("mail.code"),
    )


def file_name(report: ReportFile) -> str:
    """The name of the workbook, as a mail may show it."""
    # What looks like an encoded word is decoded by some programs, and by Python's own package.
    return HIDDEN.sub("_", report.path.name).replace("=?", "=_")


def _intro(figures: ReportFigures | None, say: Words) -> str:
    if figures is None:
        return say("mail.no figures")
    if not figures.tickets:
        return say("mail.nothing today")
    intro = say.count("mail.intro", figures.tickets, attributed=say.number(figures.attributed))
    return intro if figures.urgent else f"{intro} {say('mail.nothing urgent')}"


def _figures(figures: ReportFigures | None, say: Words) -> tuple[Figure, ...]:
    if figures is None or not figures.tickets:
        return ()
    return (
        Figure(say.number(figures.overdue), say("mail.overdue"), "overdue"),
        Figure(say.number(figures.due_soon), say("mail.due_soon"), "due within a day"),
        Figure(say.number(figures.review), say("mail.review"), "needs review"),
        Figure(say.number(figures.failed), say("mail.failed"), "failed"),
    )


def _ticket(ticket: UrgentTicket, figures: ReportFigures, message: Message, say: Words) -> TicketLine:
    case = UrgentCase(ticket.urgency, ticket.overdue_by, ticket.is_open_time, ticket.due)
    pair = f"{ticket.request_category} / {ticket.request_type}" if ticket.request_type else say("mail.no request type")
    return TicketLine(
        id=_shown(ticket.id) or say("mail.no id"),
        url=ticket.url if one_line(ticket.url) == ticket.url and " " not in ticket.url else "",
        urgency=ticket.urgency,
        why=urgency_text(case, figures.generated_at, say),
        due=say("mail.due at", time=say.time(ticket.due)) if ticket.due else "",
        pair=_shown(pair),
        text=_shown(ticket.short_description) if message.form.shows_ticket_text else "",
    )


def _changes(figures: ReportFigures | None, say: Words) -> tuple[Figure, ...]:
    if figures is None:
        return ()
    counts = (
        ("new", figures.new),
        ("changed", figures.changed),
        ("gone", figures.gone),
        ("newly overdue", figures.newly_overdue),
    )
    return tuple(Figure(say.number(count), say(f"mail.{name}")) for name, count in counts if count is not None)


def _failures(figures: ReportFigures | None, say: Words) -> tuple[str, ...]:
    lines = []
    for failed in figures.failures if figures else ():
        reason = say.section("reason").get(failed.reason, failed.reason)
        line = say.count("mail.failed for", failed.count, reason=_shown(reason))
        ids = ", ".join(filter(None, map(_shown, failed.ids)))
        lines.append(f"{line} ({ids}{', …' if failed.count > len(failed.ids) else ''})" if ids else line)
    return tuple(lines)


def _reports_heading(message: Message, say: Words) -> str:
    return say.count("mail.reports", len(message.reports)) if message.form.attaches else say("mail.not attached")


def _reports_note(message: Message, say: Words) -> str:
    if message.form.attaches:
        return say("mail.workbook")
    return " ".join(say("mail.where", path=one_line(str(report.path))) for report in message.reports)


def _report(report: ReportFile, newest: ReportFigures | None, say: Words) -> ReportLine:
    size = f"{say.number(max(1, round(report.size / 1024)))} KiB"
    own = report.figures
    if own is None or own is newest:
        return ReportLine(file_name(report), size, "")
    counts = {name: say.number(getattr(own, name)) for name in ("overdue", "review", "failed")}
    line = say.count("mail.earlier report", own.tickets, **counts)
    return ReportLine(file_name(report), size, f"{say.time(own.generated_at)}: {line}")


def _shown(text: str) -> str:
    return one_line(sanitize(text)).strip()
