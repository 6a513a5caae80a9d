"""Which alert is due after a run, and its text: one short message of figures, without any text of a ticket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from .metrics import ReportCounts
from .run_history import OVERLAPS_BEFORE_INCIDENT, Incident, IncidentKind, RunHistory, RunRecord

AlertKind: TypeAlias = Literal[IncidentKind, "recovery"]

_LONGEST_MESSAGE = 300
_HEADLINES: dict[AlertKind, str] = {
    "failure": "{command} failed (exit {code})",
    "partial": "{command} was done in part (exit {code})",
    "doubt": "reports may or may not have arrived (exit {code})",
    "refused": "the helpdesk refuses most changes (exit {code})",
    "overlap": f"{OVERLAPS_BEFORE_INCIDENT} runs in a row found another run in progress",
    "recovery": "{command} works again",
}


@dataclass(frozen=True, slots=True)
class PendingAlert:
    """An alert that has to be sent: the run that it is about, and its incident. A recovery has no incident."""

    kind: AlertKind
    record: RunRecord
    incident: Incident | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it is sent."""

    kind: AlertKind
    title: str
    text: str


def pending_alert(history: RunHistory, record: RunRecord) -> PendingAlert | None:
    """The alert that is due now that `record` has ended; `history` includes it already.

    Returns None if the user has already been told about every open incident. If several incidents are new, the one of
    `record` comes first; the others follow after later runs.
    """
    unreported = {
        source: incident for source, incident in history.open_incidents.items() if incident not in history.reported
    }
    # An incident of the other command may be unreported because its alert could not be sent.
    if source := min(unreported, key=lambda source: source != record.command, default=None):
        subject = record if source == "overlap" else history.last_run.get(source, record)
        return PendingAlert(unreported[source].kind, subject, unreported[source])
    return PendingAlert("recovery", record) if history.reported and not history.open_incidents else None


def with_alert_sent(history: RunHistory, alert: PendingAlert) -> RunHistory:
    """The history after that alert was sent: its incident counts as reported; after a recovery, none does."""
    still_open = tuple(incident for incident in history.reported if incident in history.open_incidents.values())
    return replace(history, reported=(*still_open, alert.incident) if alert.incident else ())


def alert_text(alert: PendingAlert, reports: ReportCounts | None, host: str) -> Alert:
    """The title and text of an alert. `reports` is None when the reports could not be counted; the text omits them."""
    headline = _HEADLINES[alert.kind].format(command=alert.record.command, code=alert.record.exit_code)
    return Alert(alert.kind, f"ticketattr on {host}: {headline}", "\n".join(_lines(alert.kind, alert.record, reports)))


def _lines(kind: AlertKind, record: RunRecord, reports: ReportCounts | None) -> Iterator[str]:
    if record.message and kind != "recovery":
        yield _shorten(record.message)
    yield f"run {record.run_id}"
    if kind != "overlap":
        if record.tickets:
            yield f"tickets: {record.attributed} attributed, {record.tickets.get('failed', 0)} failed"
        if record.changes:
            yield f"changes: {', '.join(f'{count} {name}' for name, count in sorted(record.changes.items()))}"
        if reports:
            yield f"reports: {reports.sent} sent, {reports.pending} pending, {reports.in_doubt} in doubt"
        if record.bill.usage.calls:
            yield f"cost {record.bill.cost_in_words}"
    if record.hint and kind != "recovery":
        yield f"hint: {_shorten(record.hint)}"


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 1]}…"
