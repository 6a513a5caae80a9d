"""The folder of a job of many partitions, which any number of processes on any number of hosts may share.

    job.json                        run id, time, and what decides the answers; the first process writes it
    catalog.json                    the catalog, as a stage file
    asked-<digest>.json             the partitions that a process was asked to do, and their files
    <name>.attributions.jsonl       the answers of a partition, one ticket a line, without a header
    <name>.manifest.json            its manifest, which is written last: now it is done

Each file is written beside its place and renamed, so it is there whole or not at all. The same partition gives the same
answers, byte for byte, so two processes that do it at the same time do no harm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from pydantic import TypeAdapter, ValidationError

from ...application.partitions import Job, JobIdentity, Partition, PartitionRecord, Tally
from ...application.ports import Run
from ...domain.catalog import ServiceCatalog
from ...domain.digest import digest
from ...domain.run_id import is_run_id
from ...domain.ticket import AttributedTicket
from ...domain.usage import Bill
from ...domain.wording import counted
from ...errors import InputError, StageFileError
from ..files import creating, open_readable, read_bounded, remove_file, replacing, unreadable
from ..json_text import dump_json, parse_json
from ..leftovers import remove_leftovers
from ..stage_files.attributions import line_of_ticket
from ..stage_files.catalog_and_tickets import read_catalog, write_catalog

SCHEMA_VERSION = 1
_MAX_BYTES = 64 * 1024 * 1024
_CHUNK = 1024 * 1024
_HEADER = ("kind", "schema_version")
_ANSWERS, _MANIFEST, _ASKED = ".attributions.jsonl", ".manifest.json", "asked-"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Asked:
    partitions: dict[str, str]


_JOB = TypeAdapter(Job)
_RECORD = TypeAdapter(PartitionRecord)
_NAMES = TypeAdapter(_Asked)


@dataclass(frozen=True, slots=True)
class SharedFolder:
    """The folder `root` of a job."""

    root: Path

    def begin(self, job: Job, catalog: ServiceCatalog, partitions: Iterable[Partition]) -> Job:
        """The job of this folder, which is `job` if there is none yet, with these partitions.

        Raises StageFileError if the folder belongs to a job with other answers, or if a partition has the name of
        another one, which another process was asked to do.
        """
        remove_leftovers((self.root,))
        with creating(self.root / "job.json") as file:
            file.write(_dumped("job", _JOB, job))
        found = self.job()
        if difference := job.identity.difference(found.identity):
            raise StageFileError(
                f"{self.root} was begun with {difference}", hint="Give another folder with --output, or use the same."
            )
        files = {partition.name: _input_of(partition) for partition in partitions}
        with creating(self.root / f"{_ASKED}{digest(sorted(files.values()))[:16]}.json") as file:
            file.write(_dumped("partitions", _NAMES, _Asked(files)))
        # After that, so that of two processes at the same time one at least sees the other.
        self._refuse_same_names(files)
        if not (self.root / "catalog.json").exists():
            write_catalog(self.root / "catalog.json", catalog, job_run(found))
        return found

    def job(self) -> Job:
        """The job of this folder. Raises StageFileError if there is none."""
        job = _read(self.root / "job.json", "job", _JOB)
        if not is_run_id(job.run_id):
            raise StageFileError(f"{self.root / 'job.json'} does not have a valid run id")
        return job

    def catalog(self) -> ServiceCatalog:
        """The catalog of the job. Raises StageFileError."""
        return read_catalog(self.root / "catalog.json").data

    def done(self, partition: Partition) -> PartitionRecord | None:
        path = self.root / f"{partition.name}{_MANIFEST}"
        if not path.exists():
            return None
        record = _read(path, "partition", _RECORD)
        if record.tally.failed or not self._has_answers(record):
            return None
        size, modified = _stamp(partition.path)
        if (size, modified) == (record.input_size, record.modified):
            return record
        is_same = size == record.input_size and _digest_of(partition.path) == record.input_digest
        return record if is_same else None

    def write(
        self, partition: Partition, identity: JobIdentity, tickets: Iterable[AttributedTicket], bill: Callable[[], Bill]
    ) -> PartitionRecord:
        size, modified = _stamp(partition.path)
        # From here on, it is not done: the manifest of an earlier input says nothing about the answers of this one.
        remove_file(self.root / f"{partition.name}{_MANIFEST}")
        input_digest, answers, tally = _digest_of(partition.path), hashlib.sha256(), Tally()
        with replacing(self.root / f"{partition.name}{_ANSWERS}") as file:
            for ticket in tally.counted(tickets):
                line = line_of_ticket(ticket)
                answers.update(line)
                file.write(line)
            answers_size = file.tell()
            if (size, modified) != _stamp(partition.path):
                raise InputError(
                    f"{partition.path} changed while it was read", hint="Run the same command when it is complete."
                )
        record = PartitionRecord(
            *(partition.name, identity, _input_of(partition), size, input_digest, modified),
            *(tally.tickets, dict(sorted(tally.outcomes.items())), answers_size, answers.hexdigest(), bill()),
        )
        with replacing(self.root / f"{partition.name}{_MANIFEST}") as file:
            file.write(_dumped("partition", _RECORD, record))
        return record

    def records(self) -> list[PartitionRecord]:
        return [_read(path, "partition", _RECORD) for path in self._named(f"*{_MANIFEST}")]

    def asked(self) -> set[str]:
        return {name for asked in self._asked() for name in asked.partitions}

    def answers(self, records: Iterable[PartitionRecord]) -> Iterator[bytes]:
        """Yields the lines of the answers of `records`. Raises StageFileError at the end of one that was changed."""
        for record in records:
            path = self.root / f"{record.name}{_ANSWERS}"
            seen, tickets = hashlib.sha256(), 0
            with _opened(path) as file:
                for line in file:
                    seen.update(line)
                    tickets += 1
                    yield line
            if (seen.hexdigest(), tickets) != (record.answers_digest, record.tickets):
                raise StageFileError(
                    f"{path} is not what its manifest says: it has {tickets:,} of {counted(record.tickets, 'ticket')}, "
                    "or other ones",
                    hint=f"Remove it, and run the same `ticketattr classify` again: it does {record.name} once more.",
                )

    def _asked(self) -> list[_Asked]:
        paths = [path for path in self._named(f"{_ASKED}*.json") if not path.name.endswith(_MANIFEST)]
        return [_read(path, "partitions", _NAMES) for path in paths]

    def _refuse_same_names(self, files: Mapping[str, str]) -> None:
        for asked in self._asked():
            for name in asked.partitions.keys() & files.keys():
                if asked.partitions[name] != files[name]:
                    raise StageFileError(
                        f"{asked.partitions[name]} and {files[name]} are both called {name}",
                        hint="Give each partition a name of its own, and remove the folder of answers.",
                    )

    def _named(self, pattern: str) -> list[Path]:
        return sorted(self.root.glob(pattern), key=lambda path: path.name)

    def _has_answers(self, record: PartitionRecord) -> bool:
        try:
            return (self.root / f"{record.name}{_ANSWERS}").stat().st_size == record.answers_size
        except OSError:
            return False


def job_run(job: Job) -> Run:
    """The run of a job: all its files state the time at which it began."""
    return Run(job.run_id, lambda: job.generated_at)


def _dumped(kind: str, adapter: TypeAdapter[T], value: T) -> bytes:
    return dump_json({"kind": kind, "schema_version": SCHEMA_VERSION, **adapter.dump_python(value, mode="json")})


def _read(path: Path, kind: str, adapter: TypeAdapter[T]) -> T:
    try:
        found = parse_json(read_bounded(path, _MAX_BYTES), str(path))
        if not isinstance(found, dict) or (found.get("kind"), found.get("schema_version")) != (kind, SCHEMA_VERSION):
            raise InputError(f"{path} is not a file of kind '{kind}' and version {SCHEMA_VERSION}")
        return adapter.validate_python({name: value for name, value in found.items() if name not in _HEADER})
    except (InputError, ValidationError) as error:
        reason = str(error) if isinstance(error, InputError) else f"{path} is not a whole file of kind '{kind}'"
        raise StageFileError(reason, hint="Give the folder that `ticketattr classify --output` wrote.") from error


def _input_of(partition: Partition) -> str:
    """The name of the file, with that of its folder: a host may have the folder at another place."""
    path = partition.path.absolute()
    return f"{path.parent.name}/{path.name}"


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    return found.st_size, found.st_mtime_ns


def _digest_of(path: Path) -> str:
    seen = hashlib.sha256()
    try:
        with open_readable(path) as file:
            while chunk := file.read(_CHUNK):
                seen.update(chunk)
    except OSError as error:
        raise unreadable(path, error) from error
    return seen.hexdigest()


def _opened(path: Path) -> IO[bytes]:
    try:
        return open_readable(path)
    except OSError as error:
        raise StageFileError(str(unreadable(path, error)), hint="Run the same `ticketattr classify` again.") from error
