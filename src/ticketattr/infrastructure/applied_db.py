"""The ledger of changes in the helpdesk, in one SQLite file. Rows are only added, never changed or deleted.

    changes(number, helpdesk, run_id, ticket_id, mode, old_category, old_type, new_category, new_type,
            confidence, source, marker, undoes, started)
    states(number, change, state, detail, at)           the last state of a change is the present one

Times are ISO 8601 in UTC; `user_version` is the version of the schema. A lock file beside it keeps other writers out.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ..domain.write_back import Change, ChangeState
from .delivery import sender_lock
from .files import make_private
from .sqlite_file import SQLiteFile

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
        with _FILE.transaction(self.path) as ledger:
            return [_change(row) for row in ledger.execute(_ALL)]

    def add(self, change: Change) -> Change:
        make_private(self.path)
        with _FILE.transaction(self.path) as ledger:
            row = (
                *(change.helpdesk, change.run_id, change.ticket_id, change.mode, *change.before, *change.after),
                *(change.confidence, change.source, change.marker, change.undoes, change.started.isoformat()),
            )
            number = ledger.execute(_INSERT_CHANGE, row).lastrowid or 0
            ledger.execute(_INSERT_STATE, (number, change.state, change.detail, change.changed.isoformat()))
        return replace(change, number=number)

    def record(self, change: Change, state: ChangeState, detail: str, at: datetime) -> Change:
        with _FILE.transaction(self.path) as ledger:
            ledger.execute(_INSERT_STATE, (change.number, state, detail, at.isoformat()))
        return replace(change, state=state, detail=detail, changed=at)


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
