"""Copies rows between files of SQLite and PostgreSQL, and compares what was copied."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from ..delivery.report_log_schema import IN_ORDER
from .sql import Connection

_AT_ONCE = 5_000


def copy_rows(source: Connection, target: Connection, tables: Sequence[str]) -> None:
    """Copy all rows of these tables, each table after those that it refers to. The tables of `target` are empty."""
    for table in tables:
        columns = _columns(source, table)
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        order = "rowid" if table in IN_ORDER else columns[0]
        rows = iter(source.execute(f"SELECT {names} FROM {table} ORDER BY {order}"))  # noqa: S608  # nosec B608  # names of our own tables
        while some := list(islice(rows, _AT_ONCE)):
            target.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", some)  # noqa: S608  # nosec B608  # names of our own tables


def continue_numbers(target: Connection, tables: Sequence[str]) -> None:
    """Let PostgreSQL number new rows after those that were copied with their numbers."""
    for table in tables:
        if _columns(target, table)[0] == "number":
            sequence = f"pg_get_serial_sequence('{table}', 'number')"
            target.execute(f"SELECT setval({sequence}, coalesce(max(number), 0) + 1, false) FROM {table}")  # noqa: S608  # nosec B608  # names of our own tables


def has_rows(db: Connection, table: str) -> bool:
    return db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None  # noqa: S608  # nosec B608  # names of our own tables


def digests(db: Connection, tables: Sequence[str]) -> dict[str, tuple[int, str]]:
    """For each table, the number of its rows, and a digest of them that does not depend on their order."""
    return {table: _digest(db, table) for table in tables}


def _digest(db: Connection, table: str) -> tuple[int, str]:
    count, total = 0, 0
    for row in _rows(db, table):
        count += 1
        total += int.from_bytes(hashlib.sha256(repr(tuple(row)).encode("utf-8", "backslashreplace")).digest(), "big")
    return count, f"{total % 2**256:064x}"


def _rows(db: Connection, table: str) -> Iterator[Any]:
    names = ", ".join(_columns(db, table))
    return iter(db.execute(f"SELECT {names} FROM {table}"))  # noqa: S608  # nosec B608  # names of our own tables


def _columns(db: Connection, table: str) -> list[str]:
    """The columns that both kinds of databases have."""
    cursor = db.execute(f"SELECT * FROM {table} LIMIT 0")  # noqa: S608  # nosec B608  # names of our own tables
    return [column[0] for column in cursor.description if column[0] != "rowid"]
