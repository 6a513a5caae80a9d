"""The ledger of changes in the helpdesk, in one SQLite file or in PostgreSQL. Rows are only added.

    changes(number, helpdesk, run_id, ticket_id, mode, old_category, old_type, new_category, new_type,
            confidence, source, marker, undoes, started)
    states(number, change, state, detail, at)           the last state of a change is the present one

Times are ISO 8601 in UTC; `user_version` is the version of the schema in SQLite. A lock keeps other writers out.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ...domain.write_back import Change, ChangeState
from ..databases.postgres import Tables, only_added_to, tables
from ..databases.sql import Connection
from ..databases.sqlite_file import SQLiteFile
from ..delivery import sender_lock
from ..files import database_version, make_private

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
)
_FILE = SQLiteFile(
    "the ledger of changes",
    SCHEMA_VERSION,
    _SCHEMA,
    "WORK_DIR",
    "Restore it from a backup, or move it away: the markers in the notes tell what was said before.",
)
_POSTGRES_SCHEMA = (
    *tables(_SCHEMA),
    *(statement for table in _TABLES for statement in only_added_to(table, "UPDATE", "DELETE")),
)
_INSERT_CHANGE = (
    "INSERT INTO changes (helpdesk, run_id, ticket_id, mode, old_category, old_type, new_category, new_type,"
    " confidence, source, marker, undoes, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number"
)
_INSERT_STATE = "INSERT INTO states (change, state, detail, at) VALUES (?, ?, ?, ?)"
_ALL = (
    "SELECT c.number, helpdesk, run_id, ticket_id, mode, old_category, old_type, new_category, new_type, confidence,"
    " source, marker, undoes, started, s.state, s.detail, s.at FROM changes c JOIN states s ON s.number ="
    " (SELECT max(number) FROM states WHERE change = c.number) ORDER BY c.number"
)


class SQLChangeLedger(ABC):
    """The ledger. Every call opens the database; reading creates none. `who` is named to a second writer."""

    who: str

    @abstractmethod
    def lock(self, at: datetime, *, wait: float = 0.0) -> AbstractContextManager[datetime]:
        """Keep other writers out for the block. Raises BusyError."""

    @abstractmethod
    def version(self) -> object:
        """A value that differs when the ledger changed."""

    @abstractmethod
    def _exists(self) -> bool: ...

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[Connection]: ...

    def changes(self) -> list[Change]:
        if not self._exists():
            return []
        with self._transaction() as ledger:
            return [_change(row) for row in ledger.execute(_ALL)]

    def add(self, change: Change) -> Change:
        with self._transaction() as ledger:
            row = (
                *(change.helpdesk, change.run_id, change.ticket_id, change.mode, *change.before, *change.after),
                *(change.confidence, change.source, change.marker, change.undoes, change.started.isoformat()),
            )
            (number,) = ledger.execute(_INSERT_CHANGE, row).fetchone()
            ledger.execute(_INSERT_STATE, (number, change.state, change.detail, change.changed.isoformat()))
        return replace(change, number=number)

    def record(self, change: Change, state: ChangeState, detail: str, at: datetime) -> Change:
        with self._transaction() as ledger:
            ledger.execute(_INSERT_STATE, (change.number, state, detail, at.isoformat()))
        return replace(change, state=state, detail=detail, changed=at)


@dataclass(frozen=True)
class SQLiteChangeLedger(SQLChangeLedger):
    """The ledger in the file at `path`, with a lock file beside it."""

    path: Path
    who: str = ""

    def lock(self, at: datetime, *, wait: float = 0.0) -> AbstractContextManager[datetime]:
        path = self.path.resolve()
        return sender_lock.acquire(path.with_name(f"{path.name}.lock"), who=self.who, at=at, wait=wait)

    def version(self) -> object:
        return database_version(self.path)

    def _exists(self) -> bool:
        return self.path.exists()

    def _transaction(self) -> AbstractContextManager[Connection]:
        make_private(self.path)
        return _FILE.transaction(self.path)


def upgrade_ledger(ledger: sqlite3.Connection, path: Path) -> None:
    """Give an empty file the present schema. Raises InputError for a file that is no ledger."""
    _FILE.ensure_schema(ledger, path)


def ledger_tables(url: str) -> Tables:
    """The tables of the ledger in the database at `url`."""
    return Tables(url, "ledger of changes", 2, 1, _POSTGRES_SCHEMA)


@dataclass(frozen=True)
class PostgresChangeLedger(SQLChangeLedger):
    """The ledger in the database at `url`."""

    url: str
    who: str = ""

    def lock(self, at: datetime, *, wait: float = 0.0) -> AbstractContextManager[datetime]:
        return self._tables.lock(self.who, at, wait)

    @property
    def _tables(self) -> Tables:
        return ledger_tables(self.url)

    def version(self) -> object:
        with self._tables.reading() as ledger:
            return ledger and ledger.execute("SELECT max(number) FROM states").fetchone()

    def _exists(self) -> bool:
        return self._tables.exist()

    def _transaction(self) -> AbstractContextManager[Connection]:
        return self._tables.changing()


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
