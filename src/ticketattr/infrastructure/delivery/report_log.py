"""The report log in one SQLite file (`report_log_schema` has its tables), with a lock file beside it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from ...application.restore import Backup
from ...domain.delivery import (
    ABANDONED,
    SHARED_STATE,
    Adoption,
    Delivery,
    Event,
    LogIdentity,
    Message,
    MessageState,
    RecipientResult,
    ReportFile,
)
from ...errors import InputError, ServiceError, SettingsError
from ..files import make_private
from . import sender_lock
from .report_log_copies import open_backup, replace_log, write_copy
from .report_log_rows import (
    delete_message,
    insert_message,
    is_known,
    keep_frame,
    path_text,
    read_adoptions,
    read_deliveries,
    read_events,
    read_id,
    set_id,
    set_new_id,
    set_shared_state,
    settle_message,
)
from .report_log_schema import ensure_schema, has_tables, is_blank

_BUSY = ("locked", "busy")
_TRANSIENT = (*_BUSY, "full", "disk I/O error")


def read_backup(path: Path) -> Backup:
    """What the backup at `path` says. Raises InputError if it is none."""
    with open_backup(path) as copy:
        return Backup(path, read_deliveries(copy), read_adoptions(copy))


@dataclass(frozen=True, slots=True)
class SQLiteReportLog:
    """The whole log: `DeliveryLog` and `ReportLogMaintenance`. `who` is the user and host in the events.

    Every call opens the file. Reading a log that does not exist creates no file.
    """

    path: Path
    who: str = ""

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
        """The process that holds the sender lock; empty if none does."""
        return sender_lock.holder(self._lock_path) if self.is_locked() else ""

    def check_integrity(self) -> bool:
        """Whether the tables exist already. Changes nothing, and raises the errors that using the log would raise."""
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

    def deliveries(self) -> list[Delivery]:
        """All deliveries, oldest first, after a check of the whole database."""
        if not self.exists():
            return []
        with self._open() as log:
            log.execute("BEGIN")  # one consistent view of all tables
            self._check(log)
            return read_deliveries(log)

    def delivery(self, message_id: str) -> Delivery | None:
        """The delivery of one message; None if the log does not contain it."""
        if not self.exists():
            return None
        with self._open() as log:
            log.execute("BEGIN")
            return next(iter(read_deliveries(log, message_id)), None)

    def adoptions(self) -> list[Adoption]:
        """All adoptions, in the order in which they were recorded."""
        if not self.exists():
            return []
        with self._open() as log:
            return read_adoptions(log)

    def identity(self) -> LogIdentity:
        """The id in the database, and its path; the id is empty before the first use."""
        if not self.exists():
            return self._identified("")
        with self._open() as log:
            return self._identified(read_id(log))

    def establish(self) -> LogIdentity:
        """The id in the database, which is created with one if it does not exist."""
        make_private(self.path)
        with self._transaction() as log:
            if not read_id(log):
                set_new_id(log)
            return self._identified(read_id(log))

    def _identified(self, id: str) -> LogIdentity:
        host = self.who.rpartition("@")[2]
        return LogIdentity(id, f"{path_text(self.path.resolve())}{f' on {host}' if host else ''}")

    def events(self) -> list[Event]:
        """All events, in the order in which they were recorded, after a check of the whole database."""
        if not self.exists():
            return []
        with self._open() as log:
            self._check(log)
            return read_events(log)

    def start_attempt(self, message: Message, at: datetime, *, to: Sequence[str] = (), why: str = "") -> None:
        """Set the message to `sending`, and create it, and the database, if they do not exist."""
        to = to or message.envelope_recipients
        make_private(self.path)
        with self._transaction() as log:
            known = log.execute(
                "UPDATE messages SET state = 'sending', detail = '', attempts = attempts + 1, changed = ?, released = 0"
                " WHERE message_id = ?",
                (at.isoformat(), message.message_id),
            )
            if known.rowcount == 0:
                insert_message(log, message, at)
            log.executemany(
                "UPDATE message_recipients SET state = 'sending', reply = '' WHERE message_id = ? AND address = ?",
                [(message.message_id, address) for address in to],
            )
            keep_frame(log, message)
            reports = [report.sha256 for report in message.reports]
            self._add_event(log, at, "sending", message.message_id, to=list(to), reports=reports, why=why)

    def record_result(
        self,
        message: Message,
        state: MessageState,
        detail: str,
        at: datetime,
        *,
        results: Sequence[RecipientResult] = (),
        size: int = 0,
    ) -> None:
        """Set the state of the message and of each recipient.

        A message that is not in the log is added, and then InputError is raised: the log is not the one from before.
        """
        with self._transaction(may_be_new=False) as log:
            is_lost = not is_known(log, message.message_id)
            if is_lost:
                insert_message(log, message, at)
                keep_frame(log, message)
            log.execute(
                "UPDATE messages SET state = ?, detail = ?, size = max(size, ?), changed = ? WHERE message_id = ?",
                (state, detail, size, at.isoformat(), message.message_id),
            )
            log.executemany(
                "UPDATE message_recipients SET state = ?, reply = ? WHERE message_id = ? AND address = ?",
                [(result.state, result.reply, message.message_id, result.address) for result in results],
            )
            set_shared_state(log, message.message_id, state, detail)
            replies = {result.address: f"{result.state}: {result.reply}" for result in results}
            self._add_event(log, at, state, message.message_id, detail=detail, size=size, recipients=replies)
        if is_lost:
            raise self._replaced(message, "its result is recorded in the present one now")

    def record_decision(self, message: Message, state: MessageState, detail: str, at: datetime) -> None:
        """Set the state of a message in doubt, and of its recipients in doubt."""
        with self._transaction(may_be_new=False) as log:
            if not is_known(log, message.message_id):
                raise self._replaced(message, "nothing was decided")
            log.execute(
                "UPDATE messages SET state = ?, detail = ?, changed = ?, released = ? WHERE message_id = ?",
                (state, detail, at.isoformat(), state == "in_doubt", message.message_id),
            )
            log.execute(
                "UPDATE message_recipients SET state = ? WHERE message_id = ? AND state = 'in_doubt'",
                (SHARED_STATE[state], message.message_id),
            )
            self._add_event(log, at, "resolved", message.message_id, state=state, detail=detail)

    def settle_recipient(
        self, message: Message, address: str, state: Literal["sent", "refused"], detail: str, at: datetime
    ) -> None:
        """Set the state of one recipient; that of a message in doubt follows when no recipient is left in doubt."""
        with self._transaction(may_be_new=False) as log:
            if not is_known(log, message.message_id):
                raise self._replaced(message, "nothing was decided")
            log.execute(
                "UPDATE message_recipients SET state = ?, reply = ? WHERE message_id = ? AND address = ?",
                (state, detail, message.message_id, address),
            )
            settle_message(log, message.message_id, at)
            self._add_event(log, at, "settled", message.message_id, recipient=address, state=state, detail=detail)

    def adopt(self, reports: Sequence[ReportFile], detail: str, at: datetime) -> None:
        """Add an adoption for each report, and create the database if it does not exist."""
        make_private(self.path)
        with self._transaction() as log:
            self._adopt(log, reports, detail, at)

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

    def delete_deliveries(self, deliveries: Sequence[Delivery], at: datetime) -> None:
        """Delete the messages and their events, and overwrite their pages on the disk."""
        with self._transaction() as log:
            for delivery in deliveries:
                delete_message(log, delivery)
            self._add_event(log, at, "pruned", "", messages=len(deliveries))

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

    def _doubt_abandoned_messages(self, at: datetime) -> None:
        """Messages that are still `sending` belonged to a process that died: this process has the lock now."""
        with self._transaction() as log:
            self._check(log)
            abandoned = log.execute("SELECT message_id FROM messages WHERE state = 'sending' ORDER BY rowid").fetchall()
            for (message_id,) in abandoned:
                log.execute(
                    "UPDATE messages SET state = 'in_doubt', detail = ?, changed = ? WHERE message_id = ?",
                    (ABANDONED, at.isoformat(), message_id),
                )
                set_shared_state(log, message_id, "in_doubt", ABANDONED)
                self._add_event(log, at, "in_doubt", message_id, detail=ABANDONED)

    def _adopt(self, log: sqlite3.Connection, reports: Sequence[ReportFile], detail: str, at: datetime) -> None:
        for report in reports:
            log.execute(
                "INSERT INTO adoptions VALUES (?, ?, ?, '', ?)",
                (at.isoformat(), detail, report.sha256, report.run_id),
            )
            self._add_event(log, at, "adopted", "", path=path_text(report.path), sha256=report.sha256)

    def _add_event(self, log: sqlite3.Connection, at: datetime, what: str, message_id: str, **facts: object) -> None:
        log.execute(
            "INSERT INTO events (at, what, message_id, who, facts) VALUES (?, ?, ?, ?, ?)",
            (
                at.isoformat(),
                what,
                message_id,
                self.who,
                json.dumps({key: fact for key, fact in facts.items() if fact}),
            ),
        )

    def _check(self, log: sqlite3.Connection) -> None:
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

    def _replaced(self, message: Message, what: str) -> InputError:
        return InputError(
            f"the report log {self.path} was replaced or cut meanwhile: it does not contain {message.message_id};"
            f" {what}",
            hint="Put the right report log back, or restore it from a backup: without it, nobody knows what was sent.",
        )

    def _damaged(self, reason: object) -> InputError:
        return InputError(
            f"the report log {self.path} is damaged: {reason}",
            hint="Restore it from a backup: without it, nobody knows what was sent.",
        )
