"""What a person is told about a run: one short message of figures, never of tickets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .run_history import TOO_MANY_OVERLAPS, AlertKind, PendingAlert, ReportFigures, RunRecord

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


def alert_text(alert: PendingAlert, figures: ReportFigures | None, host: str) -> Alert:
    """`figures` are None when nobody knows them."""
    headline = _HEADLINES[alert.kind].format(command=alert.record.command, code=alert.record.exit_code)
    return Alert(alert.kind, f"ticketattr on {host}: {headline}", "\n".join(_lines(alert.kind, alert.record, figures)))


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
