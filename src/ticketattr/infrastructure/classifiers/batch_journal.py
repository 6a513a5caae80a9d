"""The journal of batch jobs, in one SQLite file. It holds no text of a ticket, and no key of the service.

    jobs(number, display_name, run_id, fingerprint, model, created)
    calls(job, first, key)                           `first` is the id of the first ticket of the call
    asked(job, id, ticket_key)                       the key of a ticket in the answer cache
    states(number, job, state, name, detail, at)     the last state of a job is the present one

Times are ISO 8601 in UTC; `user_version` is the version of the schema. Rows are added and never changed. A job that
ended is deleted with all its rows after `KEEP_DAYS`. A lock file beside it keeps other processes out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from ...application.batches import chunks
from ...domain.batch_job import OPEN_STATES, TRIED_STATES, BatchJob, JobCall, JobState
from ..databases.sqlite_file import SQLiteFile
from ..delivery import sender_lock
from ..files import make_private

SCHEMA_VERSION = 1
KEEP_DAYS = 30
"""As long as the answer cache keeps an answer that is not used."""

_SCHEMA = (
    """CREATE TABLE jobs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        display_name TEXT NOT NULL UNIQUE,
        run_id TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        model TEXT NOT NULL,
        created TEXT NOT NULL
    )""",
    """CREATE TABLE calls (
        job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
        first INTEGER NOT NULL,
        key TEXT NOT NULL,
        PRIMARY KEY (job, first)
    ) WITHOUT ROWID""",
    """CREATE TABLE asked (
        job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
        id INTEGER NOT NULL,
        ticket_key TEXT NOT NULL,
        PRIMARY KEY (job, id)
    ) WITHOUT ROWID""",
    "CREATE INDEX asked_about ON asked (ticket_key)",
    """CREATE TABLE states (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
        state TEXT NOT NULL CHECK (state IN ('uploading', 'creating', 'open', 'cancelling', 'answered',
            'not created', 'refused', 'failed', 'expired', 'cancelled', 'lost')),
        name TEXT NOT NULL,
        detail TEXT NOT NULL,
        at TEXT NOT NULL
    )""",
    "CREATE INDEX states_of_job ON states (job)",
)
_FILE = SQLiteFile(
    "the journal of batch jobs",
    SCHEMA_VERSION,
    _SCHEMA,
    "WORK_DIR",
    "Restore it from a backup. Without it, the tickets of jobs that are at work are asked about again.",
)
_PRESENT = "s.number = (SELECT max(number) FROM states WHERE job = s.job)"
_JOBS = (
    "SELECT j.number, display_name, run_id, fingerprint, model, created, s.state, s.name, s.detail, s.at"  # noqa: S608  # nosec B608  # a constant
    f" FROM jobs j JOIN states s ON s.job = j.number AND {_PRESENT} ORDER BY j.number"
)
_ASKED = (
    "SELECT c.first, c.key, a.ticket_key FROM asked a JOIN calls c ON c.job = a.job AND c.first ="
    " (SELECT max(first) FROM calls WHERE job = a.job AND first <= a.id) WHERE a.job = ? ORDER BY a.id"
)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class SQLiteBatchJournal:
    """The journal at `path`. Every call opens the file; reading creates none. `who` is named to a second process."""

    path: Path
    who: str = ""

    def exists(self) -> bool:
        return self.path.exists()

    def lock(self, at: datetime, *, wait: float = 0.0) -> AbstractContextManager[datetime]:
        path = self.path.resolve()
        return sender_lock.acquire(path.with_name(f"{path.name}.lock"), who=self.who, at=at, wait=wait)

    def jobs(self, *, only_open: bool = False) -> list[BatchJob]:
        if not self.exists():
            return []
        with _FILE.transaction(self.path) as file:
            rows = [row for row in file.execute(_JOBS) if not only_open or row[6] in OPEN_STATES]
            return [_job(row, _calls(file.execute(_ASKED, row[:1]))) for row in rows]

    def tried(self, ticket_keys: Sequence[str]) -> set[str]:
        if not self.exists():
            return set()
        states = sorted(TRIED_STATES)
        found: set[str] = set()
        with _FILE.transaction(self.path) as file:
            for some in chunks(list(ticket_keys), _AT_ONCE):
                found |= {key for (key,) in file.execute(_tried(len(some), len(states)), (*some, *states))}
        return found

    def add(self, job: BatchJob) -> BatchJob:
        make_private(self.path)
        with _FILE.transaction(self.path) as file:
            _delete_old(file, job.changed - timedelta(days=KEEP_DAYS))
            row = (job.display_name, job.run_id, job.fingerprint, job.model, job.created.isoformat())
            number = file.execute("INSERT INTO jobs VALUES (NULL, ?, ?, ?, ?, ?)", row).lastrowid or 0
            calls = [(number, call.first, call.key) for call in job.calls]
            asked = [(number, ticket, key) for call in job.calls for ticket, key in call.numbered]
            file.executemany("INSERT INTO calls VALUES (?, ?, ?)", calls)
            file.executemany("INSERT INTO asked VALUES (?, ?, ?)", asked)
            _insert_state(file, replace(job, number=number))
        return replace(job, number=number)

    def record(self, job: BatchJob, state: JobState, at: datetime, *, name: str = "", detail: str = "") -> BatchJob:
        changed = replace(job, state=state, changed=at, name=name or job.name, detail=detail)
        with _FILE.transaction(self.path) as file:
            _insert_state(file, changed)
        return changed


def _insert_state(file: sqlite3.Connection, job: BatchJob) -> None:
    row = (job.number, job.state, job.name, job.detail, job.changed.isoformat())
    file.execute("INSERT INTO states (job, state, name, detail, at) VALUES (?, ?, ?, ?, ?)", row)


def _delete_old(file: sqlite3.Connection, before: datetime) -> None:
    old = [row[0] for row in file.execute(_JOBS) if row[6] not in OPEN_STATES and row[9] < before.isoformat()]
    file.executemany("DELETE FROM jobs WHERE number = ?", [(number,) for number in old])


def _tried(keys: int, states: int) -> str:
    return (
        "SELECT DISTINCT a.ticket_key FROM asked a JOIN states s ON s.job = a.job"  # noqa: S608  # nosec B608  # only question marks
        f" WHERE a.ticket_key IN ({','.join('?' * keys)}) AND s.state IN ({','.join('?' * states)}) AND {_PRESENT}"
    )


def _calls(asked: Iterable[tuple[Any, ...]]) -> tuple[JobCall, ...]:
    by_call = groupby(asked, key=lambda row: row[:2])
    return tuple(JobCall(key, first, tuple(row[2] for row in rows)) for (first, key), rows in by_call)


def _job(row: tuple[Any, ...], calls: tuple[JobCall, ...]) -> BatchJob:
    number, display_name, run_id, fingerprint, model, created, state, name, detail, at = row
    return BatchJob(
        display_name=display_name,
        run_id=run_id,
        fingerprint=fingerprint,
        model=model,
        created=datetime.fromisoformat(created),
        state=state,
        changed=datetime.fromisoformat(at),
        calls=calls,
        name=name,
        detail=detail,
        number=number,
    )
