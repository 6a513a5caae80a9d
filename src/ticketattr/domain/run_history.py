"""How runs ended, and what is remembered of that: for the figures, and so that nobody is told the same twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, TypeAlias, TypeVar

from ..errors import ExitCode, ServiceError, TicketAttrError
from .delivery import Delivery
from .report_status import ReportStatus
from .ticket import AttributedTicket, Attribution, Source, Unattributed
from .usage import Bill, Usage

Command = Literal["run", "send"]
"""The commands of which it is remembered how they ended."""

IncidentSource: TypeAlias = Literal[Command, "overlap"]

Stage = Literal["send", "fetch", "classify", "report"]

Ending = Literal["done", "partial", "failed"]

TicketResult: TypeAlias = Literal[Source, "no_match", "failed"]
"""Who decided about a ticket, or why nobody did."""

AlertKind = Literal["failure", "partial", "doubt", "overlap", "recovery"]
"""`doubt`: reports may have arrived or not. `overlap`: runs keep finding another one at work."""

TOO_MANY_OVERLAPS = 3
"""So many runs in a row that find another one at work are a matter for a person: one of them hangs, or all are slow."""

KeyT = TypeVar("KeyT")

_IN_DOUBT = "reports in doubt"
# Times, counts, ids, ports: they differ between two tellings of one trouble.
_VARYING = re.compile(r"\w*\d[\w:.-]*")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One `run` or `send`, ended in whatever way. Times are in UTC.

    `causes` say what went wrong, without anything that differs between two tellings of the same; `reason` and
    `hint` say it to a person. `tickets` are counted by their outcome, `by_sla` are those with a request type.
    """

    run_id: str
    command: Command
    started: datetime
    ended: datetime
    exit_code: int
    causes: tuple[str, ...] = ()
    reason: str = ""
    hint: str = ""
    seconds: Mapping[Stage, float] = field(default_factory=dict)
    tickets: Mapping[TicketResult, int] = field(default_factory=dict)
    by_sla: Mapping[str, int] = field(default_factory=dict)
    bill: Bill = field(default_factory=Bill)

    @property
    def ending(self) -> Ending:
        if self.exit_code == ExitCode.DONE:
            return "done"
        return "partial" if self.exit_code == ExitCode.PARTIAL else "failed"

    @property
    def attributed(self) -> int:
        return sum(self.by_sla.values())


@dataclass(frozen=True, slots=True)
class Incident:
    """What a person should see to. Two troubles are the same when kind and causes are."""

    kind: AlertKind
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """What all runs together came to; nothing in here ever gets less. `cost` is in US dollars, as far as known."""

    runs: Mapping[Ending, int] = field(default_factory=dict)
    tickets: Mapping[TicketResult, int] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class RunHistory:
    """What is known from one run to the next.

    `last` and `succeeded` (when it last ended with 0) by command; `overlaps`: how often since then a run gave way
    to another. `incidents` stand; `told` are those that a person was last told of.
    """

    last: Mapping[Command, RunRecord] = field(default_factory=dict)
    succeeded: Mapping[Command, datetime] = field(default_factory=dict)
    totals: Totals = Totals()
    overlaps: int = 0
    incidents: Mapping[IncidentSource, Incident] = field(default_factory=dict)
    alerted: tuple[Incident, ...] = ()

    @property
    def main(self) -> Command | None:
        """The command whose ends are the figures: `run`, or `send` where nobody ever ran the whole chain."""
        return next((command for command in ("run", "send") if command in self.last), None)


@dataclass(frozen=True, slots=True)
class ReportFigures:
    """What the report log and the folder say. `pending` still have to reach somebody, those in doubt among them.

    `delivered` reports and `recipients` count every delivery there ever was, `sent` the reports of those since the
    run began. `oldest`: since when the longest pending one lies there.
    """

    delivered: int
    recipients: int
    sent: int
    pending: int
    in_doubt: int
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """All that is published. `reports` are None when they cannot be counted."""

    history: RunHistory
    reports: ReportFigures | None


@dataclass(frozen=True, slots=True)
class PendingAlert:
    """What a person has to be told: of which run, and (but for a recovery) of which trouble."""

    kind: AlertKind
    record: RunRecord
    incident: Incident | None = None


def with_run(history: RunHistory, record: RunRecord) -> RunHistory:
    """What is known after that run."""
    # A success in times to come was told by a clock that was wrong; it would hide that nothing succeeds any more.
    succeeded = {command: min(at, record.ended) for command, at in history.succeeded.items()}
    if record.ending == "done":
        succeeded[record.command] = record.ended
    return replace(
        history,
        last={**history.last, record.command: record},
        succeeded=succeeded,
        totals=_add(history.totals, record),
        overlaps=0,
        incidents=_incidents_after(history, record),
    )


def with_overlap(history: RunHistory) -> RunHistory:
    """What is known after a run that gave way to another one, which will itself be remembered by `remember`."""
    overlaps = history.overlaps + 1
    if overlaps < TOO_MANY_OVERLAPS:
        return replace(history, overlaps=overlaps)
    return replace(history, overlaps=overlaps, incidents={**history.incidents, "overlap": Incident("overlap")})


def with_alert_sent(history: RunHistory, alert: PendingAlert) -> RunHistory:
    """What is known once a person was told that."""
    standing = tuple(incident for incident in history.alerted if incident in history.incidents.values())
    return replace(history, alerted=(*standing, alert.incident) if alert.incident else ())


def pending_alert(history: RunHistory, record: RunRecord) -> PendingAlert | None:
    """What a person has to be told after that run; None while all that stands is what he was told before."""
    news = {source: incident for source, incident in history.incidents.items() if incident not in history.alerted}
    # Another command's may be left over from when nobody could be told.
    if source := min(news, key=lambda source: source != record.command, default=None):
        told_of = record if source == "overlap" else history.last.get(source, record)
        return PendingAlert(news[source].kind, told_of, news[source])
    return PendingAlert("recovery", record) if history.alerted and not history.incidents else None


def incident_of(record: RunRecord) -> Incident | None:
    """What that run alone leaves to do; None for nothing. Whoever presses Ctrl-C knows that he did."""
    if record.exit_code in (ExitCode.DONE, ExitCode.INTERRUPTED):
        return None
    if record.exit_code != ExitCode.PARTIAL:
        return Incident("failure", (f"exit {record.exit_code}", *record.causes))
    return Incident("doubt" if _IN_DOUBT in record.causes else "partial", record.causes)


def shortfalls(
    tickets: Sequence[AttributedTicket], deliveries: Sequence[Delivery], left: Sequence[ReportStatus]
) -> tuple[str, ...]:
    """Why what was done is only a part: tickets that failed, reports that did not reach everybody; empty: it is all."""
    reasons = {ticket.outcome.reason for ticket in tickets if isinstance(ticket.outcome, Unattributed)} - {"no_match"}
    refused = any(result.state == "refused" for delivery in deliveries for result in delivery.results)
    return (
        *(f"tickets failed ({reason})" for reason in sorted(reasons)),
        *sorted({_shortfall(status) for status in left}),
        *(("recipients refused",) if refused else ()),
    )


def cause_of(error: TicketAttrError) -> str:
    """What failed, without what varies. What may pass is known by what failed, not by how it did this time."""
    text = str(error)
    if isinstance(error, ServiceError):
        text = text.partition(": ")[0]
    return _VARYING.sub("#", text)


def count_outcomes(tickets: Sequence[AttributedTicket]) -> dict[TicketResult, int]:
    return dict(Counter(_outcome(ticket) for ticket in tickets))


def count_slas(tickets: Sequence[AttributedTicket]) -> dict[str, int]:
    """Those with a request type, by its SLA, in the words of the catalog."""
    return dict(Counter(str(ticket.outcome.entry.sla) for ticket in tickets if isinstance(ticket.outcome, Attribution)))


def _outcome(ticket: AttributedTicket) -> TicketResult:
    match ticket.outcome:
        case Attribution(_, source):
            return source
        case Unattributed() as unattributed:
            return "failed" if unattributed.is_failure else "no_match"


def _incidents_after(history: RunHistory, record: RunRecord) -> dict[IncidentSource, Incident]:
    if record.ending == "done" and record.command == "run":
        # The whole chain went well, sending included.
        return {}
    over: set[IncidentSource] = {"overlap", record.command} if record.ending == "done" else {"overlap"}
    incidents = {source: incident for source, incident in history.incidents.items() if source not in over}
    incident = incident_of(record)
    return {**incidents, record.command: incident} if incident else incidents


def _shortfall(status: ReportStatus) -> str:
    if status.state in ("in_doubt", "held"):
        return _IN_DOUBT
    return "recipients put off" if status.state == "sent" else f"reports {status.state}"


def _add(totals: Totals, record: RunRecord) -> Totals:
    return Totals(
        runs=_sum(totals.runs, {record.ending: 1}),
        tickets=_sum(totals.tickets, record.tickets),
        usage=totals.usage + record.bill.usage,
        cost=totals.cost + (record.bill.cost or 0.0),
    )


def _sum(counts: Mapping[KeyT, int], more: Mapping[KeyT, int]) -> dict[KeyT, int]:
    return {key: counts.get(key, 0) + more.get(key, 0) for key in {**counts, **more}}
