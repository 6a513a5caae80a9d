"""One change in one ticket, in the order that survives a crash.

The ticket is read, the change is recorded as `applying`, one request goes out, and the ticket is read back. A change
whose process died is settled by reading the ticket, and not by sending the request again.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import timedelta

from ..domain.ticket import Attribution
from ..domain.write_back import (
    Change,
    ChangeState,
    Kept,
    Pair,
    PlannedChange,
    TicketNow,
    is_same,
    note_text,
    shown_pair,
    still_due,
)
from ..errors import TicketAttrError
from .ports import ChangeLedger, Clock, TicketUnreadable, TicketWriter, WriteResult

DOUBT_LASTS = timedelta(minutes=5)
"""How long a helpdesk that did not answer in time may still carry out a request."""

_MOST_TRIES = 3
"""How often a stale write is tried, each time with the ticket read again."""
_FOUND = "found in the ticket"
_NOT_WRITTEN = "not written before the process ended"
_GONE = "the ticket no longer exists"
_SAME = "the ticket has this pair already"


@dataclass(frozen=True, slots=True)
class Ended:
    """A change in the state in which the work on it ended. `stop` is an error that concerns all other tickets, too."""

    change: Change
    stop: TicketAttrError | None = None


@dataclass(frozen=True, slots=True)
class ChangeMaker:
    """Makes changes in the helpdesk at `location`, each recorded in `ledger` before its request goes out.

    The methods raise SettingsError, InputError or ServiceError if nothing was begun, or if the ledger cannot be used.
    """

    writer: TicketWriter
    ledger: ChangeLedger
    clock: Clock
    location: str

    async def apply(self, planned: PlannedChange, run_id: str) -> Ended:
        """Make a planned change, unless the ticket as it is now says that it is not due."""
        recorded: Change | None = None
        for _ in range(_MOST_TRIES):
            now, problem = await self._read(planned.ticket_id)
            if now is None:
                return self._end(recorded or self.change_of(planned, run_id, planned.before), "refused", problem)
            change = recorded or self.change_of(planned, run_id, now.pair)
            due = still_due(planned, now)
            if due is None:
                return self._end(change, "kept", _SAME)
            if isinstance(due, Kept):
                return self._end(change, "conflict" if recorded else "kept", due.detail)
            if recorded is None:
                recorded = self.ledger.add(change)
            elif not is_same(now.pair, recorded.before):
                break
            ended = await self._write(recorded, planned.attribution, now, due)
            if ended is not None:
                return ended
        return self._end(recorded or change, "conflict", "changed between reading and writing")

    async def settle(self, change: Change) -> Ended:
        """Find out what became of a change that was left open, by what the ticket has now."""
        now, problem = await self._read(change.ticket_id)
        if now is None:
            state: ChangeState = "refused" if problem == _GONE else "in_doubt"
            return self._end(change, state, problem)
        if change.mode == "suggest":
            is_there, is_undone = await self.writer.has_note(now, change.marker), True
        else:
            is_there, is_undone = is_same(now.pair, change.after), is_same(now.pair, change.before)
        if is_there:
            if change.mode == "fill":
                return await self._noted(change, now, _FOUND)
            return self._end(change, "applied", _FOUND)
        if not is_undone:
            return self._end(change, "conflict", f"a person set {shown_pair(now.pair)}")
        if change.state == "in_doubt" and self.clock() - change.changed < DOUBT_LASTS:
            return Ended(change)
        return self._end(change, "refused", _NOT_WRITTEN)

    async def put_back(self, change: Change) -> Ended:
        """Undo a change that set fields, if nobody changed the ticket since. Returns the undoing change."""
        at = self.clock()
        undoing = replace(
            change,
            mode="undo",
            before=change.after,
            after=change.before,
            undoes=change.number,
            number=0,
            marker="",
            state="applying",
            detail="",
            started=at,
            changed=at,
        )
        now, problem = await self._read(change.ticket_id)
        if now is None:
            return self._end(undoing, "refused", problem)
        if not is_same(now.pair, change.after):
            return self._end(undoing, "kept", f"somebody changed it since: {shown_pair(now.pair)}")
        undoing = self.ledger.add(undoing)
        result, stop = await _attempt(self.writer.put_back(now, change.before))
        if result.outcome in ("done", "unknown"):
            return await self._read_back(undoing, None, result)
        return self._end(undoing, "conflict" if result.outcome == "stale" else "refused", result.detail, stop)

    def change_of(self, planned: PlannedChange, run_id: str, before: Pair) -> Change:
        """The change for the ledger, not recorded yet."""
        now = self.clock()
        return Change(
            helpdesk=self.location,
            run_id=run_id,
            ticket_id=planned.ticket_id,
            mode=planned.mode,
            before=before,
            after=planned.after,
            state="applying",
            started=now,
            changed=now,
            confidence=planned.attribution.confidence,
            source=planned.attribution.source,
            marker=planned.marker,
        )

    async def _read(self, ticket_id: str) -> tuple[TicketNow | None, str]:
        """The ticket, or why it cannot be read."""
        try:
            return await self.writer.read(ticket_id), _GONE
        except TicketUnreadable as error:
            return None, str(error)

    async def _write(self, change: Change, attribution: Attribution, now: TicketNow, due: Pair) -> Ended | None:
        """Send the request of a change; None if the ticket was changed since it was read."""
        if change.mode == "suggest":
            result, stop = await _attempt(self._add_note(change, attribution, now))
        else:
            result, stop = await _attempt(self.writer.fill(now, due))
        if result.outcome == "stale":
            return None
        if result.outcome == "refused":
            return self._end(change, "refused", result.detail, stop)
        if change.mode == "suggest":
            return self._end(change, "applied" if result.outcome == "done" else "in_doubt", result.detail)
        return await self._read_back(change, attribution, result)

    async def _read_back(self, change: Change, attribution: Attribution | None, result: WriteResult) -> Ended:
        """The end of a change whose request was taken, or may have been: what the ticket has now decides."""
        try:
            now, problem = await self._read(change.ticket_id)
        except TicketAttrError as error:
            return self._end(change, "in_doubt", f"{result.detail}; not read back", error)
        if now is None:
            return self._end(change, "in_doubt", f"{result.detail}; not read back: {problem}")
        if is_same(now.pair, change.after):
            if change.mode == "fill":
                return await self._noted(change, now, result.detail, attribution)
            return self._end(change, "applied", result.detail)
        if is_same(now.pair, change.before):
            if result.outcome == "unknown":
                return self._end(change, "in_doubt", result.detail)
            return self._end(change, "refused", f"it took the request and set nothing: {result.detail}")
        if _is_part_of(now.pair, change):
            back, stop = await _attempt(self.writer.put_back(now, change.before))
            put_back = "put back" if back.outcome == "done" else f"left so: {back.detail}"
            return self._end(change, "refused", f"it kept only {shown_pair(now.pair)}, which was {put_back}", stop)
        return self._end(change, "conflict", f"a person set {shown_pair(now.pair)}")

    async def _noted(
        self, change: Change, now: TicketNow, detail: str, attribution: Attribution | None = None
    ) -> Ended:
        """The end of a change whose fields are set: the note that says why follows, unless it is there."""
        if not self.writer.can_note:
            return self._end(change, "applied", detail)
        try:
            note = await self._add_note(change, attribution, now)
        except TicketAttrError as error:
            return self._end(change, "in_doubt", f"the fields are set, the note is not: {error}", error)
        if note.outcome == "unknown":
            return self._end(change, "in_doubt", f"the fields are set, the note is in doubt: {note.detail}")
        without = "" if note.outcome == "done" else f"; without a note: {note.detail}"
        return self._end(change, "applied", f"{detail}{without}")

    async def _add_note(self, change: Change, attribution: Attribution | None, now: TicketNow) -> WriteResult:
        """Add the note of a change, unless it is there; after a request without an answer, look whether it is."""
        if await self.writer.has_note(now, change.marker):
            return WriteResult("done", "the note was there already")
        result = await self.writer.add_note(now, note_text(change, attribution))
        if result.outcome != "unknown":
            return result
        again, _ = await self._read(change.ticket_id)
        is_there = again is not None and await self.writer.has_note(again, change.marker)
        return replace(result, outcome="done") if is_there else result

    def _end(self, change: Change, state: ChangeState, detail: str, stop: TicketAttrError | None = None) -> Ended:
        at = self.clock()
        if change.number:
            return Ended(self.ledger.record(change, state, detail, at), stop)
        return Ended(self.ledger.add(replace(change, state=state, detail=detail, changed=at)), stop)


async def _attempt(request: Awaitable[WriteResult]) -> tuple[WriteResult, TicketAttrError | None]:
    """What the helpdesk made of a request. An error that ends the work means that nothing was written."""
    try:
        return await request, None
    except TicketAttrError as error:
        return WriteResult("refused", str(error)), error


def _is_part_of(pair: Pair, change: Change) -> bool:
    """Whether each field is as it was, or holds ours or its beginning: then no person wrote it."""
    return all(
        value in (was, wanted) or (bool(value) and wanted.startswith(value))
        for value, was, wanted in zip(pair, change.before, change.after, strict=True)
    )
