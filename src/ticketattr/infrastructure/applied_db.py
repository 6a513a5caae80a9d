"""The ledger of changes in the helpdesk, in one SQLite file. Rows are only added, never changed or deleted.

    changes(number, helpdesk, run_id, ticket_id, mode, old_category, old_type, new_category, new_type,
            confidence, source, marker, undoes, started)
    states(number, change, state, detail, at)           the last state of a change is the present one

Times are ISO 8601 in UTC; `user_version` is the version of the schema. A lock file beside it keeps other writers out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ..domain.write_back import Change, ChangeState
from ..errors import InputError, ServiceError, SettingsError
from .delivery import sender_lock
from .files import make_private

SCHEMA_VERSION = 1

_TABLES = ("changes", "states")
_SCHEMA = (
    """CREATE TABLE changes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        helpdesk TEXT NOT NULL,
        run_id TEXT NOT NULL,
        ticket_id TEXT NOT NULL,
        mode TEXT NOT NULL CHECK (mode IN ('shadow', 'suggest', 'fill', 'undo')),
        old_category TEXT NOT NULL,
        old_type TEXT NOT NULL,
        new_category TEXT NOT NULL,
        new_type TEXT NOT NULL,
        confidence REAL,
        source TEXT NOT NULL,
        marker TEXT NOT NULL,
        undoes INTEGER NOT NULL,
        started TEXT NOT NULL
    )""",
    """CREATE TABLE states (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        change INTEGER NOT NULL REFERENCES changes (number),
        state TEXT NOT NULL
            CHECK (state IN ('applying', 'applied', 'kept', 'conflict', 'refused', 'in_doubt')),
        detail TEXT NOT NULL,
        at TEXT NOT NULL
    )""",
    "CREATE INDEX states_of_change ON states (change)",
    *(
        f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END"
        for table in _TABLES
        for verb in ("UPDATE", "DELETE")
    ),
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
_INSERT_CHANGE = (
    "INSERT INTO changes (helpdesk, run_id, ticket_id, mode, old_category, old_type, new_category, new_type,"
    " confidence, source, marker, undoes, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_STATE = "INSERT INTO states (change, state, detail, at) VALUES (?, ?, ?, ?)"
_ALL = (
    "SELECT c.number, helpdesk, run_id, ticket_id, mode, old_category, old_type, new_category, new_type, confidence,"
    " source, marker, undoes, started, s.state, s.detail, s.at FROM changes c JOIN states s ON s.number ="
    " (SELECT max(number) FROM states WHERE change = c.number) ORDER BY c.number"
)


@dataclass(frozen=True, slots=True)
class SQLiteChangeLedger:
    """The ledger at `path`. Every call opens the file; reading creates none. `who` is named to a second writer."""

    path: Path
    who: str = ""

    def lock(self, at: datetime, *, wait: float = 0.0) -> AbstractContextManager[datetime]:
        path = self.path.resolve()
        return sender_lock.acquire(path.with_name(f"{path.name}.lock"), who=self.who, at=at, wait=wait)

    def changes(self) -> list[Change]:
        if not self.path.exists():
            return []
        with self._transaction() as ledger:
            return [_change(row) for row in ledger.execute(_ALL)]

    def add(self, change: Change) -> Change:
        make_private(self.path)
        with self._transaction() as ledger:
            row = (
                *(change.helpdesk, change.run_id, change.ticket_id, change.mode, *change.before, *change.after),
                *(change.confidence, change.source, change.marker, change.undoes, change.started.isoformat()),
            )
            number = ledger.execute(_INSERT_CHANGE, row).lastrowid or 0
            ledger.execute(_INSERT_STATE, (number, change.state, change.detail, change.changed.isoformat()))
        return replace(change, number=number)

    def record(self, change: Change, state: ChangeState, detail: str, at: datetime) -> Change:
        with self._transaction() as ledger:
            ledger.execute(_INSERT_STATE, (change.number, state, detail, at.isoformat()))
        return replace(change, state=state, detail=detail, changed=at)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=10, isolation_level=None)) as ledger:
                ledger.execute("PRAGMA synchronous = FULL")
                ledger.execute("PRAGMA foreign_keys = ON")
                # If anything fails before COMMIT, closing the connection rolls back.
                ledger.execute("BEGIN IMMEDIATE")
                self._ensure_schema(ledger)
                yield ledger
                ledger.execute("COMMIT")
        except sqlite3.OperationalError as error:
            message = f"the ledger of changes {self.path} cannot be used: {error}"
            if any(sign in str(error) for sign in ("locked", "busy", "full", "disk I/O error")):
                raise ServiceError(message, hint="Free the file, or space on the disk, then try again.") from error
            raise SettingsError(message, hint="Check WORK_DIR and its permissions.") from error
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"the ledger of changes {self.path} is damaged: {error}",
                hint="Restore it from a backup, or move it away: the markers in the notes tell what was said before.",
            ) from error

    def _ensure_schema(self, ledger: sqlite3.Connection) -> None:
        (version,) = ledger.execute("PRAGMA user_version").fetchone()
        if version == SCHEMA_VERSION:
            return
        (tables,) = ledger.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version or tables:
            raise InputError(
                f"{self.path} is not a ledger that this ticketattr can read (schema version {version})",
                hint="Check WORK_DIR, or install the version of ticketattr that wrote the file.",
            )
        for statement in _SCHEMA:
            ledger.execute(statement)


def _change(row: tuple[Any, ...]) -> Change:
    number, helpdesk, run_id, ticket_id, mode, old_category, old_type, new_category, new_type, confidence, *rest = row
    source, marker, undoes, started, state, detail, at = rest
    return Change(
        helpdesk=helpdesk,
        run_id=run_id,
        ticket_id=ticket_id,
        mode=mode,
        before=(old_category, old_type),
        after=(new_category, new_type),
        state=state,
        started=datetime.fromisoformat(started),
        changed=datetime.fromisoformat(at),
        confidence=confidence,
        source=source,
        marker=marker,
        undoes=undoes,
        detail=detail,
        number=number,
    )
