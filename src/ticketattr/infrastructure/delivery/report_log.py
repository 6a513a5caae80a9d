"""The report log in one SQLite file (`report_log_schema` has its tables), with a lock file beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ...application.restore import Backup
from ...domain.delivery import (
    ReportFile,
)
from ...errors import InputError, ServiceError, SettingsError
from ..databases.sql import Connection
from ..files import database_version, make_private
from . import sender_lock
from .report_log_copies import open_backup, replace_log, write_copy
from .report_log_rows import (
    path_text,
    read_adoptions,
    read_deliveries,
    set_id,
)
from .report_log_schema import ensure_schema, has_tables, is_blank, may_delete_events
from .sql_report_log import SQLReportLog

_BUSY = ("locked", "busy")
_TRANSIENT = (*_BUSY, "full", "disk I/O error")


def read_backup(path: Path) -> Backup:
    """What the backup at `path` says. Raises InputError if it is none."""
    with open_backup(path) as copy:
        return Backup(path, read_deliveries(copy), read_adoptions(copy))


@dataclass(frozen=True)
class SQLiteReportLog(SQLReportLog):
    """The log in the file at `path`. `who` is the user and host in the events.

    Every call opens the file. Reading a log that does not exist creates no file.
    """

    path: Path
    who: str = ""

    def version(self) -> object:
        """Size and time of the file, and of the file with what was written last."""
        return database_version(self.path)

    @contextmanager
    def acquire_sender_lock(self, at: datetime, *, wait: float = 0.0) -> Iterator[None]:
        """Hold the lock file for the block. Messages that a dead process left `sending` become `in_doubt`."""
        with self._lock(at, wait) as since:
            if self.exists():
                make_private(self.path)
                self._doubt_abandoned_messages(since)
            yield

    def acquire_lock_only(self, at: datetime) -> AbstractContextManager[datetime]:
        """Hold the lock file for the block, without opening the database."""
        return self._lock(at, 0.0)

    def is_locked(self) -> bool:
        """Whether a process holds the lock file."""
        return sender_lock.is_locked(self._lock_path)

    def lock_holder(self) -> str:
        return sender_lock.holder(self._lock_path) if self.is_locked() else ""

    def check_integrity(self) -> bool:
        with self._errors(), closing(sqlite3.connect(self.path, timeout=1, isolation_level=None)) as log:
            is_log = has_tables(log, self.path)
            self._check(log)
            if log.execute("PRAGMA foreign_key_check").fetchone():
                raise self._damaged("it refers to messages that it does not contain")
            # Raises if the file cannot be written, or another process keeps it locked.
            log.execute("BEGIN IMMEDIATE")
            log.execute("ROLLBACK")
            return is_log

    def exists(self) -> bool:
        """Whether the database has tables; an empty file does not count."""
        if not self.path.exists():
            return False
        with self._errors(), closing(sqlite3.connect(self.path)) as log:
            return not is_blank(log)

    @property
    def where(self) -> str:
        """The path of the file, and the host."""
        host = self.who.rpartition("@")[2]
        return f"{path_text(self.path.resolve())}{f' on {host}' if host else ''}"

    def back_up(self, target: Path) -> None:
        """Write a consistent copy of the database to `target`."""
        if not self.exists():
            raise InputError(f"there is no report log {self.path}", hint="Check REPORT_LOG_DB_PATH.")
        with self._open() as log:
            self._check(log)
            write_copy(log, target)

    def restore(
        self, backup: Path, at: datetime, *, adopted: Sequence[ReportFile] = (), detail: str = "", id: str = ""
    ) -> str:
        """Replace the content of the database, in one step. Returns the path of a copy of the former content."""
        with open_backup(backup) as copy, self._errors():
            if id:
                set_id(copy, id)
            self._add_event(copy, at, "restored", "")
            self._adopt(copy, adopted, detail, at)
            return str(replace_log(copy, self.path, at) or "")

    @contextmanager
    def _lock(self, at: datetime, wait: float) -> Iterator[datetime]:
        lock = sender_lock.acquire(self._lock_path, who=self.who, at=at, wait=wait)
        with lock as since, sender_lock.guard(self.path):
            yield since

    @property
    def _lock_path(self) -> Path:
        # One lock for one file, also if links lead to it.
        path = self.path.resolve()
        return path.with_name(f"{path.name}.lock")

    def _check(self, log: Connection) -> None:
        (verdict,) = log.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise self._damaged(verdict)

    @contextmanager
    def _transaction(self, *, may_be_new: bool = True) -> Iterator[sqlite3.Connection]:
        if not (self.path.exists() if may_be_new else self.exists()):
            raise SettingsError(
                f"the report log {self.path} has disappeared",
                hint="Restore it: without it, nobody knows what was sent.",
            )
        with self._open() as log:
            # If anything fails before COMMIT, closing the connection rolls back.
            log.execute("BEGIN IMMEDIATE")
            yield log
            log.execute("COMMIT")

    def _prepare(self) -> None:
        make_private(self.path)

    @contextmanager
    def _reading(self) -> Iterator[Connection | None]:
        if not self.exists():
            yield None
            return
        with self._open() as log:
            log.execute("BEGIN")
            yield log

    @contextmanager
    def _deleting(self, log: Connection) -> Iterator[None]:
        """The pages of what is deleted are overwritten on the disk."""
        log.execute("PRAGMA secure_delete = ON")
        with may_delete_events(log):
            yield

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._errors(), closing(sqlite3.connect(self.path, timeout=10, isolation_level=None)) as log:
            log.execute("PRAGMA synchronous = FULL")
            log.execute("PRAGMA foreign_keys = ON")
            ensure_schema(log, self.path)
            if log.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                log.execute("PRAGMA journal_mode = WAL")
            yield log

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "decode to UTF-8" in str(error):
                raise self._damaged(error) from error
            message = f"the report log {self.path} cannot be used: {error}"
            if any(sign in str(error) for sign in _TRANSIENT):
                is_busy = any(sign in str(error) for sign in _BUSY)
                hint = "Wait until the other program closes it" if is_busy else "Free space on the disk if it is full"
                raise ServiceError(message, hint=f"{hint}, then try again.") from error
            raise SettingsError(message, hint="Check REPORT_LOG_DB_PATH and its permissions.") from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _damaged(self, reason: object) -> InputError:
        return InputError(
            f"the report log {self.path} is damaged: {reason}",
            hint="Restore it from a backup: without it, nobody knows what was sent.",
        )
