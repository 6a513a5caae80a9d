"""One SQLite file of ours: its schema, its version, its transactions, and what its errors mean to the user."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError, ServiceError, SettingsError

_BUSY = "Free the file, or space on the disk, then try again."


@contextmanager
def sqlite_errors(what: str, unusable: str, damaged: str, *, verb: str = "is", busy: str = _BUSY) -> Iterator[None]:
    """Turn the errors of SQLite in the block into ours, with these hints: `what` cannot be used, or is damaged."""
    try:
        yield
    except sqlite3.OperationalError as error:
        message = f"{what} cannot be used: {error}"
        if any(sign in str(error) for sign in ("locked", "busy", "full", "disk I/O error")):
            raise ServiceError(message, hint=busy) from error
        raise SettingsError(message, hint=unusable) from error
    except sqlite3.DatabaseError as error:
        raise InputError(f"{what} {verb} damaged: {error}", hint=damaged) from error


@dataclass(frozen=True, slots=True)
class SQLiteFile:
    """What a file is called in messages (`the ledger of changes`), and the statements that make its schema.

    `setting` names the setting that it depends on, and `if_damaged` says what to do about a file that is damaged.
    """

    name: str
    version: int
    schema: Sequence[str]
    setting: str
    if_damaged: str

    @contextmanager
    def transaction(self, path: Path) -> Iterator[sqlite3.Connection]:
        """A transaction on the file at `path`, which gets its schema when it has none. It is lost if the block fails.

        Raises InputError for a damaged file and for one of another version, SettingsError or ServiceError for a file
        that cannot be used now.
        """
        with (
            sqlite_errors(f"{self.name} {path}", f"Check {self.setting} and its permissions.", self.if_damaged),
            closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as file,
        ):
            file.execute("PRAGMA synchronous = FULL")
            file.execute("PRAGMA foreign_keys = ON")
            # If anything fails before COMMIT, closing the connection rolls back.
            file.execute("BEGIN IMMEDIATE")
            self.ensure_schema(file, path)
            yield file
            file.execute("COMMIT")

    def ensure_schema(self, file: sqlite3.Connection, path: Path) -> None:
        """Give an empty file its schema. Raises InputError for a file of another version, or of something else."""
        (version,) = file.execute("PRAGMA user_version").fetchone()
        if version == self.version:
            return
        (tables,) = file.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version or tables:
            raise InputError(
                f"{path} is not {self.name} that this ticketattr can read (schema version {version})",
                hint=f"Check {self.setting}, or install the version of ticketattr that wrote the file.",
            )
        for statement in (*self.schema, f"PRAGMA user_version = {self.version}"):
            file.execute(statement)
