"""The history of runs: how each ended, the totals, and the incidents that are open.

All functions return a new history and leave their arguments unchanged. All times are in UTC.
"""

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
"""The commands that are monitored."""

Stage = Literal["send", "import", "fetch", "classify", "apply", "report"]

RunStatus = Literal["done", "partial", "failed"]

OutcomeLabel: TypeAlias = Literal[Source, "no_match", "failed", "pending"]
"""The outcome of a ticket as it is counted: who decided about it, or why nobody did."""

IncidentKind = Literal["failure", "partial", "doubt", "overlap", "refused"]
"""`doubt`: reports may or may not have arrived. `refused`: the helpdesk refused most changes.

`overlap`: several runs in a row found another run in progress.
"""

IncidentSource: TypeAlias = Literal[Command, "overlap"]

OVERLAPS_BEFORE_INCIDENT = 3
"""So many runs in a row that find another run in progress mean that one of them hangs, or that all are slow."""

KeyT = TypeVar("KeyT")

_IN_DOUBT = "reports in doubt"
_MOST_REFUSED = "most changes refused"
_UNDONE = ("refused", "in_doubt")
# Times, counts, ids and ports. They differ between two errors with the same cause.
_VARIABLE_PART = re.compile(r"\w*\d[\w:.-]*")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """How one `run` or `send` ended.

    `reasons` identify what went wrong: they are the same each time the same thing goes wrong. `message` and `hint` are
    for the user. `seconds` is the duration of each stage. `tickets` counts all tickets by outcome, `by_sla` only those
    with a request type, `changes` those in the helpdesk by mode and state (`fill applied`).
    """

    run_id: str
    command: Command
    started: datetime
    ended: datetime
    exit_code: int
    reasons: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""
    seconds: Mapping[Stage, float] = field(default_factory=dict)
    tickets: Mapping[OutcomeLabel, int] = field(default_factory=dict)
    by_sla: Mapping[str, int] = field(default_factory=dict)
    bill: Bill = field(default_factory=Bill)
    changes: Mapping[str, int] = field(default_factory=dict)

    @property
    def status(self) -> RunStatus:
        """The exit code, reduced to three cases."""
        if self.exit_code == ExitCode.DONE:
            return "done"
        return "partial" if self.exit_code == ExitCode.PARTIAL else "failed"

    @property
    def attributed(self) -> int:
        """The number of tickets with a request type."""
        return sum(self.by_sla.values())


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that a person should look at. Two incidents with the same kind and reasons are the same incident."""

    kind: IncidentKind
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over all runs; they never decrease. `cost` is in US dollars, without the runs whose cost is unknown."""

    runs: Mapping[RunStatus, int] = field(default_factory=dict)
    tickets: Mapping[OutcomeLabel, int] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0
    changes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunHistory:
    """What is kept from one run to the next.

    `last_run` and `last_success` (the time of the last exit code 0) are kept for each command. `overlaps` counts the
    runs since the last recorded one that found another run in progress. `reported` are the incidents that an alert was
    sent about; one that is closed is removed when the next alert is sent.
    """

    last_run: Mapping[Command, RunRecord] = field(default_factory=dict)
    last_success: Mapping[Command, datetime] = field(default_factory=dict)
    totals: Totals = Totals()
    overlaps: int = 0
    open_incidents: Mapping[IncidentSource, Incident] = field(default_factory=dict)
    reported: tuple[Incident, ...] = ()

    @property
    def main_command(self) -> Command | None:
        """The command that the metrics of the last run describe: `run`, or `send` if `run` was never used."""
        return next((command for command in ("run", "send") if command in self.last_run), None)


def with_run(history: RunHistory, record: RunRecord) -> RunHistory:
    """The history after that run: its record, its totals, the incidents that it opens and closes."""
    # A success in the future came from a wrong clock. It would hide for a long time that no run succeeds any more.
    last_success = {command: min(at, record.ended) for command, at in history.last_success.items()}
    if record.status == "done":
        last_success[record.command] = record.ended
    return replace(
        history,
        last_run={**history.last_run, record.command: record},
        last_success=last_success,
        totals=_add(history.totals, record),
        overlaps=0,
        open_incidents=_incidents_after(history, record),
    )


def with_overlap(history: RunHistory) -> RunHistory:
    """The history after a run that stopped because another run is in progress. That other run records itself."""
    overlaps = history.overlaps + 1
    if overlaps < OVERLAPS_BEFORE_INCIDENT:
        return replace(history, overlaps=overlaps)
    return replace(
        history, overlaps=overlaps, open_incidents={**history.open_incidents, "overlap": Incident("overlap")}
    )


def partial_reasons(
    tickets: Sequence[AttributedTicket],
    deliveries: Sequence[Delivery],
    left: Sequence[ReportStatus],
    *,
    refused_workbooks: int = 0,
    changes: Sequence[str] = (),
) -> tuple[str, ...]:
    """Why a run was done only in part: tickets failed or are pending, or reports did not reach all recipients.

    Empty if none of that.

    `left` are the reports that are still pending. `refused_workbooks` counts those with corrections that need a person,
    `changes` are the `change_reasons`.
    """
    reasons = {ticket.outcome.reason for ticket in tickets if isinstance(ticket.outcome, Unattributed)} - {"no_match"}
    refused = any(result.state == "refused" for delivery in deliveries for result in delivery.results)
    return (
        *(f"tickets failed ({reason})" for reason in sorted(reasons - {"pending"})),
        *(("tickets pending in a batch job",) if "pending" in reasons else ()),
        *sorted({_pending_reason(status) for status in left}),
        *(("recipients refused",) if refused else ()),
        *(("workbooks with corrections refused",) if refused_workbooks else ()),
        *changes,
    )


def change_reasons(counts: Mapping[str, int], *, left: int, stopped: str) -> tuple[str, ...]:
    """Why writing into the helpdesk was done only in part; empty if it was not.

    `counts` are the changes by mode and state, `left` those still due, and `stopped` is what ended it early.
    """
    of_state = {state: sum(n for name, n in counts.items() if name.endswith(f" {state}")) for state in _UNDONE}
    is_most = 2 * of_state["refused"] > sum(counts.values())
    return (
        *((_MOST_REFUSED if is_most else "changes refused",) if of_state["refused"] else ()),
        *(("changes in doubt",) if of_state["in_doubt"] else ()),
        *(("changes left for the next run",) if left else ()),
        *((f"write-back stopped ({stopped})",) if stopped else ()),
    )


def failure_reason(error: TicketAttrError) -> str:
    """What failed, as a text that is the same each time the same thing fails.

    Numbers, times and ids become `#`. Of the error of an outside service, the part after the first colon is left out,
    because a service that is down fails differently from one run to the next.
    """
    text = str(error)
    if isinstance(error, ServiceError):
        text = text.partition(": ")[0]
    return _VARIABLE_PART.sub("#", text)


def count_outcomes(tickets: Sequence[AttributedTicket]) -> dict[OutcomeLabel, int]:
    """The number of tickets for each outcome that occurs."""
    return dict(Counter(_outcome_label(ticket) for ticket in tickets))


def count_slas(tickets: Sequence[AttributedTicket]) -> dict[str, int]:
    """The number of attributed tickets for each SLA that occurs; the SLA is written as in the catalog ("4 hours")."""
    return dict(Counter(str(ticket.outcome.entry.sla) for ticket in tickets if isinstance(ticket.outcome, Attribution)))


def _outcome_label(ticket: AttributedTicket) -> OutcomeLabel:
    match ticket.outcome:
        case Attribution(_, source):
            return source
        case Unattributed("pending"):
            return "pending"
        case Unattributed() as unattributed:
            return "failed" if unattributed.is_failure else "no_match"


def _incidents_after(history: RunHistory, record: RunRecord) -> dict[IncidentSource, Incident]:
    if record.status == "done" and record.command == "run":
        # `run` includes sending, so its success closes the incidents of `send` too.
        return {}
    closed: set[IncidentSource] = {"overlap", record.command} if record.status == "done" else {"overlap"}
    incidents = {source: incident for source, incident in history.open_incidents.items() if source not in closed}
    incident = _incident_of(record)
    return {**incidents, record.command: incident} if incident else incidents


def _incident_of(record: RunRecord) -> Incident | None:
    # Whoever presses Ctrl-C knows about it.
    if record.exit_code in (ExitCode.DONE, ExitCode.INTERRUPTED):
        return None
    if record.exit_code != ExitCode.PARTIAL:
        return Incident("failure", (f"exit {record.exit_code}", *record.reasons))
    kind: IncidentKind = "doubt" if _IN_DOUBT in record.reasons else "partial"
    if kind == "partial" and _MOST_REFUSED in record.reasons:
        kind = "refused"
    return Incident(kind, record.reasons)


def _pending_reason(status: ReportStatus) -> str:
    if status.state in ("in_doubt", "held"):
        return _IN_DOUBT
    return "recipients deferred" if status.state == "sent" else f"reports {status.state}"


def _add(totals: Totals, record: RunRecord) -> Totals:
    return Totals(
        runs=_sum(totals.runs, {record.status: 1}),
        tickets=_sum(totals.tickets, record.tickets),
        usage=totals.usage + record.bill.usage,
        cost=totals.cost + (record.bill.cost or 0.0),
        changes=_sum(totals.changes, record.changes),
    )


def _sum(counts: Mapping[KeyT, int], more: Mapping[KeyT, int]) -> dict[KeyT, int]:
    return {key: counts.get(key, 0) + more.get(key, 0) for key in {**counts, **more}}
