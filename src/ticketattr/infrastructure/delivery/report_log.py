"""What became of every message and every report in it: one SQLite file (tables: report_log_schema), and a lock."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ...domain.delivery import ABANDONED, Adoption, Delivery, Event, Message, MessageState, RecipientResult, ReportFile
from ...errors import InputError, ServiceError, SettingsError
from ..files import make_private
from . import sender_lock
from .report_log_copies import read_copy, set_aside, write_copy
from .report_log_rows import FATE, forget_message, insert_message, path_text, read_deliveries, settle_recipients
from .report_log_schema import ensure_schema, is_blank, is_current

_BUSY = ("locked", "busy")
_MAY_PASS = (*_BUSY, "full", "disk I/O error")


@dataclass(frozen=True, slots=True)
class SQLiteReportLog:
    """Every call opens the file anew; reading makes no file where there is none. `who` stands in the events."""

    path: Path
    who: str = ""

    @contextmanager
    def hold(self, at: datetime, *, wait: float = 0.0) -> Iterator[None]:
        with self._keep_out(at, wait) as since:
            if self.exists():
                self._doubt_what_was_left(since)
            yield

    def hold_unread(self, at: datetime) -> AbstractContextManager[datetime]:
        return self._keep_out(at, 0.0)

    def is_held(self) -> bool:
        return sender_lock.is_held(self._lock)

    def holder(self) -> str:
        """Who is sending; empty when nobody is."""
        return sender_lock.holder(self._lock) if self.is_held() else ""

    def examine(self) -> bool:
        """Whether it is of the present version. Raises what using it would, and changes nothing."""
        with self._errors(), closing(sqlite3.connect(self.path, timeout=1, isolation_level=None)) as log:
            has_tables = is_current(log, self.path)
            self._check(log)
            if log.execute("PRAGMA foreign_key_check").fetchone():
                raise self._damaged("it speaks of messages that it does not have")
            # It can be written, and nobody else is keeping it.
            log.execute("BEGIN IMMEDIATE")
            log.execute("ROLLBACK")
            return has_tables

    def exists(self) -> bool:
        if not self.path.exists():
            return False
        with self._errors(), closing(sqlite3.connect(self.path)) as log:
            return not is_blank(log)

    def deliveries(self) -> list[Delivery]:
        if not self.exists():
            return []
        with self._open() as log:
            log.execute("BEGIN")  # one view of all tables
            self._check(log)
            return read_deliveries(log)

    def delivery(self, message_id: str) -> Delivery | None:
        if not self.exists():
            return None
        with self._open() as log:
            log.execute("BEGIN")
            return next(iter(read_deliveries(log, message_id)), None)

    def adoptions(self) -> list[Adoption]:
        if not self.exists():
            return []
        with self._open() as log:
            rows = log.execute("SELECT at, detail, sha256, name, run_id FROM adoptions ORDER BY rowid")
            return [Adoption(datetime.fromisoformat(at), *fields) for at, *fields in rows]

    def events(self) -> list[Event]:
        if not self.exists():
            return []
        with self._open() as log:
            self._check(log)
            rows = log.execute("SELECT number, at, what, message_id, who, facts FROM events ORDER BY number")
            return [Event(number, datetime.fromisoformat(at), *fields) for number, at, *fields in rows]

    def begin(self, message: Message, at: datetime, *, to: Sequence[str] = (), why: str = "") -> None:
        to = to or message.envelope
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
            reports = [report.sha256 for report in message.reports]
            self._add_event(log, at, "sending", message.message_id, to=list(to), reports=reports, why=why)

    def finish(
        self,
        message: Message,
        state: MessageState,
        detail: str,
        at: datetime,
        *,
        results: Sequence[RecipientResult] = (),
        size: int = 0,
    ) -> None:
        with self._transaction() as log:
            known = log.execute(
                "UPDATE messages SET state = ?, detail = ?, size = max(size, ?), changed = ? WHERE message_id = ?",
                (state, detail, size, at.isoformat(), message.message_id),
            )
            if known.rowcount == 0:
                return
            log.executemany(
                "UPDATE message_recipients SET state = ?, reply = ? WHERE message_id = ? AND address = ?",
                [(result.state, result.reply, message.message_id, result.address) for result in results],
            )
            settle_recipients(log, message.message_id, state, detail)
            told = {result.address: f"{result.state}: {result.reply}" for result in results}
            self._add_event(log, at, state, message.message_id, detail=detail, size=size, recipients=told)

    def resolve(self, message: Message, state: MessageState, detail: str, at: datetime) -> None:
        with self._transaction() as log:
            log.execute(
                "UPDATE messages SET state = ?, detail = ?, changed = ?, released = ? WHERE message_id = ?",
                (state, detail, at.isoformat(), state == "in_doubt", message.message_id),
            )
            log.execute(
                "UPDATE message_recipients SET state = ? WHERE message_id = ? AND state = 'in_doubt'",
                (FATE[state], message.message_id),
            )
            self._add_event(log, at, "resolved", message.message_id, state=state, detail=detail)

    def adopt(self, reports: Sequence[ReportFile], detail: str, at: datetime) -> None:
        make_private(self.path)
        with self._transaction() as log:
            for report in reports:
                log.execute(
                    "INSERT INTO adoptions VALUES (?, ?, ?, '', ?)",
                    (at.isoformat(), detail, report.sha256, report.run_id),
                )
                self._add_event(log, at, "adopted", "", path=path_text(report.path), sha256=report.sha256)

    def back_up(self, target: Path) -> None:
        if not self.exists():
            raise InputError(f"there is no report log {self.path}", hint="Check REPORT_LOG_DB_PATH.")
        with self._open() as log:
            self._check(log)
            write_copy(log, target)

    def restore(self, copy: Path, at: datetime) -> Path | None:
        aside = set_aside(self.path, at) if self.path.exists() else None
        read_copy(copy, self.path)
        with self._transaction() as log:
            self._check(log)
            self._add_event(log, at, "restored", "")
        return aside

    def prune(self, deliveries: Sequence[Delivery], at: datetime) -> None:
        with self._transaction() as log:
            for delivery in deliveries:
                forget_message(log, delivery)
            self._add_event(log, at, "pruned", "", messages=len(deliveries))

    def _keep_out(self, at: datetime, wait: float) -> AbstractContextManager[datetime]:
        return sender_lock.hold(self._lock, who=self.who, at=at, wait=wait)

    @property
    def _lock(self) -> Path:
        # Whatever leads to the file, there is one lock for it.
        path = self.path.resolve()
        return path.with_name(f"{path.name}.lock")

    def _doubt_what_was_left(self, at: datetime) -> None:
        """What is still `sending` belonged to a process that died: only one sends at a time, and now it is us."""
        with self._transaction() as log:
            self._check(log)
            left = log.execute("SELECT message_id FROM messages WHERE state = 'sending' ORDER BY rowid").fetchall()
            for (message_id,) in left:
                log.execute(
                    "UPDATE messages SET state = 'in_doubt', detail = ?, changed = ? WHERE message_id = ?",
                    (ABANDONED, at.isoformat(), message_id),
                )
                settle_recipients(log, message_id, "in_doubt", ABANDONED)
                self._add_event(log, at, "in_doubt", message_id, detail=ABANDONED)

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
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():
            raise SettingsError(
                f"the report log {self.path} has vanished", hint="Restore it: without it nobody knows what was sent."
            )
        with self._open() as log:
            # Whatever fails before the end, closing the connection takes it back.
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
            message = f"the report log {self.path} cannot be used: {error}"
            if any(sign in str(error) for sign in _MAY_PASS):
                is_busy = any(sign in str(error) for sign in _BUSY)
                hint = "Another program has it open" if is_busy else "Make room on the disk if it is full"
                raise ServiceError(message, hint=f"{hint}; try again after that.") from error
            raise SettingsError(message, hint="Check REPORT_LOG_DB_PATH and who may write there.") from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _damaged(self, reason: object) -> InputError:
        return InputError(
            f"the report log {self.path} is damaged: {reason}",
            hint="Restore it from a backup: without it nobody knows what was sent.",
        )
