"""The HTML of a mail. Outlook lays out by tables only, and Gmail may drop `<style>`, so each element has its style.

`<style>` adds dark mode, and lets the figures stand in two rows on a telephone, where the program supports it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from string import Template

from ...domain.due import Urgency
from .mail_content import Figure, MailContent, ReportLine, TicketLine

_FONT = "font-family:'Segoe UI',system-ui,-apple-system,Roboto,Helvetica,Arial,sans-serif"
_TEXT, _MUTED, _LINE, _LINK = "color:#1b1f24", "color:#57606a", "border-bottom:1px solid #d8dee4", "color:#0b5cad"
# The name of the colour in `<style>`, and the colour itself.
_COLOURS: dict[Urgency, tuple[str, str]] = {
    "overdue": ("red", "#b42318"),
    "due within a day": ("blue", "#0b5cad"),
    "needs review": ("amber", "#8a5a00"),
    "failed": ("violet", "#6e3a91"),
    "": ("text", "#1b1f24"),
}
_TABLE = '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">'


def as_html(content: MailContent, codebase_url: str, sender_name: str) -> str:
    """The mail as an HTML page."""
    page = (files(__package__) / "templates" / "mail.html").read_text(encoding="utf-8")
    url = escape(codebase_url)
    return Template(page).substitute(
        language=content.language,
        title=escape(content.title),
        date=escape(content.date),
        preview=escape(_preview(content)),
        body="\n".join(_blocks(content)),
        code=escape(content.code),
        link=f'<a class="blue" href="{url}" style="{_LINK}">{url}</a>',
        sender_name=escape(sender_name),
    )


def _preview(content: MailContent) -> str:
    """What a list of mails shows beside the subject."""
    return ", ".join(f"{figure.number} {figure.label}" for figure in content.figures) or content.intro


def _blocks(content: MailContent) -> Iterable[str]:
    yield _paragraph(content.intro)
    if content.figures:
        yield _tiles(content.figures)
    if content.tickets:
        yield _section(content.tickets_heading, _TABLE + "".join(map(_ticket, content.tickets)) + "</table>")
        yield _note(content.more_tickets)
    if content.changes or content.changes_note:
        yield _section(content.changes_heading, _counts(content.changes) + _note(content.changes_note))
    if content.failures:
        lines = "".join(_paragraph(line, margin="0 0 4px") for line in content.failures)
        yield _section(content.failures_heading, lines + _note(content.failures_note))
    yield _section(content.reports_heading, "".join(map(_report, content.reports)) + _note(content.reports_note))


def _section(heading: str, inner: str) -> str:
    style = f"margin:28px 0 10px;font-size:16px;line-height:22px;font-weight:600;{_FONT};{_TEXT}"
    return f'<h2 class="text" style="{style}">{escape(heading)}</h2>\n{inner}'


def _paragraph(text: str, margin: str = "0 0 12px") -> str:
    return f'<p class="text" style="margin:{margin};font-size:15px;line-height:22px;{_FONT};{_TEXT}">{escape(text)}</p>'


def _note(text: str) -> str:
    if not text:
        return ""
    style = f"margin:8px 0 0;font-size:13px;line-height:19px;{_FONT};{_MUTED}"
    return f'<p class="muted" style="{style}">{escape(text)}</p>'


def _tiles(figures: Sequence[Figure]) -> str:
    return f"{_TABLE}<tr>{''.join(map(_tile, figures))}</tr></table>"


def _tile(figure: Figure) -> str:
    name, colour = _COLOURS[figure.urgency if figure.number != "0" else ""]
    return (
        '<td class="tile" width="25%" valign="top" style="padding:4px 8px 4px 0">'
        f'<div class="{name}" style="font-size:30px;line-height:36px;font-weight:700;{_FONT};color:{colour}">'
        f"{escape(figure.number)}</div>"
        f'<div class="muted" style="font-size:13px;line-height:18px;{_FONT};{_MUTED}">{escape(figure.label)}</div></td>'
    )


def _ticket(ticket: TicketLine) -> str:
    name, colour = _COLOURS[ticket.urgency]
    link = f'class="blue" style="{_LINK};font-weight:600;text-decoration:underline"'
    name_of = f'<a href="{escape(ticket.url)}" {link}>{escape(ticket.id)}</a>' if ticket.url else escape(ticket.id)
    text = f'<div class="text" style="{_TEXT}"><bdi>{escape(ticket.text)}</bdi></div>' if ticket.text else ""
    cell = f"padding:9px 0;font-size:14px;line-height:20px;{_FONT};{_LINE};word-break:break-word"
    return (
        f'<tr><td class="line text" valign="top" style="{cell};{_TEXT}"><strong>{name_of}</strong>{text}'
        f'<div class="muted" style="font-size:13px;{_MUTED}">{escape(ticket.pair)}</div></td>'
        f'<td class="line" valign="top" align="right" width="42%" style="{cell};padding-left:12px">'
        f'<div class="{name}" style="font-weight:600;color:{colour}">{escape(ticket.why)}</div>'
        f'<div class="muted" style="font-size:13px;{_MUTED}">{escape(ticket.due)}</div></td></tr>'
    )


def _counts(figures: Sequence[Figure]) -> str:
    cell = f"padding:3px 0;font-size:15px;line-height:21px;{_FONT};{_TEXT}"
    lines = (
        f'<tr><td class="text" width="36" align="right" style="{cell};padding-right:12px;font-weight:600">'
        f'{escape(figure.number)}</td><td class="text" style="{cell}">{escape(figure.label)}</td></tr>'
        for figure in figures
    )
    return f"{_TABLE}{''.join(lines)}</table>" if figures else ""


def _report(report: ReportLine) -> str:
    name = f'{escape(report.name)} <span class="muted" style="{_MUTED}">({escape(report.size)})</span>'
    style = f"margin:0 0 4px;font-size:14px;line-height:20px;word-break:break-all;{_FONT};{_TEXT}"
    return f'<p class="text" style="{style}">{name}</p>{_note(report.figures)}'
