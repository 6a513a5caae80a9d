"""The corrections by people, in one SQLite file or in PostgreSQL. Rows are only added, never changed or deleted.

    corrections(number, run_id, place, ticket_id, short_description, long_description, request_category,
                request_type, reported_category, reported_type, reviewer, imported_by, at, has_unique_id, workbook)

`at` is a time in ISO 8601, in UTC; `user_version` is the version of this schema. Version 1 does not have the last two
columns. A file of version 1 is read as it is, and changed when corrections are added.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from ...domain.correction import Correction
from ...errors import InputError
from ..databases.postgres import Tables, only_added_to, tables
from ..databases.sqlite_file import sqlite_errors
from ..files import make_private

SCHEMA_VERSION = 2

_FIELDS = tuple(field.name for field in fields(Correction))
_COLUMNS = ", ".join(_FIELDS)
_TRIGGER = """
CREATE TRIGGER corrections_stay_as_they_are BEFORE UPDATE ON corrections
BEGIN SELECT RAISE(ABORT, 'corrections are only ever added'); END;
"""
_TABLE = """CREATE TABLE corrections (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    place INTEGER NOT NULL,
    ticket_id TEXT NOT NULL,
    short_description TEXT NOT NULL,
    long_description TEXT NOT NULL,
    request_category TEXT NOT NULL,
    request_type TEXT NOT NULL,
    reported_category TEXT NOT NULL,
    reported_type TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    imported_by TEXT NOT NULL,
    at TEXT NOT NULL,
    has_unique_id INTEGER NOT NULL,
    workbook TEXT NOT NULL
)"""
_SCHEMA = f"""
BEGIN;
{_TABLE};
CREATE TRIGGER corrections_stay BEFORE DELETE ON corrections
BEGIN SELECT RAISE(ABORT, 'corrections are only ever added'); END;
{_TRIGGER}
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
# Version 1 does not say whether an id was unique. It was not if two tickets of one run with that id were corrected.
_HAD_UNIQUE_ID = """
    ticket_id <> '' AND (run_id, ticket_id) NOT IN
    (SELECT run_id, ticket_id FROM corrections GROUP BY run_id, ticket_id HAVING count(DISTINCT place) > 1)
"""
_MIGRATION = f"""
BEGIN IMMEDIATE;
ALTER TABLE corrections ADD COLUMN has_unique_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE corrections ADD COLUMN workbook TEXT NOT NULL DEFAULT '';
DROP TRIGGER corrections_stay_as_they_are;
UPDATE corrections SET has_unique_id = {_HAD_UNIQUE_ID};
{_TRIGGER}
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""  # noqa: S608  # nosec B608  # constants
_COLUMNS_OF_VERSION_1 = {"has_unique_id": _HAD_UNIQUE_ID, "workbook": "''"}


_POSTGRES_SCHEMA = (*tables((_TABLE,)), *only_added_to("corrections", "UPDATE", "DELETE"))
_INSERT = f"INSERT INTO corrections ({_COLUMNS}) VALUES ({', '.join('?' * len(_FIELDS))})"  # noqa: S608  # nosec B608  # constants


@dataclass(frozen=True, slots=True)
class PostgresCorrections:
    """The corrections in the database at `url`."""

    url: str

    def all(self) -> list[Correction]:
        """All corrections, oldest first. Raises SettingsError, InputError or ServiceError, as `add` does."""
        with self._tables.reading() as db:
            if db is None:
                return []
            rows = db.execute(f"SELECT {_COLUMNS} FROM corrections ORDER BY number").fetchall()  # noqa: S608  # nosec B608  # constants
        return [_correction(dict(zip(_FIELDS, row, strict=True))) for row in rows]

    def add(self, corrections: Sequence[Correction]) -> None:
        """Add the corrections in one transaction."""
        if corrections:
            with self._tables.changing() as db:
                db.executemany(_INSERT, map(_values, corrections))

    @property
    def _tables(self) -> Tables:
        return correction_tables(self.url)


@dataclass(frozen=True, slots=True)
class SQLiteCorrections:
    """The corrections at `path`. Every call opens the file; reading creates no file."""

    path: Path

    def all(self) -> list[Correction]:
        """All corrections, oldest first. Raises SettingsError, InputError or ServiceError, as `add` does."""
        if not self.path.exists():
            return []
        with self._opened() as (file, version):
            known = {} if version == SCHEMA_VERSION else _COLUMNS_OF_VERSION_1
            columns = ", ".join(known.get(name, name) for name in _FIELDS)
            rows = file.execute(f"SELECT {columns} FROM corrections ORDER BY number").fetchall()  # noqa: S608  # nosec B608  # constants
        return [_correction(dict(zip(_FIELDS, row, strict=True))) for row in rows]

    def add(self, corrections: Sequence[Correction]) -> None:
        """Add the corrections in one transaction. A file of version 1 gets the present schema first."""
        if not corrections:
            return
        make_private(self.path)
        with self._opened() as (file, version):
            if version != SCHEMA_VERSION:
                file.executescript(_MIGRATION)
            file.executemany(_INSERT, map(_values, corrections))

    @contextmanager
    def _opened(self) -> Iterator[tuple[sqlite3.Connection, int]]:
        """The file, and the version of its schema; the block is one transaction."""
        unusable = "Check CORRECTIONS_DB_PATH, its permissions and the disk."
        damaged = "Restore the file from a backup. Without it, all corrections are lost."
        with (
            sqlite_errors(f"the corrections in {self.path}", unusable, damaged, verb="are"),
            closing(sqlite3.connect(self.path, timeout=10)) as file,
        ):
            version = _ensure_schema(file, self.path)
            with file:
                yield file, version


def correction_tables(url: str) -> Tables:
    """The table of corrections in the database at `url`."""
    return Tables(url, "corrections", 3, 1, _POSTGRES_SCHEMA)


def upgrade_corrections(file: sqlite3.Connection, path: Path) -> None:
    """Give an empty file, or one of version 1, the present schema. Raises InputError for any other file."""
    if _ensure_schema(file, path) != SCHEMA_VERSION:
        file.executescript(_MIGRATION)


def _ensure_schema(file: sqlite3.Connection, path: Path) -> int:
    """The version of the schema, which an empty file gets now."""
    version: int
    (version,) = file.execute("PRAGMA user_version").fetchone()
    if version in (1, SCHEMA_VERSION):
        return version
    (others,) = file.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version or others:
        raise InputError(
            f"{path} is not a file of corrections that this ticketattr can read (schema version {version})",
            hint="Check CORRECTIONS_DB_PATH, or install the version of ticketattr that wrote the file.",
        )
    file.executescript(_SCHEMA)
    return SCHEMA_VERSION


def _correction(values: dict[str, Any]) -> Correction:
    at, has_unique_id = datetime.fromisoformat(values["at"]), bool(values["has_unique_id"])
    return Correction(**{**values, "at": at, "has_unique_id": has_unique_id})


def _values(correction: Correction) -> list[object]:
    return [_storable(getattr(correction, name)) for name in _FIELDS]


def _storable(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return int(value) if isinstance(value, bool) else value
