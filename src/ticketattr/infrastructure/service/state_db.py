"""The state of the service in one SQLite file. `user_version` is the version of the schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError
from ..databases.sqlite_file import sqlite_errors
from ..files import make_private
from .sql_state import HOSTS, SCHEMA, UNFINISHED_RUNS, SQLServiceState

SCHEMA_VERSION = 3

_TRIGGERS = tuple(
    f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {verb} ON audit"
    " BEGIN SELECT RAISE(ABORT, 'the audit is only ever added to'); END"
    for name, verb in (("audit_stays", "DELETE"), ("audit_stays_as_it_is", "UPDATE"))
)
_ADDED_IN = {
    2: (
        "ALTER TABLE runs ADD COLUMN undo_run TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE runs ADD COLUMN undo_change INTEGER NOT NULL DEFAULT 0",
    ),
    3: (
        "ALTER TABLE runs ADD COLUMN host TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE runs ADD COLUMN stage TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE runs ADD COLUMN done INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE runs ADD COLUMN total INTEGER NOT NULL DEFAULT 0",
        HOSTS,
        "DROP INDEX IF EXISTS unfinished_runs",
        UNFINISHED_RUNS,
    ),
}


@dataclass(frozen=True, slots=True)
class SQLiteServiceState(SQLServiceState):
    """The state at `path`; only its owner may read it.

    `patience`: the seconds that a call waits for another process which changes the state.
    """

    path: Path
    patience: float = 10.0

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Keep the file open for the block: to open it anew, SQLite needs space on the disk, even to read."""
        make_private(self.path)
        with self._errors():
            db = self._connect()
        with closing(db):
            db.execute("SELECT count(*) FROM schedule").fetchone()
            yield

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._errors():
            if not self.path.exists():
                with empty_state() as db:
                    yield db
                return
            with closing(self._connect()) as db:
                yield db

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        make_private(self.path)
        with self._errors(), closing(self._connect()) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=self.patience, isolation_level=None)
        try:
            db.execute("PRAGMA foreign_keys = ON")
            upgrade_state(db, self.path)
        except BaseException:
            db.close()
            raise
        return db

    def _errors(self) -> AbstractContextManager[None]:
        return sqlite_errors(
            f"the state of the service in {self.path}",
            "Check WORK_DIR, its permissions and the disk.",
            "Restore the file from a backup. Without it, tokens, schedule and audit are lost.",
            busy="Try again later, and check that the disk is not full.",
        )


def upgrade_state(db: sqlite3.Connection, path: Path) -> None:
    """Give a file the present schema. Raises InputError for a file that is no state, or one of a later version."""
    # In one statement: another process may be creating the tables.
    query = "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"
    version, tables = db.execute(query).fetchone()
    if version == SCHEMA_VERSION:
        return
    if version > SCHEMA_VERSION or (tables and not version):
        raise InputError(
            f"{path} is not the state of a service that this ticketattr can read (schema version {version})",
            hint="Check WORK_DIR, or install the version of ticketattr that wrote the file.",
        )
    with suppress(sqlite3.OperationalError):  # another process does it
        # Pages read while a run is recorded.
        db.execute("PRAGMA journal_mode = WAL")
    # If anything fails before COMMIT, closing the connection rolls back.
    db.execute("BEGIN IMMEDIATE")
    # Read again: another process may have done it meanwhile.
    (version,) = db.execute("PRAGMA user_version").fetchone()
    added = [step for of, steps in _ADDED_IN.items() if version < of for step in steps]
    for statement in added if version else (*SCHEMA, *_TRIGGERS):
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("COMMIT")


@contextmanager
def empty_state() -> Iterator[sqlite3.Connection]:
    """A state in memory, without any row."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for statement in SCHEMA:
            db.execute(statement)
        yield db
