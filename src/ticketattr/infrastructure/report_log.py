"""What became of every message and every report in it: one SQLite file, and a lock beside it.

    messages(message_id, date, transport, sender, recipients, subject, state, detail, attempts, changed)
    message_reports(message_id, position, path, sha256, size, modified, run_id)

Times are ISO 8601 in UTC; recipients are a JSON list; `user_version` is the version of this schema.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..domain.delivery import Delivery, Message, MessageState, ReportFile
from ..errors import InputError, ServiceError, SettingsError
from .files import make_folder, write_error

SCHEMA_VERSION = 1
_SCHEMA = f"""
BEGIN;
CREATE TABLE messages (
    message_id TEXT PRIMARY KEY,
    date TEXT NOT NULL,
    transport TEXT NOT NULL CHECK (transport IN ('smtp', 'file')),
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sending', 'sent', 'failed', 'in_doubt')),
    detail TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL,
    changed TEXT NOT NULL
);
CREATE TABLE message_reports (
    message_id TEXT NOT NULL REFERENCES messages (message_id),
    position INTEGER NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified TEXT NOT NULL,
    run_id TEXT NOT NULL,
    PRIMARY KEY (message_id, position)
);
CREATE INDEX message_reports_sha256 ON message_reports (sha256);
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""


@dataclass(frozen=True, slots=True)
class SQLiteReportLog:
    """Every call opens the file anew; reading makes no file where there is none."""

    path: Path

    @contextmanager
    def hold(self, at: datetime) -> Iterator[None]:
        from filelock import FileLock, Timeout  # not needed to read the log

        lock_path = self.path.with_name(f"{self.path.name}.lock")
        make_folder(self.path.parent)
        lock = FileLock(lock_path, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise ServiceError(
                f"another ticketattr is at work: {_holder(lock_path)}", hint="Try again when it has ended."
            ) from None
        except OSError as error:
            raise write_error(lock_path, error) from error
        try:
            lock_path.write_text(f"process {os.getpid()} since {at:%Y-%m-%d %H:%M:%S} UTC\n", encoding="utf-8")
            yield
        finally:
            lock.release()

    def deliveries(self) -> list[Delivery]:
        """Raises SettingsError, InputError or ServiceError, as all methods do."""
        if not self.path.exists():
            return []
        with self._transaction() as log:
            reports: dict[str, list[ReportFile]] = {}
            for message_id, *fields in log.execute(
                "SELECT message_id, path, sha256, size, modified, run_id FROM message_reports ORDER BY position"
            ):
                reports.setdefault(message_id, []).append(_report(*fields))
            rows = log.execute(
                "SELECT message_id, date, transport, sender, recipients, subject, state, detail, changed"
                " FROM messages ORDER BY date, rowid"
            )
            return [_delivery(row, reports[row[0]]) for row in rows]

    def begin(self, message: Message, at: datetime) -> None:
        make_folder(self.path.parent)
        with self._transaction() as log:
            known = log.execute(
                "UPDATE messages SET state = 'sending', detail = '', attempts = attempts + 1, changed = ?"
                " WHERE message_id = ?",
                (at.isoformat(), message.message_id),
            )
            if known.rowcount == 0:
                _insert(log, message, at)

    def finish(self, message: Message, state: MessageState, detail: str, at: datetime) -> None:
        with self._transaction() as log:
            log.execute(
                "UPDATE messages SET state = ?, detail = ?, changed = ? WHERE message_id = ?",
                (state, detail, at.isoformat(), message.message_id),
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=10)) as log:
                log.execute("PRAGMA synchronous = FULL")
                log.execute("PRAGMA foreign_keys = ON")
                self._ensure_schema(log)
                with log:
                    yield log
        except sqlite3.OperationalError as error:
            message = f"the report log {self.path} cannot be used: {error}"
            if "locked" in str(error):
                raise ServiceError(message, hint="Try again later.") from error
            raise SettingsError(message, hint="Check REPORT_LOG_DB_PATH, who may write there, and the disk.") from error
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"the report log {self.path} is damaged: {error}",
                hint="Restore it from a backup: without it nobody knows what was sent.",
            ) from error

    def _ensure_schema(self, log: sqlite3.Connection) -> None:
        (version,) = log.execute("PRAGMA user_version").fetchone()
        if version == SCHEMA_VERSION:
            return
        (tables,) = log.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version or tables:
            raise InputError(
                f"{self.path} is no report log that this ticketattr knows (schema version {version})",
                hint="Check REPORT_LOG_DB_PATH, or install the version of ticketattr that wrote it.",
            )
        log.executescript(_SCHEMA)


def _insert(log: sqlite3.Connection, message: Message, at: datetime) -> None:
    log.execute(
        "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, 'sending', '', 1, ?)",
        (
            message.message_id,
            message.date.isoformat(),
            message.transport,
            message.sender,
            json.dumps(message.recipients),
            message.subject,
            at.isoformat(),
        ),
    )
    log.executemany(
        "INSERT INTO message_reports VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                message.message_id,
                position,
                # A file name may be no text at all.
                str(report.path).encode("utf-8", "backslashreplace").decode(),
                report.sha256,
                report.size,
                report.modified.isoformat(),
                report.run_id,
            )
            for position, report in enumerate(message.reports)
        ],
    )


def _report(path: str, sha256: str, size: int, modified: str, run_id: str) -> ReportFile:
    return ReportFile(Path(path), sha256, size, datetime.fromisoformat(modified), run_id)


def _delivery(row: tuple[str, ...], reports: list[ReportFile]) -> Delivery:
    message_id, date, transport, sender, recipients, subject, state, detail, changed = row
    message = Message(
        message_id=message_id,
        date=datetime.fromisoformat(date),
        transport=transport,  # type: ignore[arg-type]  # the schema checks it
        sender=sender,
        recipients=tuple(json.loads(recipients)),
        subject=subject,
        reports=tuple(reports),
    )
    return Delivery(message, state, datetime.fromisoformat(changed), detail)  # type: ignore[arg-type]  # likewise


def _holder(lock_path: Path) -> str:
    try:
        return lock_path.read_text(encoding="utf-8").strip() or "unknown process"
    except (OSError, UnicodeDecodeError):
        return "unknown process"
