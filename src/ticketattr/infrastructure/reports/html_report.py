"""The report as one HTML page that loads nothing: no script, no font, no picture.

A narrow screen shows each ticket as a card, a wide one shows the tickets as a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from ...domain.act_now import least_certain
from ...domain.report import Report, Row
from ...domain.sanitizing import sanitize
from ...domain.summary import Count, Summary, summarize
from ..files import output
from .labels import (
    ACT_NOW_MEANINGS,
    DUE_MEANINGS,
    MEANINGS,
    act_now_counts,
    changes,
    counted_types,
    facts,
    gone_tickets,
    made_at,
    oldest_ticket,
    review_checks,
    shown_time,
    since_heading,
    urgency_in_words,
    words_of,
)

_COLUMNS = (
    "ticket",
    "category",
    "request type",
    "description",
    "SLA",
    "due",
    "act now",
    "age",
    "since",
    "needs review",
    "source",
)


@dataclass(frozen=True, slots=True)
class HTMLReports:
    """Writes reports as HTML pages; a path of `-` is stdout."""

    def write(self, report: Report, path: Path) -> None:
        page = (files(__package__) / "page.html").read_text(encoding="utf-8")
        # The template is split before anything is filled in, because a text may contain the mark.
        before, _, after = page.partition("$rows")
        with output(path) as file:
            file.write(_start(before, report).encode())
            for row in report.rows:
                file.write(_ticket(row, report).encode())
            file.write(_end(after, report).encode())


def _start(template: str, report: Report) -> str:
    return Template(template).substitute(
        title=_text(f"Ticket attribution {report.run_id}"),
        made=_text(f"{len(report.rows):,} tickets, {made_at(report)}"),
        summary="\n".join(_summary(report, summarize(report))),
        headings="".join(f'<th scope="col">{name}</th>' for name in _COLUMNS),
    )


def _end(template: str, report: Report) -> str:
    lines = (f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in facts(report))
    return Template(template).substitute(facts="".join(lines))


def _summary(report: Report, summary: Summary) -> Iterator[str]:
    yield _bars("Act now", act_now_counts(report), ACT_NOW_MEANINGS)
    yield _bars("When tickets are due", summary.due, DUE_MEANINGS)
    if summary.overdue:
        yield _bars("Overdue by category", summary.overdue, {})
    yield _bars("State of the queue", summary.states, MEANINGS)
    yield _bars(since_heading(report), changes(summary, words_of(report)), {})
    if report.gone:
        yield f"<ul>{''.join(f'<li>{_text(ticket)}</li>' for ticket in gone_tickets(report))}</ul>"
    yield _bars("By SLA, in calendar time", summary.bands, {})
    yield _bars("By category", summary.categories, {})
    yield _bars("By request type", counted_types(summary, words_of(report)), {})
    yield f"<section><h2>What needs a review</h2>{''.join(_review_section(report, summary))}</section>"


def _review_section(report: Report, summary: Summary) -> Iterator[str]:
    yield f"<p>{summary.needs_review:,} to review. {_text(review_checks(report))}</p>"
    if least := least_certain(report):
        lines = (f"<li>{row.confidence:.2f} {_text(row.id)} {_text(row.short_description)}</li>" for _, row in least)
        yield f"<p>The lowest confidence of the others:</p><ul>{''.join(lines)}</ul>"
    if summary.oldest:
        yield f"<p>The oldest ticket: {_text(oldest_ticket(summary.oldest, report))}</p>"


def _bars(heading: str, counts: Sequence[Count], meanings: Mapping[str, str]) -> str:
    """The counts as bars, whose lengths can be compared within the group."""
    most = max((count for _, count in counts), default=0) or 1
    lines = (
        f"<tr><th scope='row'>{_text(name)}</th><td>{count:,}</td>"
        f"<td><i style='width:{100 * count // most}%'></i> {_text(meanings.get(name, ''))}</td></tr>"
        for name, count in counts
    )
    return f"<section><h2>{_text(heading)}</h2><table class='counts'>{''.join(lines)}</table></section>"


def _ticket(row: Row, report: Report) -> str:
    name = _text(row.id) or "(no id)"
    cells = (
        f'<a href="{escape(row.url)}" rel="noreferrer">{name}</a>' if row.url else name,
        _text(row.request_category) or "–",
        _text(row.request_type) or "–",
        _description(row),
        f"{row.sla_value:g} {_text(row.sla_unit)}" if row.sla_value is not None else "–",
        shown_time(row.due, report) if row.due else "–",
        _text(urgency_in_words(row, report)),
        f"{row.age_days:g} days" if row.age_days is not None else "–",
        _text(row.since_last_report),
        _review(row),
        _source(row),
    )
    return f"<tr{' class=review' if row.needs_review else ''}>{_cells(cells)}</tr>\n"


def _cells(cells: Iterable[str]) -> str:
    return "".join(f'<td data-label="{name}">{cell}</td>' for name, cell in zip(_COLUMNS, cells, strict=True))


def _description(row: Row) -> str:
    short = f"<bdi>{_text(row.short_description)}</bdi>"
    if not row.long_description:
        return short
    return f"<details><summary>{short}</summary><p><bdi>{_text(row.long_description)}</bdi></p></details>"


def _review(row: Row) -> str:
    best = f"<br>next best: {_text(row.next_best.replace(chr(10), '; '))}" if row.needs_review and row.next_best else ""
    return _text(row.needs_review) + best


def _source(row: Row) -> str:
    return _text(row.source if row.confidence is None else f"{row.source} {row.confidence:.2f}")


def _text(text: str) -> str:
    return escape(sanitize(text))
