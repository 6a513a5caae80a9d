"""Ask a model in batch jobs, which outlive the run that makes them.

A job is written into the journal before the service hears of it, because the service makes two jobs of two equal
requests, and charges for both. Later runs find it by its display name, poll it, and take its answers. Nothing here
waits for a job: a ticket whose job has no answer yet is pending. A ticket whose job ended without an answer about it is
left to ordinary calls.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from ..domain.batch_job import ENDED, BatchJob, JobCall, JobState, RemoteJob, best_of
from ..domain.catalog import ServiceCatalog
from ..domain.examples import Examples
from ..domain.sanitizing import unless_repeated
from ..domain.ticket import Attribution, Outcome, Reason, Ticket, Unattributed
from ..domain.usage import CALLS_PER_JOB
from ..domain.wording import counted
from ..errors import ServiceError, SettingsError
from .batches import chunks
from .ports import Clock

log = logging.getLogger(__name__)

LOCK_WAIT = 60.0
"""How long a process waits for another one that is making jobs, in seconds."""

DOUBT = timedelta(seconds=10)
"""A job that the service does not list so long after the request certainly does not exist."""

GIVE_UP = timedelta(days=3)
"""A job that cannot be looked at is given up after this time: the service ended it a day before."""

KEEP = timedelta(days=7)
"""A job of another catalog or model is given up after this time: no service keeps answers for so long."""

_DECIDED_AT_ONCE = 150
_MOST_BYTES = 64 * 1024 * 1024
_LARGEST_BASE = 900_000
_GONE = Ticket("", "")
"""Stands for a ticket that is no longer in the queue."""


class JobRefused(Exception):
    """The service certainly did not make the job. `is_transient`: it may make the same job later."""

    def __init__(self, detail: str, *, reason: Reason = "service_error", is_transient: bool = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.is_transient = is_transient


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """The content of one call, for the service alone, and a key that stands for it."""

    key: str
    content: bytes


@dataclass(frozen=True, slots=True)
class JobInput:
    """The calls of a job as the service takes them: the name of a file that it has, or the calls themselves."""

    file: str = ""
    calls: Sequence[PreparedCall] = ()


class BatchService(AbstractAsyncContextManager["BatchService"], Protocol):
    """A model that is asked in jobs. It is entered once, for all jobs of a run.

    Its methods raise SettingsError when the key or the address is wrong, and ServiceError when they got no answer.
    """

    @property
    def batch_size(self) -> int:
        """The largest number of tickets in one call."""

    @property
    def model(self) -> str:
        """The model that is asked."""

    async def without_model(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples
    ) -> Sequence[Outcome | None]:
        """What is decided without the model, in the order of the tickets; None for those that it is asked about."""

    def prepare(
        self, batches: Sequence[Sequence[Ticket]], first: int, catalog: ServiceCatalog, examples: Examples
    ) -> list[PreparedCall]:
        """One call for each batch, in their order; fewer if the cost limit does not allow all. Ids begin at `first`."""

    async def upload(self, display_name: str, calls: Sequence[PreparedCall]) -> JobInput:
        """Give the service what it needs before a job is made. Costs nothing."""

    async def create(self, display_name: str, calls: JobInput) -> RemoteJob:
        """Make a job, in one attempt. Raises JobRefused if it certainly was not made, ServiceError if nobody knows."""

    async def find(self, display_name: str) -> list[RemoteJob]:
        """The jobs of this display name."""

    async def poll(self, name: str) -> RemoteJob | None:
        """The job; None if the service does not know it."""

    async def cancel(self, name: str) -> None:
        """Ask the service to stop the job. A job that ended stays as it is."""

    async def answers(self, job: BatchJob, catalog: ServiceCatalog) -> Mapping[int, Outcome]:
        """What the job answered, by the ids of its tickets, and only about them; words have placeholders."""

    def restored(self, outcome: Outcome, ticket: Ticket) -> Outcome:
        """The outcome with the private text of its ticket in the place of placeholders."""


class BatchJournal(Protocol):
    """The journal of jobs. It holds no text of a ticket, and no key of the service.

    All methods raise SettingsError, InputError or ServiceError if it cannot be used.
    """

    def exists(self) -> bool:
        """Whether a job was ever recorded."""

    def lock(self, at: datetime, *, wait: float = 0.0) -> AbstractContextManager[datetime]:
        """Exclude other processes on this host for the block. Raises BusyError."""

    def jobs(self, *, only_open: bool = False) -> list[BatchJob]:
        """All jobs, or those that may still answer, with their present states, oldest first."""

    def tried(self, ticket_keys: Sequence[str]) -> set[str]:
        """Those of the keys that a job asked about that ended, for good."""

    def add(self, job: BatchJob) -> BatchJob:
        """Record a job in its state. Returns it with its number."""

    def record(self, job: BatchJob, state: JobState, at: datetime, *, name: str = "", detail: str = "") -> BatchJob:
        """Record a new state of a job. Returns the job in it. An empty `name` leaves the name as it is."""


@dataclass(frozen=True, slots=True)
class BatchJobs:
    """What asking in jobs needs. `new_token` returns a new random text of hexadecimal digits.

    Jobs are made for more than `above` texts; None: none are made, and those that were made are settled.
    """

    service: BatchService
    journal: BatchJournal
    clock: Clock
    run_id: str
    new_token: Callable[[], str]
    above: int | None = None


Answers = Mapping[str, Outcome]
"""Outcomes by the keys of the tickets."""


async def ask_in_jobs(
    jobs: BatchJobs,
    tickets: Mapping[str, Ticket],
    catalog: ServiceCatalog,
    fingerprint: str,
    examples: Examples,
    keep: Callable[[Answers, Mapping[str, Ticket]], None],
) -> dict[str, Outcome]:
    """Returns an outcome for each of the `tickets` that a job answered or is asked about.

    The others are to be asked about at once.

    In a cascade, those that the first classifier is sure about have its outcome. Takes the answers of jobs that ended,
    and calls `keep` with them and their tickets; then makes jobs for what is left, if that is more than set.
    `fingerprint` stands for classifier and catalog. Raises SettingsError, InputError or ServiceError when the journal
    cannot be used, SettingsError for a wrong key, and BusyError when another process makes jobs for too long.
    """
    if not _are_enough(jobs, tickets) and not jobs.journal.exists():
        return {}
    decided = await _decided_without_model(jobs, tickets, catalog, examples)
    for_model = {key: ticket for key, ticket in tickets.items() if key not in decided}
    asking = _Asking(jobs, for_model, catalog, fingerprint, examples, keep)
    with jobs.journal.lock(jobs.clock(), wait=LOCK_WAIT):
        open_jobs = jobs.journal.jobs(only_open=True)
        if open_jobs or _are_enough(jobs, for_model):
            async with jobs.service:
                await asking.settle(open_jobs)
                await asking.submit()
    return {**decided, **asking.outcomes}


def _are_enough(jobs: BatchJobs, tickets: Mapping[str, Ticket]) -> bool:
    return jobs.above is not None and len(tickets) > jobs.above


async def _decided_without_model(
    jobs: BatchJobs, tickets: Mapping[str, Ticket], catalog: ServiceCatalog, examples: Examples
) -> dict[str, Outcome]:
    decided: dict[str, Outcome] = {}
    for keys in chunks(list(tickets), _DECIDED_AT_ONCE):
        outcomes = await jobs.service.without_model([tickets[key] for key in keys], catalog, examples)
        decided |= {key: outcome for key, outcome in zip(keys, outcomes, strict=True) if outcome}
    if decided:
        log.info("%s of %s decided without the model", f"{len(decided):,}", counted(len(tickets), "text"))
    return decided


async def cancel_jobs(jobs: BatchJobs, display_names: Sequence[str] = ()) -> list[BatchJob]:
    """Ask the service to stop the open jobs of these names, all of them without names. Returns them as they are now.

    A job that ended before keeps its answers, and a later run takes them.
    """
    with jobs.journal.lock(jobs.clock(), wait=LOCK_WAIT):
        open_jobs = jobs.journal.jobs(only_open=True)
        chosen = [job for job in open_jobs if not display_names or job.display_name in display_names]
        if not chosen:
            return []
        async with jobs.service:
            return [await _cancelled(jobs, job) for job in chosen]


async def _cancelled(jobs: BatchJobs, job: BatchJob) -> BatchJob:
    known = await _located(jobs, job)
    if not known.is_open or not known.name:
        return known
    known = jobs.journal.record(known, "cancelling", jobs.clock())
    await jobs.service.cancel(known.name)
    remote = await jobs.service.poll(known.name)
    if remote is None or (remote.state == "cancelled" and not remote.has_answers):
        return jobs.journal.record(known, "cancelled", jobs.clock())
    return known


async def _located(jobs: BatchJobs, job: BatchJob) -> BatchJob:
    """The job with its name at the service, if there is one. Doubles of it are stopped."""
    if job.state == "uploading":
        return jobs.journal.record(job, "not created", jobs.clock(), detail="the run ended before")
    if job.name:
        return job
    found = await jobs.service.find(job.display_name)
    if not found:
        now = jobs.clock()
        is_certain = not timedelta(0) <= now - job.changed < DOUBT
        return jobs.journal.record(job, "not created", now, detail="never reached the service") if is_certain else job
    return await _adopted(jobs, job, found)


async def _adopted(jobs: BatchJobs, job: BatchJob, found: Sequence[RemoteJob]) -> BatchJob:
    best = best_of(found)
    adopted = jobs.journal.record(job, "open", jobs.clock(), name=best.name)
    for double in found:
        if double.name != best.name:
            log.warning("the batch job %s exists twice: one of both is cancelled", job.display_name)
            await jobs.service.cancel(double.name)
    return adopted


@dataclass(slots=True)
class _Asking:
    """Settles the jobs of earlier runs and makes new ones. `outcomes` are by the keys of the tickets."""

    jobs: BatchJobs
    tickets: Mapping[str, Ticket]
    catalog: ServiceCatalog
    fingerprint: str
    examples: Examples
    keep: Callable[[Answers, Mapping[str, Ticket]], None]
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    async def settle(self, open_jobs: Sequence[BatchJob]) -> None:
        """Take the answers of the jobs that ended. A job that cannot be asked about stays as it is."""
        for job in open_jobs:
            if job.fingerprint != self.fingerprint:
                self._pass_over(job)
                continue
            try:
                await self._settle(job)
            except ServiceError as error:
                detail = self._without_texts(str(error))
                if self.jobs.clock() - job.created > GIVE_UP:
                    self._end(job, "lost", f"the service did not say how far it is for three days: {detail}")
                    continue
                log.warning("the batch job %s was not looked at: %s", job.display_name, detail)
                self._wait_for(job, f"the service did not say how far it is: {detail}")

    def _pass_over(self, job: BatchJob) -> None:
        """Its answers are about another catalog, or of another model: a run with that one takes them."""
        now = self.jobs.clock()
        if now - job.created > KEEP:
            self.jobs.journal.record(job, "lost", now, detail="its catalog or model was not used again")
            return
        log.warning(
            "the batch job %s asks about %s with another catalog, model or prompt: its answers are not used now; "
            "`ticketattr jobs cancel` stops it",
            job.display_name,
            counted(job.tickets, "ticket"),
        )

    async def _settle(self, job: BatchJob) -> None:
        job = await _located(self.jobs, job)
        if not job.is_open:
            return
        remote = await self._remote(job) if job.name else None
        if not job.name:
            self._wait_for(job, "nobody knows yet whether the service has it")
        elif remote is None:
            self._end(job, "lost", "the service does not know it any more")
        elif remote.has_answers:
            await self._take(replace(job, name=remote.name))
        elif remote.state in ENDED:
            self._end(job, ENDED[remote.state], remote.detail)
        elif job.is_overdue(self.jobs.clock()):
            await self.jobs.service.cancel(remote.name)
            self._end(job, "expired", f"still {remote.state} after 48 hours, and so cancelled")
        else:
            self._wait_for(job, f"the service has it {remote.state} since {job.created:%Y-%m-%d %H:%M} UTC")

    async def _remote(self, job: BatchJob) -> RemoteJob | None:
        """The job at the service; by its display name if its name is not known there any more."""
        remote = await self.jobs.service.poll(job.name)
        if remote is not None:
            return remote
        found = await self.jobs.service.find(job.display_name)
        if not found:
            return None
        await _adopted(self.jobs, job, found)
        return best_of(found)

    async def _take(self, job: BatchJob) -> None:
        outcomes = await self.jobs.service.answers(job, self.catalog)
        keys = {number: key for call in job.calls for number, key in call.numbered}
        answers = {keys[number]: outcome for number, outcome in outcomes.items() if not outcome.is_failure}
        answers = {key: self._shown(key, outcome) for key, outcome in answers.items()}
        # First the answers, then the state: a process that is killed in between reads them again, at no cost.
        self.keep(answers, {key: self.tickets.get(key, _GONE) for key in answers})
        told = f"{len(answers):,} of {counted(job.tickets, 'ticket')} answered"
        self.jobs.journal.record(job, "answered", self.jobs.clock(), detail=told)
        log.info("batch job %s: %s", job.display_name, told)
        self.outcomes.update({key: answers[key] for key in answers.keys() & self.tickets.keys()})

    def _shown(self, key: str, outcome: Outcome) -> Outcome:
        """The outcome as its ticket wants it. Of a ticket that left the queue, nobody has the private text any more."""
        if key in self.tickets:
            return self.jobs.service.restored(outcome, self.tickets[key])
        return replace(outcome, evidence="") if isinstance(outcome, Attribution) else outcome

    def _end(self, job: BatchJob, state: JobState, said: str) -> None:
        detail = self._without_texts(said)
        self.jobs.journal.record(job, state, self.jobs.clock(), detail=_code_of(detail))
        if state != "cancelled":
            log.warning(
                "the batch job %s is %s%s: its %s are asked about in ordinary calls",
                job.display_name,
                state,
                f" ({detail})" if detail else "",
                counted(job.tickets, "ticket"),
            )

    def _wait_for(self, job: BatchJob, detail: str) -> None:
        pending = Unattributed("pending", f"asked about in the batch job {job.display_name}: {detail}")
        for call in job.calls:
            self.outcomes.update({key: pending for key in call.ticket_keys if key in self.tickets})

    async def submit(self) -> None:
        """Make jobs for what no job was asked about yet, if that is more than set."""
        above = self.jobs.above
        left = [key for key in self.tickets if key not in self.outcomes]
        if above is None or len(left) <= above:
            return
        tried = self.jobs.journal.tried(left)
        new = [key for key in left if key not in tried]
        if len(new) > above:
            await self._submit(list(chunks(new, self.jobs.service.batch_size)))

    async def _submit(self, batches: Sequence[Sequence[str]]) -> None:
        token = self.jobs.new_token()
        first = 100_000 + int(token, 16) % _LARGEST_BASE
        asked = [[self.tickets[key] for key in batch] for batch in batches]
        calls = self.jobs.service.prepare(asked, first, self.catalog, self.examples)
        for batch in batches[len(calls) :]:
            limit = Unattributed("cost_limit", "not asked in a batch job, because of LLM_MAX_COST")
            self.outcomes.update(dict.fromkeys(batch, limit))
        for part, places in enumerate(_parts(calls), start=1):
            job = self._planned(f"ticketattr-{self.jobs.run_id}-{part}-{token}", places, batches, calls, first)
            if not await self._create(job, [calls[place] for place in places]):
                break

    def _planned(
        self,
        display_name: str,
        places: range,
        batches: Sequence[Sequence[str]],
        calls: Sequence[PreparedCall],
        first: int,
    ) -> BatchJob:
        now = self.jobs.clock()
        size = self.jobs.service.batch_size
        planned = tuple(JobCall(calls[place].key, first + place * size, tuple(batches[place])) for place in places)
        return BatchJob(
            display_name, self.jobs.run_id, self.fingerprint, self.jobs.service.model, now, "uploading", now, planned
        )

    async def _create(self, job: BatchJob, calls: Sequence[PreparedCall]) -> bool:
        """Whether further jobs may be made."""
        journal, clock, service = self.jobs.journal, self.jobs.clock, self.jobs.service
        job = journal.add(job)
        try:
            uploaded = await service.upload(job.display_name, calls)
        except ServiceError as error:
            return self._refuse(job, "not created", JobRefused(str(error), is_transient=True))
        job = journal.record(job, "creating", clock())
        try:
            remote = await service.create(job.display_name, uploaded)
        except JobRefused as refusal:
            return self._refuse(job, "not created" if refusal.is_transient else "refused", refusal)
        except SettingsError:
            journal.record(job, "not created", clock())
            raise
        except ServiceError as error:
            return await self._look_for(job, str(error))
        job = journal.record(job, "open", clock(), name=remote.name)
        log.info("batch job %s asks about %s", job.display_name, counted(job.tickets, "ticket"))
        self._wait_for(job, "the service has it since now")
        return True

    async def _look_for(self, job: BatchJob, detail: str) -> bool:
        try:
            found = await self.jobs.service.find(job.display_name)
        except ServiceError:
            found = []
        if found:
            job = await _adopted(self.jobs, job, found)
            self._wait_for(job, "the service has it since now")
            return True
        self._wait_for(job, f"nobody knows yet whether the service has it: {self._without_texts(detail)}")
        return False

    def _refuse(self, job: BatchJob, state: JobState, refusal: JobRefused) -> bool:
        """A ticket whose job may be made later is not asked about now, because that would cost twice as much."""
        detail = self._without_texts(str(refusal))
        self.jobs.journal.record(job, state, self.jobs.clock(), detail=_code_of(detail))
        log.warning("the batch job %s was not made: %s", job.display_name, detail)
        if refusal.is_transient:
            reason = Unattributed(refusal.reason, f"no batch job was made, the next run tries again: {detail}")
            for call in job.calls:
                self.outcomes.update(dict.fromkeys(call.ticket_keys, reason))
        return not refusal.is_transient

    def _without_texts(self, words: str) -> str:
        """What a service said, unless it repeats the text of a ticket."""
        sent = "\n".join(text for ticket in self.tickets.values() for text in ticket.texts)
        return words if unless_repeated(words, sent) else _code_of(words)


def _code_of(detail: str) -> str:
    """What the journal keeps of an error: without the words of the service, which may repeat the text of a ticket."""
    return detail.partition(": ")[0]


def _parts(calls: Sequence[PreparedCall]) -> Iterator[range]:
    """The places of the calls of each job: as many as one job should have."""
    start = size = 0
    for place, call in enumerate(calls):
        size += len(call.content)
        if place > start and (place - start >= CALLS_PER_JOB or size > _MOST_BYTES):
            yield range(start, place)
            start, size = place, len(call.content)
    if start < len(calls):
        yield range(start, len(calls))
