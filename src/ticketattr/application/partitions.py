"""Classify a queue that is split into partitions, each of them once, and merge their answers.

Any number of processes on any number of hosts may work on one job at the same time: all they share is a folder.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias

from ..domain.correction import Correction
from ..domain.digest import digest
from ..domain.gold import GoldTicket
from ..domain.run_history import count_outcomes
from ..domain.ticket import AttributedTicket
from ..domain.usage import Bill, Usage, total
from ..domain.wording import counted, some_of
from ..errors import InputError, StageFileError
from .ports import Progress

log = logging.getLogger(__name__)

_NAMED = 5


@dataclass(frozen=True, slots=True)
class JobIdentity:
    """What decides the answers of a job. Partitions that differ in any of it do not belong together.

    `catalog` is the version of the catalog, `classifier` the fingerprint of the classifier, `decided` a digest of the
    corrections and examples, `reading` a digest of how tickets are read, and `program` the version of this program.
    """

    catalog: str
    classifier: str
    decided: str
    reading: str
    program: str

    def difference(self, other: JobIdentity) -> str:
        """In words, what differs from `other`; empty if nothing does."""
        if self.program != other.program:
            return f"version {other.program} of ticketattr, and this is {self.program}"
        names = {
            "catalog": "another catalog",
            "classifier": "another classifier",
            "decided": "other corrections or examples",
            "reading": "other settings for reading tickets (HELPDESK_PROFILE, HELPDESK_KEEP, TIME_FORMAT, TIME_ZONE)",
        }
        return next((words for name, words in names.items() if getattr(self, name) != getattr(other, name)), "")


@dataclass(frozen=True, slots=True)
class Job:
    """One classification of many partitions, and when it began, in UTC."""

    run_id: str
    generated_at: datetime
    identity: JobIdentity


@dataclass(frozen=True, slots=True)
class Partition:
    """A file with a part of the queue. Its name is that of the file without its last suffix."""

    name: str
    path: Path


@dataclass(slots=True)
class Tally:
    """How many tickets had which outcome so far."""

    outcomes: Counter[str] = field(default_factory=Counter)

    def counted(
        self, tickets: Iterable[AttributedTicket], told: Callable[[int], None] = lambda count: None
    ) -> Iterator[AttributedTicket]:
        """Yields `tickets`, and counts them; `told` is told how many there were."""
        for place, ticket in enumerate(tickets, start=1):
            self.outcomes.update(count_outcomes((ticket,)))
            told(place)
            yield ticket

    @property
    def tickets(self) -> int:
        """The number of all tickets."""
        return sum(self.outcomes.values())

    @property
    def failed(self) -> int:
        """The number of tickets whose attribution failed."""
        return self.outcomes["failed"]

    @property
    def attributed(self) -> int:
        """The number of tickets that have a request type."""
        return self.tickets - self.failed - self.outcomes["no_match"]


@dataclass(frozen=True, slots=True)
class PartitionRecord:
    """The manifest of a partition that is done: what it was made from, and what came out.

    Sizes are in bytes, digests are SHA-256 in hexadecimal. `modified` is the time of the last change of the input, in
    nanoseconds.
    """

    name: str
    identity: JobIdentity
    input: str
    input_size: int
    input_digest: str
    modified: int
    tickets: int
    outcomes: dict[str, int]
    answers_size: int
    answers_digest: str
    bill: Bill

    @property
    def tally(self) -> Tally:
        """The number of tickets by outcome."""
        return Tally(Counter(self.outcomes))


@dataclass(frozen=True, slots=True)
class PartitionProblem:
    """Why a partition is not done, and what to do."""

    name: str
    problem: str
    hint: str = ""
    is_input: bool = True


PartitionResult: TypeAlias = PartitionRecord | PartitionProblem
Work: TypeAlias = Callable[[Partition], PartitionResult]
"""Does one partition."""

Runner: TypeAlias = Callable[[Work, Sequence[Partition]], Iterator[PartitionResult]]
"""Does partitions here or elsewhere, and yields each result as it comes. Raises ServiceError."""


class PartitionFolder(Protocol):
    """The folder of a job: its identity, and of each partition the answers and then the manifest.

    All methods raise SettingsError, InputError or ServiceError if the folder cannot be used.
    """

    def done(self, partition: Partition) -> PartitionRecord | None:
        """The manifest of a partition that need not be done again; None if it has failures or its input changed."""

    def write(
        self, partition: Partition, identity: JobIdentity, tickets: Iterable[AttributedTicket], bill: Callable[[], Bill]
    ) -> PartitionRecord:
        """Write the answers and then the manifest, each whole or not at all."""

    def records(self) -> list[PartitionRecord]:
        """The manifests of all partitions that are done, by name."""

    def asked(self) -> set[str]:
        """The names of all partitions that the job was ever asked to do."""


@dataclass(frozen=True, slots=True)
class PartitionsDone:
    """What became of the partitions: `before` were done already."""

    before: Sequence[PartitionRecord]
    now: Sequence[PartitionRecord]
    problems: Sequence[PartitionProblem]

    @property
    def tally(self) -> Tally:
        """The tickets of all partitions that are done."""
        return tally_of((*self.before, *self.now))

    @property
    def bill(self) -> Bill:
        """What the partitions that were done now took."""
        return total(record.bill for record in self.now)


def digest_of_decided(corrections: Sequence[Correction], labelled: Sequence[GoldTicket]) -> str:
    """A digest of what people decided, which a classifier is shown or follows."""
    return digest([*map(repr, corrections), *map(repr, labelled)])


def tally_of(records: Iterable[PartitionRecord]) -> Tally:
    """The tickets of all `records`."""
    return Tally(sum((Counter(record.outcomes) for record in records), Counter[str]()))


def do_partition(
    partition: Partition,
    folder: PartitionFolder,
    identity: JobIdentity,
    tickets: Iterable[AttributedTicket],
    bill: Callable[[], Bill],
) -> PartitionResult:
    """The manifest of the partition, once its answers are written; for a wrong input, what is wrong with it.

    Raises SettingsError or ServiceError.
    """
    before = bill()
    try:
        # Another process may have done it, or a worker that died before it could say so.
        if record := folder.done(partition):
            return record
        return folder.write(partition, identity, tickets, lambda: _since(before, bill()))
    except InputError as error:
        return PartitionProblem(partition.name, str(error), error.hint)


def do_missing(
    partitions: Sequence[Partition], folder: PartitionFolder, work: Work, runner: Runner, progress: Progress
) -> PartitionsDone:
    """Do those of `partitions` that are not done yet. Raises SettingsError or ServiceError; what is done stays done."""
    found = {partition.name: folder.done(partition) for partition in partitions}
    before = [record for record in found.values() if record]
    missing = [partition for partition in partitions if found[partition.name] is None]
    log.info("%s, %d of them done already", counted(len(partitions), "partition"), len(before))
    progress(len(before), len(partitions))
    now: list[PartitionRecord] = []
    problems: list[PartitionProblem] = []
    for result in runner(work, missing) if missing else ():
        if isinstance(result, PartitionProblem):
            problems.append(result)
        else:
            now.append(result)
            log.info("%s: %s", result.name, counted(result.tickets, "ticket"))
        progress(len(before) + len(now) + len(problems), len(partitions))
    return PartitionsDone(before, now, problems)


def one_after_the_other(work: Work, partitions: Sequence[Partition]) -> Iterator[PartitionResult]:
    """Does partitions in this process."""
    return map(work, partitions)


def checked_records(
    job: Job, folder: PartitionFolder, expected: Sequence[Partition] | None = None
) -> list[PartitionRecord]:
    """The manifests of all partitions of `job`, by name. Raises StageFileError unless all are done, each once.

    `expected` are the partitions that there must be; None: those that the job was ever asked to do.
    """
    records = folder.records()
    names = {record.name for record in records}
    wanted = folder.asked() | names if expected is None else {partition.name for partition in expected}
    if missing := sorted(wanted - names):
        raise StageFileError(
            f"{counted(len(missing), 'partition')} of {len(wanted):,} not done: {some_of(missing, _NAMED)}",
            hint="Run the same `ticketattr classify` again: it does what is missing.",
        )
    if foreign := sorted(names - wanted):
        raise StageFileError(
            f"done, but not among those of --input: {some_of(foreign, _NAMED)}",
            hint="Give all partitions with --input, or remove the files of these from the folder.",
        )
    for partition in expected or ():
        if folder.done(partition) is None and not any(
            record.name == partition.name and record.tally.failed for record in records
        ):
            raise StageFileError(
                f"{partition.path} changed since it was classified", hint="Run the same `ticketattr classify` again."
            )
    _refuse_others(job, records)
    _refuse_twice(records)
    return records


def _refuse_others(job: Job, records: Sequence[PartitionRecord]) -> None:
    for record in records:
        if difference := job.identity.difference(record.identity):
            raise StageFileError(
                f"partition {record.name} was done with {difference.replace('and this is', 'and the job is of')}",
                hint="Remove its files from the folder, and run `ticketattr classify` again.",
            )


def _refuse_twice(records: Sequence[PartitionRecord]) -> None:
    seen: dict[str, str] = {}
    for record in records:
        other = seen.setdefault(record.input_digest, record.name) if record.tickets else record.name
        if other != record.name:
            raise StageFileError(
                f"partitions {other} and {record.name} have the same content, so each of their tickets is there twice",
                hint=f"Remove one of them, and its files {record.name}.* from the folder of the job.",
            )


def _since(before: Bill, now: Bill) -> Bill:
    """The part of `now` that came after `before`."""
    spent = None if now.cost is None or before.cost is None else now.cost - before.cost
    names = [each.name for each in fields(Usage)]
    usage = Usage(**{name: getattr(now.usage, name) - getattr(before.usage, name) for name in names})
    return replace(now, usage=usage, cost=spent, seconds=max(now.seconds - before.seconds, 0.0))
