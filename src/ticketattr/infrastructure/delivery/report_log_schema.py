"""The tables of the report log in SQLite, and how the logs of earlier versions become logs of this one.

    messages(message_id, date, transport, sender, recipients, subject, state, detail, attempts, changed,
             cc, reply_to, size, released)
    message_reports(message_id, position, path, sha256, size, modified, run_id)
    message_recipients(message_id, position, address, state, reply)
    message_frames(message_id, frame)                   the composed mail without its reports
    identity(id)                                        one row, or none before the log is used
    adoptions(at, detail, sha256, name, run_id)         reports that count as sent without a message in this log
    events(number, at, what, message_id, who, facts)    append-only; facts are JSON

Times are ISO 8601 in UTC. The columns recipients, cc, reply_to and frame are JSON lists. `user_version` is the
version of the schema.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path, PureWindowsPath

from ...errors import InputError
from ..databases.sql import Connection

SCHEMA_VERSION = 3
"""Version 2 had neither frames nor an identity. Version 1 existed during development only, and is refused."""

_UPGRADED_VERSION = 2

_KEEP_EVENTS = (
    "CREATE TRIGGER events_are_kept BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
)

_ADDED_IN_3 = (
    """CREATE TABLE message_frames (
        message_id TEXT PRIMARY KEY REFERENCES messages (message_id),
        frame TEXT NOT NULL
    )""",
    "CREATE TABLE identity (id TEXT NOT NULL)",
)

SCHEMA = (
    """CREATE TABLE messages (
        message_id TEXT PRIMARY KEY,
        date TEXT NOT NULL,
        transport TEXT NOT NULL CHECK (transport IN ('smtp', 'file')),
        sender TEXT NOT NULL,
        recipients TEXT NOT NULL,
        subject TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('sending', 'sent', 'failed', 'in_doubt')),
        detail TEXT NOT NULL DEFAULT '',
        attempts INTEGER NOT NULL,
        changed TEXT NOT NULL,
        cc TEXT NOT NULL DEFAULT '[]',
        reply_to TEXT NOT NULL DEFAULT '[]',
        size INTEGER NOT NULL DEFAULT 0,
        released INTEGER NOT NULL DEFAULT 0
    )""",
    """CREATE TABLE message_reports (
        message_id TEXT NOT NULL REFERENCES messages (message_id),
        position INTEGER NOT NULL,
        path TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        size INTEGER NOT NULL,
        modified TEXT NOT NULL,
        run_id TEXT NOT NULL,
        PRIMARY KEY (message_id, position)
    )""",
    "CREATE INDEX message_reports_sha256 ON message_reports (sha256)",
    """CREATE TABLE message_recipients (
        message_id TEXT NOT NULL REFERENCES messages (message_id),
        position INTEGER NOT NULL,
        address TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('sending', 'sent', 'deferred', 'refused', 'in_doubt')),
        reply TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (message_id, position)
    )""",
    """CREATE TABLE adoptions (
        at TEXT NOT NULL,
        detail TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        name TEXT NOT NULL,
        run_id TEXT NOT NULL
    )""",
    """CREATE TABLE events (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        what TEXT NOT NULL,
        message_id TEXT NOT NULL,
        who TEXT NOT NULL,
        facts TEXT NOT NULL
    )""",
    "CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
    _KEEP_EVENTS,
    *_ADDED_IN_3,
)

IN_ORDER = ("messages", "adoptions")
"""The tables whose rows have an order that no column tells. In SQLite, `rowid` tells it."""

TABLES = ("messages", "message_reports", "message_recipients", "message_frames", "identity", "adoptions", "events")
"""A table comes after those that it refers to."""

_EARLIER_TABLE = "reports"
_EARLIER_COLUMNS = {"filename", "created_at"}


def ensure_schema(log: sqlite3.Connection, path: Path) -> None:
    """Create the tables that are missing in an empty file, or in a log of an earlier version. Raises InputError."""
    if is_current(log, path):
        return
    # If anything fails before COMMIT, closing the connection rolls back.
    log.execute("BEGIN IMMEDIATE")
    # Read again under the lock: another process may have created the tables in the meantime.
    if not is_current(log, path):
        for statement in _ADDED_IN_3 if has_tables(log, path) else SCHEMA:
            log.execute(statement)
        if _has_earlier_table(log):
            _take_over(log, path)
        log.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    log.execute("COMMIT")


def is_current(log: sqlite3.Connection, path: Path) -> bool:
    """Whether all tables exist; if not, `ensure_schema` can create them. Raises InputError for any other database."""
    return has_tables(log, path) and _version(log) == SCHEMA_VERSION


def has_tables(log: sqlite3.Connection, path: Path) -> bool:
    """Whether this version or an earlier one made it a report log. Raises InputError for any other database."""
    version = _version(log)
    if version in (SCHEMA_VERSION, _UPGRADED_VERSION) and _has_messages(log):
        return True
    if version == 0 and (is_blank(log) or _has_earlier_table(log)):
        return False
    raise InputError(
        f"{path} is not a report log that this version of ticketattr can read (schema version {version})",
        hint="Check REPORT_LOG_DB_PATH, or install the version of ticketattr that wrote the file.",
    )


def is_blank(log: sqlite3.Connection) -> bool:
    """Whether nothing was ever written to the file."""
    (tables,) = log.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not tables and not _version(log)


@contextmanager
def may_delete_events(log: Connection) -> Iterator[None]:
    """Allow the deletion of events, for retention only. A rollback of the transaction around it protects them again."""
    log.execute("DROP TRIGGER events_are_kept")
    yield
    log.execute(_KEEP_EVENTS)


def _version(log: sqlite3.Connection) -> int:
    (version,) = log.execute("PRAGMA user_version").fetchone()
    return int(version)


def _has_messages(log: sqlite3.Connection) -> bool:
    return bool(log.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'messages'").fetchone())


def _has_earlier_table(log: sqlite3.Connection) -> bool:
    columns = {name for _, name, *_ in log.execute(f"PRAGMA table_info({_EARLIER_TABLE})")}
    return columns >= _EARLIER_COLUMNS


def _take_over(log: sqlite3.Connection, path: Path) -> None:
    """Adopt the file names that the earlier implementation recorded as sent. Its table stays unchanged."""
    rows = log.execute(f"SELECT filename, created_at FROM {_EARLIER_TABLE}").fetchall()  # noqa: S608  # nosec B608  # a constant
    log.executemany(
        "INSERT INTO adoptions VALUES (?, 'sent by the earlier implementation', '', ?, '')",
        [(_utc(created_at, path), PureWindowsPath(str(filename)).name) for filename, created_at in rows],
    )
    log.execute(
        "INSERT INTO events (at, what, message_id, who, facts)"
        " VALUES (strftime('%Y-%m-%dT%H:%M:%S+00:00'), 'taken_over', '', '', json_object('names', ?))",
        (len(rows),),
    )


def _utc(value: object, path: Path) -> str:
    """A time of the earlier implementation as ISO 8601 in UTC. Times without a zone are in UTC."""
    try:
        if isinstance(value, (int, float)):
            return datetime.fromtimestamp(value, timezone.utc).isoformat()
        time = datetime.fromisoformat(str(value).strip().replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        raise InputError(f"{path}, table {_EARLIER_TABLE}: {value!r} in created_at is not a time") from None
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).astimezone(timezone.utc).isoformat()
