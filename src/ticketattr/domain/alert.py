"""What a person is told about a run: one short message of figures, never of tickets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .operation import TOO_MANY_OVERLAPS, AlertKind, Due, ReportFigures, RunRecord

_LONGEST_REASON = 300
_HEADLINES: dict[AlertKind, str] = {
    "failure": "{command} failed (exit {code})",
    "partial": "{command} was done in part (exit {code})",
    "doubt": "reports may have arrived or not (exit {code})",
    "overlap": f"{TOO_MANY_OVERLAPS} runs in a row found another one at work",
    "recovery": "{command} works again",
}


@dataclass(frozen=True, slots=True)
class Alert:
    kind: AlertKind
    title: str
    text: str


def alert_of(due: Due, figures: ReportFigures | None, host: str) -> Alert:
    """`figures` are None when nobody knows them."""
    headline = _HEADLINES[due.kind].format(command=due.record.command, code=due.record.exit_code)
    return Alert(due.kind, f"ticketattr on {host}: {headline}", "\n".join(_lines(due.kind, due.record, figures)))


def _lines(kind: AlertKind, record: RunRecord, figures: ReportFigures | None) -> Iterator[str]:
    if record.reason and kind != "recovery":
        yield _short(record.reason)
    yield f"run {record.run_id}"
    if kind != "overlap":
        if record.tickets:
            yield f"tickets: {record.attributed} attributed, {record.tickets.get('failed', 0)} failed"
        if figures:
            yield f"reports: {figures.sent} sent, {figures.pending} pending, {figures.in_doubt} in doubt"
        if record.bill.usage.calls:
            yield f"cost {record.bill.cost_in_words}"
    if record.hint and kind != "recovery":
        yield f"hint: {_short(record.hint)}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 1]}…"
