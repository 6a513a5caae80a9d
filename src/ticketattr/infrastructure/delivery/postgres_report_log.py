"""The report log in a database of PostgreSQL, which several hosts share. Exactly one of them sends.

What a process was sending that lost its connection, and with it the sender's lock, is in doubt.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ...domain.delivery import ReportFile
from ...errors import InputError
from ..databases.postgres import Tables, only_added_to, tables
from ..databases.sql import Connection
from ..databases.sql_copies import continue_numbers, copy_rows
from .report_log_copies import free_name, open_backup, write_copy
from .report_log_rows import set_id
from .report_log_schema import IN_ORDER, SCHEMA, TABLES
from .report_log_schema import ensure_schema as ensure_sqlite_schema
from .sql_report_log import SQLReportLog

_STATEMENTS = (
    *tables(SCHEMA),
    *(f"ALTER TABLE {table} ADD COLUMN rowid BIGINT GENERATED ALWAYS AS IDENTITY" for table in IN_ORDER),
    *(f"CREATE INDEX {table}_rowid ON {table} (rowid)" for table in IN_ORDER),
    *only_added_to("events", "UPDATE", "DELETE"),
)


@dataclass(frozen=True)
class PostgresReportLog(SQLReportLog):
    """The log in the database at `url`. A restore keeps the former log beside `path`, as a file of SQLite."""

    url: str
    path: Path
    who: str = ""

    @property
    def where(self) -> str:
        return self._tables.where

    @property
    def _tables(self) -> Tables:
        return report_log_tables(self.url)

    def version(self) -> object:
        """The number of the last event, and how many there are: retention deletes some."""
        with self._reading() as log:
            return log and log.execute("SELECT max(number), count(*) FROM events").fetchone()

    @contextmanager
    def acquire_sender_lock(self, at: datetime, *, wait: float = 0.0) -> Iterator[None]:
        """Hold the lock for the block. Messages that a dead process left `sending` become `in_doubt`."""
        with self._tables.lock(self.who, at, wait) as since:
            self._doubt_abandoned_messages(since)
            yield

    def acquire_lock_only(self, at: datetime) -> AbstractContextManager[datetime]:
        """Hold the lock for the block, without reading the log."""
        return self._tables.lock(self.who, at, 0.0)

    def is_locked(self) -> bool:
        """Whether a process on any host holds the lock."""
        return bool(self._tables.lock_holder())

    def lock_holder(self) -> str:
        return self._tables.lock_holder()

    def exists(self) -> bool:
        return self._tables.exist()

    def check_integrity(self) -> bool:
        return self._tables.check()

    def back_up(self, target: Path) -> None:
        """Write a consistent copy of the log to `target`, as a file of SQLite."""
        with self._reading() as log:
            if log is None:
                raise InputError(f"there is no report log in {self.where}", hint="Check DATABASE_URL.")
            with _as_sqlite(log) as copy:
                write_copy(copy, target)

    def restore(
        self, backup: Path, at: datetime, *, adopted: Sequence[ReportFile] = (), detail: str = "", id: str = ""
    ) -> str:
        """Replace the content of the log, in one transaction. Returns the path of a copy of the former content."""
        with open_backup(backup) as copy:
            if id:
                set_id(copy, id)
            self._add_event(copy, at, "restored", "")
            self._adopt(copy, adopted, detail, at)
            former = free_name(self.path.resolve(), at)
            is_new = not self.exists()
            with self._transaction() as log:
                if not is_new:
                    with _as_sqlite(log) as before:
                        write_copy(before, former)
                    with self._deleting(log):
                        for table in reversed(TABLES):
                            log.execute(f"DELETE FROM {table}")  # noqa: S608  # nosec B608  # constants
                copy_rows(copy, log, TABLES)
                continue_numbers(log, TABLES)
        return "" if is_new else str(former)

    def _prepare(self) -> None:
        """The first change creates the tables."""

    def _reading(self) -> AbstractContextManager[Connection | None]:
        return self._tables.reading()

    def _transaction(self, *, may_be_new: bool = True) -> AbstractContextManager[Connection]:
        return self._tables.changing(may_be_new=may_be_new)

    def _check(self, log: Connection) -> None:
        """The server checks its pages itself."""

    @contextmanager
    def _deleting(self, log: Connection) -> Iterator[None]:
        log.execute("ALTER TABLE events DISABLE TRIGGER events_delete")
        yield
        log.execute("ALTER TABLE events ENABLE TRIGGER events_delete")


def report_log_tables(url: str) -> Tables:
    """The tables of the report log in the database at `url`."""
    return Tables(url, "report log", 1, 1, _STATEMENTS)


@contextmanager
def _as_sqlite(log: Connection) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        ensure_sqlite_schema(copy, Path())
        copy.execute("BEGIN")
        copy_rows(log, copy, TABLES)
        copy.execute("COMMIT")
        yield copy
