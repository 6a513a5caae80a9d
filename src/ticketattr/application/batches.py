"""Ask a classifier about many tickets: in batches, several calls at once.

Batches are sent in rounds, and the next round asks again about the tickets that a round left without an answer. A
batch that failed because of its content is split in halves, down to a single ticket. Tickets without a usable answer
in an otherwise good batch are asked about once more, together. When the service fails, there is no next round.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import anyio

from ..domain.catalog import ServiceCatalog
from ..domain.examples import Examples
from ..domain.ticket import Outcome, Ticket, Unattributed
from ..domain.wording import counted
from ..errors import TicketAttrError
from .ports import BatchFailed, Classifier, ClassifierStopped, Progress

log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE = 8
"""After so many failed batches and no good one, the classifier counts as unavailable."""

SECOND_BATCH = 10
"""How many tickets a batch of the second attempt has."""

Answers = Mapping[int, Outcome]
"""Outcomes by the position of their ticket in the queue."""


def extra_calls(batches: int) -> int:
    """Returns how many calls may be added to the `batches` calls of the first round, for asking again and splitting.

    Finding one ticket among 30 that makes its batch fail takes ten calls.
    """
    return 30 + batches


@dataclass(frozen=True, slots=True)
class _Batch:
    places: Sequence[int]
    again: bool = False

    def halves(self) -> list[_Batch]:
        middle = (len(self.places) + 1) // 2
        return [replace(self, places=self.places[:middle]), replace(self, places=self.places[middle:])]


async def ask_in_batches(
    tickets: Sequence[Ticket],
    catalog: ServiceCatalog,
    classifier: Classifier,
    keep: Callable[[Answers], None],
    progress: Progress,
    examples: Examples,
) -> list[Outcome]:
    """Returns one outcome for each ticket, in their order. Calls `keep` with the answers of each batch as they come.

    Raises SettingsError when no batch can succeed.
    """
    asking = _Asking(tickets, catalog, classifier, keep, progress, examples)
    async with classifier:
        await asking.all_rounds()
    return [asking.outcomes[place] for place in range(len(tickets))]


@dataclass(slots=True)
class _Asking:
    """Asks about one queue. After the first round, every ticket has an outcome, which later rounds may improve."""

    tickets: Sequence[Ticket]
    catalog: ServiceCatalog
    classifier: Classifier
    keep: Callable[[Answers], None]
    progress: Progress
    examples: Examples
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    halves: list[_Batch] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    succeeded: int = 0
    failed: int = 0
    stopped: Unattributed | None = None
    fatal: TicketAttrError | None = None

    async def all_rounds(self) -> None:
        work = [_Batch(places) for places in chunks(range(len(self.tickets)), self.classifier.batch_size)]
        budget = extra_calls(len(work))
        while work:
            await self._round(work)
            work = self._next_round()
            if len(work) > budget:
                left_out = counted(len(work) - budget, "batch", "batches")
                log.warning("not sent again, because that would take too many calls: %s", left_out)
            work = work[:budget]
            budget -= len(work)

    async def _round(self, work: Sequence[_Batch]) -> None:
        self.progress(len(self.outcomes), len(self.tickets))
        in_flight = anyio.Semaphore(self.classifier.concurrency)
        async with anyio.create_task_group() as group:
            for batch in work:
                group.start_soon(self._ask, batch, in_flight, group.cancel_scope)
        if self.fatal:
            raise self.fatal

    def _next_round(self) -> list[_Batch]:
        if self.stopped:
            return []
        work = [*self.halves, *(_Batch(places, again=True) for places in chunks(self.again, SECOND_BATCH))]
        self.halves, self.again = [], []
        return work

    async def _ask(self, batch: _Batch, in_flight: anyio.Semaphore, round_scope: anyio.CancelScope) -> None:
        async with in_flight:
            if self.stopped:
                self._leave(batch, self.stopped)
                return
            tickets = [self.tickets[place] for place in batch.places]
            try:
                outcomes = await self.classifier.choose(tickets, self.catalog, self.examples)
            except BatchFailed as failure:
                self._fail(batch, failure)
            except ClassifierStopped as stop:
                self._stop(batch, Unattributed(stop.reason, str(stop)))
            except TicketAttrError as error:
                # Kept for later, because a task group would wrap it in an exception group.
                self.fatal = error
                round_scope.cancel()
            else:
                self._take(batch, outcomes)
            self.progress(len(self.outcomes), len(self.tickets))

    def _take(self, batch: _Batch, outcomes: Sequence[Outcome]) -> None:
        answers = dict(zip(batch.places, outcomes, strict=True))
        unanswered = [place for place, outcome in answers.items() if outcome.is_failure]
        log.info("batch of %s: %d answered", counted(len(answers), "ticket"), len(answers) - len(unanswered))
        self.outcomes.update(answers)
        self.keep({place: outcome for place, outcome in answers.items() if not outcome.is_failure})
        if len(unanswered) < len(answers):
            self.succeeded += 1
        else:
            self._count_failure(batch, Unattributed("bad_answer", "no usable answer in the batch"))
        if len(unanswered) == len(answers) > 1:
            # Without a single usable answer, the cause is more likely the batch than each of its tickets.
            self.halves += batch.halves()
        elif not batch.again:
            self.again += unanswered

    def _fail(self, batch: _Batch, failure: BatchFailed) -> None:
        log.warning("a batch of %s failed: %s", counted(len(batch.places), "ticket"), failure)
        reason = Unattributed(failure.reason, str(failure))
        self.outcomes.update(dict.fromkeys(batch.places, reason))
        if failure.lies_in_content and len(batch.places) > 1:
            self.halves += batch.halves()
        elif failure.lies_in_content and not batch.again:
            self.again += batch.places
        self._count_failure(batch, reason)

    def _count_failure(self, batch: _Batch, reason: Unattributed) -> None:
        self.failed += 1
        if not self.succeeded and self.failed >= PATIENCE and not self.stopped:
            detail = f"not asked, because {PATIENCE} earlier calls failed ({reason.detail})"
            self._stop(batch, Unattributed(reason.reason, detail))

    def _stop(self, batch: _Batch, reason: Unattributed) -> None:
        """Make no further calls. Calls in flight may still be answered."""
        if not self.stopped:
            log.warning("no further calls are made: %s", reason.detail)
        self.stopped = reason
        self._leave(batch, reason)

    def _leave(self, batch: _Batch, reason: Unattributed) -> None:
        """Leave the batch unanswered. A reason from an earlier round says more, so it stays."""
        for place in batch.places:
            self.outcomes.setdefault(place, reason)


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yields `items` in their order, `size` of them at a time. The last part may have fewer."""
    return (items[start : start + size] for start in range(0, len(items), size))
