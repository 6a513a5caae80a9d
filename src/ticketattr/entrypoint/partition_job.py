"""`classify` on many partitions: what a process needs to do one of them, here or as a worker somewhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from glob import glob, has_magic
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import typer

from .. import __version__
from ..application.fetch import stream_tickets
from ..application.partitions import (
    Job,
    JobIdentity,
    Partition,
    PartitionProblem,
    PartitionResult,
    PartitionsDone,
    Runner,
    digest_of_decided,
    do_missing,
    do_partition,
    one_after_the_other,
)
from ..application.ports import AnswerCache, Classifier
from ..application.run_progress import current_run
from ..domain.correction import Correction
from ..domain.digest import digest
from ..domain.gold import GoldTicket
from ..domain.wording import counted
from ..errors import ExitCode, InputError, SettingsError, StageFileError
from ..infrastructure.options import HelpdeskAccess
from . import wiring
from .invocation import Invocation
from .presentation.summaries import bill_summary, tally_summary
from .results import print_path
from .settings.classifier import ClassifierSettings
from .settings.folders import FolderSettings
from .settings.sources import SourceSettings

if TYPE_CHECKING:
    from ..domain.catalog import ServiceCatalog
    from ..domain.ticket import Ticket


@dataclass(frozen=True, slots=True)
class PartitionWork:
    """What does the partitions of a job, as values that can be sent to another host."""

    options: ClassifierSettings
    folders: FolderSettings
    sources: SourceSettings
    examples: Path | None
    catalog: ServiceCatalog
    corrections: tuple[Correction, ...]
    output: Path
    fresh: bool = False

    def identity(self) -> JobIdentity:
        """What decides the answers in this process."""
        labelled = wiring.labelled_tickets(self.examples)
        times, keep = self.sources.times, sorted(self.sources.keep or ("as the profile says",))
        own = _own_profile(self.sources)
        profile = own.read_text(encoding="utf-8", errors="replace") if own else self.sources.profile
        return JobIdentity(
            catalog=self.catalog.version,
            classifier=wiring.classifier(self.options, labelled).fingerprint(self.catalog),
            decided=digest_of_decided(self.corrections, labelled(self.catalog)),
            reading=digest([profile, *keep, times.form, str(times.zone)]),
            program=__version__,
        )


@dataclass(frozen=True, slots=True)
class _Tools:
    """What a process keeps from one partition to the next: loading a model takes seconds."""

    job: Job
    output: Path
    catalog: ServiceCatalog
    classifier: Classifier
    cache: AnswerCache
    labelled: Sequence[GoldTicket]
    lock: Lock = field(default_factory=Lock)


_kept: list[_Tools] = []
_keeping = Lock()


def classify_one(work: PartitionWork, job: Job, partition: Partition) -> PartitionResult:
    """Do one partition in this process. Raises SettingsError or ServiceError, StageFileError for another version."""
    from ..application.classify import classify_stream

    tools = _tools(work, job)
    # A worker may have several threads; a classifier answers one of them at a time.
    with tools.lock:
        answered = classify_stream(
            *(
                tickets_of(partition, work.sources),
                tools.catalog,
                tools.classifier,
                tools.cache,
                work.corrections,
                tools.labelled,
            )
        )
        folder = wiring.shared_folder(work.output)
        return do_partition(partition, folder, tools.job.identity, answered, lambda: tools.classifier.bill)


def tickets_of(partition: Partition, sources: SourceSettings) -> Iterator[Ticket]:
    """Yields the tickets of the partition. Raises InputError."""
    source = wiring.ticket_file(replace(sources, helpdesk=HelpdeskAccess(str(partition.path))), "--input")
    return stream_tickets(source.stream_tickets(), sources.times)


def _tools(work: PartitionWork, job: Job) -> _Tools:
    with _keeping:
        if not _kept or (_kept[0].job, _kept[0].output) != (job, work.output):
            _refuse_other_worker(work, job)
            labelled = wiring.labelled_tickets(work.examples)
            cache = wiring.answer_cache(work.options, work.folders, lambda: job.generated_at, fresh=work.fresh)
            classifier = wiring.classifier(work.options, labelled)
            _kept[:] = [_Tools(job, work.output, work.catalog, classifier, cache, labelled(work.catalog))]
        current_run.set(job.run_id)
        return _kept[0]


def _refuse_other_worker(work: PartitionWork, job: Job) -> None:
    """Raise StageFileError where this process would answer otherwise, or does not see the folder of the job."""
    if difference := work.identity().difference(job.identity):
        raise StageFileError(f"the job was begun with {difference}", hint="Install the same version everywhere.")
    if wiring.shared_folder(work.output).job() != job:
        raise StageFileError(f"{work.output} is not the folder of this job", hint="All workers must share the folder.")


def is_many(input: Path | None, output: str | None) -> bool:
    """Whether `input` names many files, or `output` is a folder for the answers of partitions."""
    pattern = bool(input and has_magic(str(input)) and not input.exists())
    return pattern or bool(output and (output.endswith("/") or Path(output).is_dir()))


def partitions_of(pattern: Path) -> list[Partition]:
    """The partitions that `pattern` names, by the names of their files. Raises InputError or SettingsError."""
    paths = [pattern] if pattern.exists() else [Path(path) for path in glob(str(pattern))]  # noqa: PTH207  # a folder may be a pattern
    if not paths:
        raise InputError(f"no file matches {pattern}", hint="Check the path, and quote it for the shell.")
    by_name: dict[str, Path] = {}
    for path in sorted(paths, key=lambda path: (path.name, path)):
        if (other := by_name.setdefault(path.stem, path)) != path:
            raise SettingsError(
                f"{other} and {path} are both called {path.stem}", hint="Give each partition a name of its own."
            )
    return [Partition(name, path) for name, path in by_name.items()]


def classify_partitions(
    invocation: Invocation, work: PartitionWork, partitions: Sequence[Partition], runner: Runner | None
) -> None:
    """Do the partitions that are missing, and say what became of them. Exits with 5 for what was done in part."""
    if any(partition.path.parent.resolve() == work.output.resolve() for partition in partitions):
        raise SettingsError(
            f"{work.output} is the folder of the partitions", hint="Give another folder for the answers with --output."
        )
    if runner:
        work, partitions = _for_any_folder(work), [replace(each, path=each.path.absolute()) for each in partitions]
    folder, run = wiring.shared_folder(work.output), invocation.new_run()
    begun = folder.begin(
        Job(run.id, invocation.clock().replace(microsecond=0), work.identity()), work.catalog, partitions
    )
    current_run.set(begun.run_id)
    do_one = partial(classify_one, work, begun)
    with invocation.console.progress("Classifying partitions") as progress:
        done = do_missing(partitions, folder, do_one, runner or one_after_the_other, progress)
    _tell(invocation, work, done)


def _for_any_folder(work: PartitionWork) -> PartitionWork:
    """`work` with absolute paths: a worker runs in a folder of its own."""
    options = work.options
    return replace(
        work,
        options=replace(options, calibration=_absolute(options.calibration), model=_absolute(options.model)),
        sources=replace(work.sources, profile=str(_own_profile(work.sources) or work.sources.profile)),
        examples=_absolute(work.examples),
        output=work.output.absolute(),
    )


def _own_profile(sources: SourceSettings) -> Path | None:
    """The file of a profile of the user's own; None for a shipped one."""
    path = Path(sources.profile)
    return path.absolute() if path.is_file() else None


def _absolute(path: Path | None) -> Path | None:
    return path.absolute() if path else None


def _tell(invocation: Invocation, work: PartitionWork, done: PartitionsDone) -> None:
    for problem in done.problems:
        what = ". ".join(filter(None, (problem.problem, problem.hint)))
        invocation.console.problem(f"not done: {problem.name}: {what}")
    if done.bill.usage.calls:
        invocation.console.summary(bill_summary(done.bill))
    count = len(done.before) + len(done.now)
    invocation.console.summary(
        f"{count:,} of {counted(count + len(done.problems), 'partition')} done "
        f"({len(done.before):,} before): {tally_summary(done.tally)}"
    )
    print_path(work.output)
    if done.problems and not count:
        raise typer.Exit(_code(done.problems))
    if done.problems or done.tally.failed:
        raise typer.Exit(ExitCode.PARTIAL)


def _code(problems: Sequence[PartitionProblem]) -> ExitCode:
    return ExitCode.INPUT if all(problem.is_input for problem in problems) else ExitCode.SERVICE
