"""Write attributions back into the helpdesk, each at most once, and put back what a run wrote."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..domain.catalog import ServiceCatalog
from ..domain.ticket import AttributedTicket
from ..domain.wording import counted
from ..domain.write_back import (
    OPEN_STATES,
    ApplyAbove,
    Change,
    ChangeMode,
    ChangePlan,
    Skipped,
    plan_changes,
    undoable,
)
from ..errors import ServiceError, SettingsError, TicketAttrError
from .interruptible import run_interruptible
from .ports import AppliedRun, ChangeLedger, Clock, Progress, TicketWriter
from .ticket_change import ChangeMaker, Ended

log = logging.getLogger(__name__)

MOST_REFUSALS = 25
"""After so many refusals in a row, the rest is left for a later run."""


@dataclass(frozen=True, slots=True)
class WriteBack:
    """What writing back needs. `writer` is None where the helpdesk cannot be written, which the mode `shadow` allows.

    `location` is the base URL of the helpdesk, without secrets. `seconds` bounds the time for changes (None: no bound);
    what is left goes with the next run. `timer` returns seconds and never goes back.
    """

    writer: TicketWriter | None
    ledger: ChangeLedger
    clock: Clock
    mode: ChangeMode
    location: str
    above: ApplyAbove = field(default_factory=ApplyAbove)
    seconds: float | None = None
    timer: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Applied:
    """The result of writing back one run.

    `changes` are those of this call, `settled` those of earlier calls that were open; both in the order in which they
    were worked on. `left` counts the changes that are still due. `stopped` is the error that ended it early.
    """

    mode: ChangeMode
    changes: tuple[Change, ...] = ()
    settled: tuple[Change, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    left: int = 0
    stopped: TicketAttrError | None = None


@dataclass(frozen=True, slots=True)
class NotPutBack:
    """A change that stays, and why."""

    change: Change
    reason: str


@dataclass(frozen=True, slots=True)
class Undone:
    """`changes` are the undoing changes; `kept` are the changes that stay. `left` were not tried, after `stopped`."""

    changes: tuple[Change, ...]
    kept: tuple[NotPutBack, ...]
    left: int = 0
    stopped: TicketAttrError | None = None


def plan_run(tickets: Sequence[AttributedTicket], catalog: ServiceCatalog, write_back: WriteBack) -> ChangePlan:
    """What is due now; `catalog` is the current one. Asks the helpdesk nothing.

    Raises SettingsError if the helpdesk cannot be written in this mode, and SettingsError, InputError or ServiceError
    if the ledger cannot be read.
    """
    refuse_impossible(write_back)
    return plan_changes(tickets, catalog, write_back.mode, write_back.above, changes_of(write_back))


def seconds_for(changes: int, write_back: WriteBack) -> float:
    """The least time that so many changes take by the limit of the helpdesk, in seconds; 0 without a limit."""
    writer = write_back.writer
    if writer is None or not writer.requests_per_minute:
        return 0.0
    return 60.0 * changes * writer.requests_of(write_back.mode) / writer.requests_per_minute


def changes_of(write_back: WriteBack) -> list[Change]:
    """The changes of the ledger in this helpdesk, oldest first. Raises SettingsError, InputError or ServiceError."""
    return [change for change in write_back.ledger.changes() if change.helpdesk == write_back.location]


def apply_attributions(
    run_id: str,
    tickets: Sequence[AttributedTicket],
    catalog: ServiceCatalog,
    write_back: WriteBack,
    progress: Progress,
    *,
    at_most: int | None = None,
    wait: float = 0.0,
) -> Applied:
    """Write the attributions of `run_id` into the helpdesk, at most `at_most` of them, after settling what is open.

    `catalog` is the current one. An error that concerns all tickets ends it early and is in the result. Raises
    BusyError if another process writes for longer than `wait` seconds, and what `plan_run` raises.
    """
    refuse_impossible(write_back)
    with write_back.ledger.lock(write_back.clock(), wait=wait):
        job = _Job(run_id, tuple(tickets), catalog, write_back, progress, at_most)
        return job.record() if write_back.mode == "shadow" else run_interruptible(job.run)


def recorded_run(run_id: str, applied: Applied, write_back: WriteBack) -> AppliedRun:
    """All changes of the run in this helpdesk, also those of earlier calls, and what the last call left alone."""
    of_run = [change for change in changes_of(write_back) if change.run_id == run_id]
    return AppliedRun(tuple(of_run), applied.skipped)


def undo_run(run_id: str, write_back: WriteBack, progress: Progress, *, only: int = 0, wait: float = 0.0) -> Undone:
    """Put back what the run set where nobody changed it since; the mode of `write_back` does not matter.

    `only` is the number of the one change that is put back (0: all).
    An error that concerns all tickets ends it early and is in the result. Raises SettingsError if the helpdesk cannot
    set fields, and BusyError, SettingsError, InputError or ServiceError if the ledger cannot be used.
    """
    refuse_impossible(replace(write_back, mode="fill"))
    with write_back.ledger.lock(write_back.clock(), wait=wait):
        return run_interruptible(_undo, run_id, only, write_back, progress)


def maker(write_back: WriteBack) -> ChangeMaker:
    """What makes the changes. Raises SettingsError if the helpdesk cannot be written."""
    if write_back.writer is None:
        raise SettingsError(
            "the helpdesk cannot be read or written ticket by ticket: its profile does not say how",
            hint="Choose a profile with `update` (docs/how-to/write-back.md).",
        )
    return ChangeMaker(write_back.writer, write_back.ledger, write_back.clock, write_back.location)


def refuse_impossible(write_back: WriteBack) -> None:
    """Raises SettingsError if the helpdesk cannot be written in this mode."""
    writer, mode = write_back.writer, write_back.mode
    if mode == "shadow" or (writer and (writer.can_note if mode == "suggest" else writer.can_fill)):
        return
    what = "add internal notes" if mode == "suggest" else "set fields"
    raise SettingsError(
        f"this helpdesk cannot {what}: its profile does not say how",
        hint="Choose another mode (HELPDESK_WRITE), or a profile with `update` (docs/how-to/write-back.md).",
    )


@dataclass(frozen=True, slots=True)
class _Job:
    """Writes one run; the lock of the ledger is held."""

    run_id: str
    tickets: tuple[AttributedTicket, ...]
    catalog: ServiceCatalog
    write_back: WriteBack
    progress: Progress
    at_most: int | None

    def record(self) -> Applied:
        """Record what `fill` would set, without any request."""
        back = self.write_back
        plan = plan_run(self.tickets, self.catalog, back)
        changes = []
        for planned in plan.changes[: self.at_most]:
            now = back.clock()
            change = Change(
                *(back.location, self.run_id, planned.ticket_id, "shadow", planned.before, planned.after),
                state="applied",
                started=now,
                changed=now,
                confidence=planned.attribution.confidence,
                source=planned.attribution.source,
            )
            changes.append(back.ledger.add(change))
        return Applied("shadow", tuple(changes), (), plan.skipped, len(plan.changes) - len(changes))

    async def run(self) -> Applied:
        """Settle what is open, then plan, then make the changes that are due."""
        made = _Made()
        make = maker(self.write_back)
        try:
            async with make.writer:
                for change in changes_of(self.write_back):
                    if change.state in OPEN_STATES:
                        made.take(made.settled, await make.settle(change))
                made.plan = plan_run(self.tickets, self.catalog, self.write_back)
                await self._make(make, made)
        except TicketAttrError as error:
            made.stopped = error
        left = len(made.plan.changes) - len(made.changes)
        return Applied(
            self.write_back.mode, tuple(made.changes), tuple(made.settled), made.plan.skipped, left, made.stopped
        )

    async def _make(self, make: ChangeMaker, made: _Made) -> None:
        due = made.plan.changes[: self.at_most]
        _log_plan(made.plan, len(due), self.write_back)
        began = self.write_back.timer()
        for number, planned in enumerate(due):
            self.progress(number, len(due))
            if self.write_back.seconds is not None and self.write_back.timer() - began >= self.write_back.seconds:
                return
            made.take(made.changes, await make.apply(planned, self.run_id))
            _refuse_endless_refusals(made.changes)
        self.progress(len(due), len(due))


class _Made:
    """What was made so far, also when an error ends the work."""

    def __init__(self) -> None:
        self.plan = ChangePlan((), ())
        self.settled: list[Change] = []
        self.changes: list[Change] = []
        self.stopped: TicketAttrError | None = None

    def take(self, changes: list[Change], ended: Ended) -> None:
        """Add the change to `changes`. Raises the error that ends the work, if there is one."""
        changes.append(ended.change)
        if ended.stop:
            raise ended.stop


def _refuse_endless_refusals(changes: Sequence[Change]) -> None:
    last = changes[-MOST_REFUSALS:]
    if len(last) == MOST_REFUSALS and all(change.state == "refused" for change in last):
        raise ServiceError(
            f"the helpdesk refused {MOST_REFUSALS} changes in a row, the last one with: {last[-1].detail}",
            hint="Check the rights of its user and the values of its fields, then run `ticketattr apply` again.",
        )


def _log_plan(plan: ChangePlan, now: int, write_back: WriteBack) -> None:
    seconds = seconds_for(now, write_back)
    lasts = f", at least {duration_words(seconds)} by the limit of the helpdesk" if seconds else ""
    due = len(plan.changes)
    some = f", {now:,} of them now" if now < due else ""
    log.info(
        "%s due%s%s; %s left as they are", counted(due, "change"), some, lasts, counted(len(plan.skipped), "ticket")
    )


def duration_words(seconds: float) -> str:
    """A duration in words, rounded up: `40 s`, `167 min`."""
    return f"{math.ceil(seconds)} s" if seconds < 60 else f"{math.ceil(seconds / 60):,} min"


async def _undo(run_id: str, only: int, write_back: WriteBack, progress: Progress) -> Undone:
    ledger = changes_of(write_back)
    due = [change for change in undoable(ledger, run_id) if only in (0, change.number)]
    named = (change for change in ledger if change.run_id == run_id and only in (0, change.number))
    kept = [NotPutBack(change, why) for change in named if (why := _never_put_back(change))]
    make, made = maker(write_back), _Made()
    try:
        async with make.writer:
            for number, change in enumerate(due):
                progress(number, len(due))
                made.take(made.changes, await make.put_back(change))
            progress(len(due), len(due))
    except TicketAttrError as error:
        made.stopped = error
    kept += [NotPutBack(change, change.detail) for change in made.changes if change.state != "applied"]
    return Undone(tuple(made.changes), tuple(kept), len(due) - len(made.changes), made.stopped)


def _never_put_back(change: Change) -> str:
    """Why a change cannot be put back; empty if it can be, or if it changed nothing."""
    if change.mode == "suggest" and change.state == "applied":
        return "a note cannot be taken back"
    if change.mode == "fill" and change.state in OPEN_STATES:
        return "nobody knows yet whether it was written; `ticketattr apply` finds out"
    return ""
