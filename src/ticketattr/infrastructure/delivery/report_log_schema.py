"""The tables of the report log, and how older ones become these. `user_version` is the version of the schema.

    messages(message_id, date, transport, sender, recipients, subject, state, detail, attempts, changed,
             cc, reply_to, size, released)
    message_reports(message_id, position, path, sha256, size, modified, run_id)
    message_recipients(message_id, position, address, state, reply)
    adoptions(at, detail, sha256, name, run_id)         what counts as sent without a message of ours
    events(number, at, what, message_id, who, facts)    append-only; facts are JSON

Times are ISO 8601 in UTC; recipients, cc and reply_to are JSON lists.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path, PureWindowsPath

from ...errors import InputError

SCHEMA_VERSION = 2

_KEEP_EVENTS = (
    "CREATE TRIGGER events_are_kept BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
)

_VERSION_1 = (
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
        changed TEXT NOT NULL
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
)

_VERSION_2 = (
    "ALTER TABLE messages ADD COLUMN cc TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE messages ADD COLUMN reply_to TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE messages ADD COLUMN size INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE messages ADD COLUMN released INTEGER NOT NULL DEFAULT 0",
    """CREATE TABLE message_recipients (
        message_id TEXT NOT NULL REFERENCES messages (message_id),
        position INTEGER NOT NULL,
        address TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('sending', 'sent', 'deferred', 'refused', 'in_doubt')),
        reply TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (message_id, position)
    )""",
    # What was not said to anybody in particular was said to everybody.
    """INSERT INTO message_recipients
        SELECT message_id, key, value, CASE state WHEN 'failed' THEN 'deferred' ELSE state END, detail
        FROM messages, json_each(recipients)""",
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
    # What the first version still knows of what happened.
    """INSERT INTO events (at, what, message_id, who, facts)
        SELECT changed, state, message_id, '', json_object('detail', detail, 'attempts', attempts, 'migrated', 1)
        FROM messages ORDER BY changed, rowid""",
)

_EARLIER_TABLE = "reports"
_EARLIER_COLUMNS = ["filename", "created_at"]


def ensure_schema(log: sqlite3.Connection, path: Path) -> None:
    """Make the tables in an empty file, or those of an older version into these. Raises InputError."""
    if _version(log) == SCHEMA_VERSION:
        return
    # Whatever fails in between, closing the connection takes it back.
    log.execute("BEGIN IMMEDIATE")
    _migrate(log, path)
    log.execute("COMMIT")


@contextmanager
def may_drop_events(log: sqlite3.Connection) -> Iterator[None]:
    """For retention alone, and within a transaction: whatever fails, the events are kept again."""
    log.execute("DROP TRIGGER events_are_kept")
    yield
    log.execute(_KEEP_EVENTS)


def is_blank(log: sqlite3.Connection) -> bool:
    (tables,) = log.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return not tables and not _version(log)


def known_version(log: sqlite3.Connection, path: Path) -> int:
    """The version of the schema, 0 for an empty file and for an earlier implementation. Raises InputError."""
    version = _version(log)
    if not 0 <= version <= SCHEMA_VERSION or (version == 0 and not _is_earlier_log(log) and not is_blank(log)):
        raise InputError(
            f"{path} is no report log that this ticketattr knows (schema version {version})",
            hint="Check REPORT_LOG_DB_PATH, or install the version of ticketattr that wrote it.",
        )
    return version


def _migrate(log: sqlite3.Connection, path: Path) -> None:
    # Read anew under the lock: another process may have been faster.
    version = known_version(log, path)
    earlier = _is_earlier_log(log)
    for step in _STEPS[version:]:
        step(log)
    if earlier and version == 0:
        _take_over(log, path)
    log.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _version(log: sqlite3.Connection) -> int:
    (version,) = log.execute("PRAGMA user_version").fetchone()
    return int(version)


def _is_earlier_log(log: sqlite3.Connection) -> bool:
    columns = [name for _, name, *_ in log.execute(f"PRAGMA table_info({_EARLIER_TABLE})")]
    return set(_EARLIER_COLUMNS) <= set(columns)


def _take_over(log: sqlite3.Connection, path: Path) -> None:
    """The names that the earlier implementation kept; its table stays as it is."""
    rows = log.execute(f"SELECT filename, created_at FROM {_EARLIER_TABLE}").fetchall()  # noqa: S608  # nosec B608  # a name of ours
    log.executemany(
        "INSERT INTO adoptions VALUES (?, 'sent by the earlier implementation', '', ?, '')",
        [(_time(created_at, path), PureWindowsPath(str(filename)).name) for filename, created_at in rows],
    )
    log.execute(
        "INSERT INTO events (at, what, message_id, who, facts)"
        " VALUES (strftime('%Y-%m-%dT%H:%M:%S+00:00'), 'taken_over', '', '', json_object('names', ?))",
        (len(rows),),
    )


def _time(value: object, path: Path) -> str:
    try:
        if isinstance(value, (int, float)):
            return datetime.fromtimestamp(value, timezone.utc).isoformat()
        time = datetime.fromisoformat(str(value).strip().replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        raise InputError(f"{path}, table {_EARLIER_TABLE}: {value!r} in created_at is no time") from None
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).astimezone(timezone.utc).isoformat()


def _run(statements: tuple[str, ...]) -> Callable[[sqlite3.Connection], None]:
    def step(log: sqlite3.Connection) -> None:
        for statement in statements:
            log.execute(statement)

    return step


_STEPS = (_run(_VERSION_1), _run(_VERSION_2))
