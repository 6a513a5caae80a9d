"""The report as one HTML page that loads nothing, with the most urgent tickets first.

Its script filters and sorts; without it, the page shows everything. The page allows only this script and this style, by
their hashes. A narrow screen shows each ticket as a card.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from ...domain.act_now import least_certain, most_urgent
from ...domain.due import Urgency
from ...domain.figures import figures_of
from ...domain.report import Report, Row
from ...domain.sanitizing import sanitize
from ...domain.summary import Count, Summary, summarize
from ..files import output
from ..words import Words, words
from .labels import (
    ACT_NOW_MEANINGS,
    DUE_MEANINGS,
    EFFECT_MEANINGS,
    MEANINGS,
    act_now_counts,
    by_category,
    changes,
    counted_types,
    facts,
    gone_tickets,
    oldest_ticket,
    queue_line,
    review_checks,
    shown_time,
    since_heading,
    sla_text,
    urgency_in_words,
    words_of,
)

_COLUMNS = (
    "id",
    "urgency",
    "due",
    "short_description",
    "request_type",
    "request_category",
    "sla_value",
    "age_days",
    "since_last_report",
    "needs_review",
    "source",
)
_COLOURS: dict[Urgency, str] = {
    "overdue": "red",
    "due within a day": "blue",
    "needs review": "amber",
    "failed": "violet",
}
_BAR_STEPS = 20


@dataclass(frozen=True, slots=True)
class HTMLReports:
    """Writes reports as HTML pages; a path of `-` is stdout."""

    def write(self, report: Report, path: Path) -> None:
        # The template is split before anything is filled in, because a text may contain the mark.
        before, _, after = _source("page.html").partition("$rows")
        with output(path) as file:
            file.write(_start(before, report).encode())
            for line in _tickets(report):
                file.write(line.encode())
            file.write(_end(after, report).encode())


def policy_of(start: str) -> str:
    """The Content-Security-Policy for a page whose file begins with `start`: the script and style that it names itself.

    A text that is no page of ours may have neither.
    """
    hashes = re.search(r"style-src '(sha256-[\w+/=]{44})'; script-src '(sha256-[\w+/=]{44})'", start)
    style, script = (f"'{hashes[1]}'", f"'{hashes[2]}'") if hashes else ("'none'", "'none'")
    return f"default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"


def _source(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _start(template: str, report: Report) -> str:
    say = words_of(report)
    columns, page = say.section("columns"), say.section("page")
    style = _style(say)
    return Template(template).substitute(
        language=say.language,
        style_hash=_hash(style),
        script_hash=_hash(_source("page.js")),
        title=_text(f"{say.text('Ticket attribution')} {report.run_id}"),
        style=style,
        skip=_text(page["Skip to the tickets"]),
        heading=_text(say.text("Ticket attribution")),
        made=_text(queue_line(report)),
        tiles=_tiles(report, say),
        tickets=_text(say.text("Tickets")),
        filter=_filter(report, say),
        headings="".join(f'<th scope="col">{_text(columns[name])}</th>' for name in _COLUMNS),
    )


def _end(template: str, report: Report) -> str:
    lines = (f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts(report))
    return Template(template).substitute(
        summary="\n".join(_summary(report, summarize(report))),
        about=_text(words_of(report).text("About this report")),
        facts="".join(lines),
        script=_source("page.js"),
    )


def _style(say: Words) -> str:
    """The style, with the headings of the columns, which a narrow screen shows beside each cell, and the bars."""
    columns = say.section("columns")
    labels = (
        f".tickets td:nth-child({place})::before {{ content: {_css_string(columns[name])}; }}"
        for place, name in enumerate(_COLUMNS, start=1)
    )
    bars = (f".w{step} {{ width: {100 * step // _BAR_STEPS}%; }}" for step in range(_BAR_STEPS + 1))
    return f"{_source('page.css')}{' '.join(bars)}\n@media (max-width: 50rem) {{ {' '.join(labels)} }}\n"


def _css_string(text: str) -> str:
    return '"' + "".join(f"\\{ord(character):x} " if not character.isalnum() else character for character in text) + '"'


def _hash(text: str) -> str:
    """The source expression of an inline script or style, for the Content-Security-Policy."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _tiles(report: Report, say: Words) -> str:
    """The figures that a mail shows, too; a ticket to review may also be overdue."""
    figures = figures_of(report)
    counts: tuple[tuple[Urgency, str, int], ...] = (
        ("overdue", "overdue", figures.overdue),
        ("due within a day", "due_soon", figures.due_soon),
        ("needs review", "review", figures.review),
        ("failed", "failed", figures.failed),
    )
    tiles = (
        f'<li><b class="{_COLOURS[urgency] if count else ""}">{say.number(count)}</b>{_text(say(f"mail.{name}"))}</li>'
        for urgency, name, count in counts
    )
    return f'<ul class="tiles">{"".join(tiles)}</ul>'


def _filter(report: Report, say: Words) -> str:
    if not report.rows:
        return f"<p>{_text(say.section('page')['The queue is empty.'])}</p>"
    page, columns = say.section("page"), say.section("columns")
    urgencies = "".join(f'<option value="{name}">{_text(say.value(name))}</option>' for name in _COLOURS)
    everything = f'<option value="*">{_text(page["All"])}</option>'
    nothing = f'<option value="">{_text(page["Nothing to do"])}</option>'
    return (
        f'<form id="filter" role="search" aria-label="{_text(page["Find and filter"])}" hidden'
        f' data-count="{_text(page["{shown} of {all} tickets"])}" data-more="{_text(page["Show {n} more"])}">'
        f'<label>{_text(page["Search"])}<input id="search" type="search" autocomplete="off"></label>'
        f'<label>{_text(columns["urgency"])}<select id="urgency">{everything}{urgencies}{nothing}</select></label>'
        f'<label>{_text(columns["request_category"])}<select id="category">{everything}</select></label>'
        f'<button type="reset">{_text(page["Clear"])}</button></form><p id="count" role="status"></p>'
    )


def _summary(report: Report, summary: Summary) -> Iterator[str]:
    say = words_of(report)
    yield _bars(say.text("Act now"), _named(act_now_counts(report), ACT_NOW_MEANINGS, say))
    yield _bars(say.text("When tickets are due"), _named(summary.due, DUE_MEANINGS, say))
    if summary.overdue:
        yield _bars(say.text("Overdue by category"), _plain(summary.overdue))
    yield _bars(say.text("State of the queue"), _named(summary.states, MEANINGS, say))
    if summary.effects:
        yield _bars(say.text("Written to the helpdesk"), _named(summary.effects, EFFECT_MEANINGS, say))
    gone = "".join(f"<li>{_text(ticket)}</li>" for ticket in gone_tickets(report))
    yield _bars(since_heading(report), _plain(changes(summary, say)), f"<ul>{gone}</ul>" if gone else "")
    yield _bars(say.text("By SLA, in calendar time"), _named(summary.bands, {}, say))
    yield _bars(say.text("By category"), _plain(by_category(summary.categories, say)))
    yield _bars(say.text("By request type"), _plain(counted_types(summary, say)))
    review = "".join(_review_section(report, summary))
    yield f"<section><h2>{_text(say.section('page')['What needs a review'])}</h2>{review}</section>"


def _review_section(report: Report, summary: Summary) -> Iterator[str]:
    say = words_of(report)
    found = say.text("{n} to review.", n=say.number(summary.needs_review))
    yield f"<p>{_text(found)} {_text(review_checks(report))}</p>"
    if least := least_certain(report):
        lines = (
            f"<li>{say.number(row.confidence or 0, '.2f')} {_text(row.id)}"
            f" <bdi>{_text(row.short_description)}</bdi></li>"
            for _, row in least
        )
        heading = say.section("page")["The lowest confidence of the others:"]
        yield f"<p>{_text(heading)}</p><ul>{''.join(lines)}</ul>"
    if summary.oldest:
        yield f"<p>{_text(say.text('Oldest ticket: {ticket}', ticket=oldest_ticket(summary.oldest, report)))}</p>"


def _named(counts: Iterable[Count], meanings: Mapping[str, str], say: Words) -> list[tuple[str, int, str]]:
    """The counts in the language, each with its meaning."""
    return [(say.value(name), count, say.text(meanings[name]) if name in meanings else "") for name, count in counts]


def _plain(counts: Iterable[Count]) -> list[tuple[str, int, str]]:
    return [(name, count, "") for name, count in counts]


def _bars(heading: str, counts: Sequence[tuple[str, int, str]], after: str = "") -> str:
    """The counts as bars, whose lengths can be compared within the group."""
    most = max((count for _, count, _ in counts), default=0) or 1
    lines = (
        f'<tr><th scope="row">{_text(name)}</th><td>{count:,}</td>'
        f'<td><i class="bar w{-(-_BAR_STEPS * count // most)}"></i>{_text(meaning)}</td></tr>'
        for name, count, meaning in counts
    )
    table = f'<table class="counts">{"".join(lines)}</table>' if counts else ""
    return f"<section><h2>{_text(heading)}</h2>{table}{after}</section>"


def _tickets(report: Report) -> Iterator[str]:
    """The most urgent tickets first, then the others in the order of the report."""
    say = words_of(report)
    for _, row in most_urgent(report, len(report.rows)):
        yield _ticket(row, report, say)
    for row in report.rows:
        if not row.urgency:
            yield _ticket(row, report, say)


def _ticket(row: Row, report: Report, say: Words) -> str:
    name = _text(row.id) or _text(say.text("(no id)"))
    due = f"{row.due.timestamp():.0f}" if row.due else ""
    colour = f' class="{_COLOURS[row.urgency]}"' if row.urgency else ""
    sla = "" if row.sla_hours is None else f"{row.sla_hours:g}"
    age = "" if row.age_days is None else f"{row.age_days:g}"
    cells = (
        f'<td><a href="{escape(row.url)}" rel="noreferrer">{name}</a>' if row.url else f"<td>{name}",
        f"<td{colour}>{_text(urgency_in_words(row, report))}",
        f'<td data-s="{due}">{shown_time(row.due, report) if row.due else ""}',
        f"<td>{_description(row)}",
        f"<td>{_known_text(row.request_type)}",
        f"<td>{_known_text(row.request_category)}",
        f'<td data-s="{sla}">{_sla_cell(row.sla_value, row.sla_unit, say.language)}',
        f'<td data-s="{age}">{say.number(row.age_days, "g") if row.age_days is not None else ""}',
        f"<td>{_known_text(say.value(row.since_last_report))}",
        f"<td>{_review(row, say)}",
        f"<td>{_source_of(row, say)}",
    )
    marked = (f' data-u="{row.urgency}"' if row.urgency else "") + (" data-r" if row.needs_review else "")
    return f"<tr{marked}>{''.join(f'{cell}</td>' for cell in cells)}</tr>\n"


def _description(row: Row) -> str:
    short = f"<bdi>{_text(row.short_description)}</bdi>"
    if not row.long_description:
        return short
    return f"<details><summary>{short}</summary><p><bdi>{_text(row.long_description)}</bdi></p></details>"


def _review(row: Row, say: Words) -> str:
    reasons = _known_text(say.value(row.needs_review))
    if not (row.needs_review and row.next_best):
        return reasons
    best = say.section("page")["next best: {pairs}"].format(pairs=row.next_best.replace("\n", "; "))
    return f"{reasons}<br>{_known_text(best)}"


def _source_of(row: Row, say: Words) -> str:
    source = say.value(row.source)
    return _known_text(source if row.confidence is None else f"{source} {say.number(row.confidence, '.2f')}")


def _text(text: str) -> str:
    return escape(sanitize(text))


# Many rows have the same texts, apart from those of the tickets.
@lru_cache(maxsize=4096)
def _known_text(text: str) -> str:
    return _text(text)


@lru_cache(maxsize=4096)
def _sla_cell(value: float | None, unit: str, language: str) -> str:
    return _text(sla_text(value, unit, words(language)))
