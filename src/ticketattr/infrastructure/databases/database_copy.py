"""Copies report log, ledger, corrections, answers and the state of the service from files into PostgreSQL, and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError
from ..classifiers.answer_cache import answer_tables, upgrade_answers
from ..corrections.corrections_db import correction_tables, upgrade_corrections
from ..delivery.postgres_report_log import report_log_tables
from ..delivery.report_log_schema import TABLES as LOG_TABLES
from ..delivery.report_log_schema import ensure_schema as upgrade_report_log
from ..files import make_private
from ..helpdesk.applied_db import ledger_tables, upgrade_ledger
from ..service.postgres_state import state_tables
from ..service.sql_state import TABLES as STATE_TABLES
from ..service.state_db import upgrade_state
from .postgres import Tables
from .sql import Connection
from .sql_copies import continue_numbers, copy_rows, digests, has_rows
from .sqlite_file import sqlite_errors


@dataclass(frozen=True)
class Stored:
    """Tables that are in the file at `path`, or in the database. `upgrade` gives a file the present schema."""

    shared: Tables
    path: Path
    tables: tuple[str, ...]
    upgrade: Callable[[sqlite3.Connection, Path], None]


def stored_tables(
    url: str, *, report_log: Path, ledger: Path, corrections: Path, answers: Path, state: Path
) -> tuple[Stored, ...]:
    """All that is either in files or in the database at `url`."""
    return (
        Stored(report_log_tables(url), report_log, LOG_TABLES, upgrade_report_log),
        Stored(ledger_tables(url), ledger, ("changes", "states"), upgrade_ledger),
        Stored(correction_tables(url), corrections, ("corrections",), upgrade_corrections),
        Stored(answer_tables(url), answers, ("answers",), upgrade_answers),
        Stored(state_tables(url), state, STATE_TABLES, upgrade_state),
    )


def upgrade_database(stored: Sequence[Stored]) -> None:
    """Create the tables that are missing in the database. Raises InputError if another version created them."""
    for one in stored:
        with one.shared.changing():
            pass


def copy_to_database(stored: Stored) -> int | None:
    """Copy the file into the database. Returns the number of rows, or None if there is no file.

    Raises InputError if the database has rows already. Nothing is changed unless all rows arrived.
    """
    if not stored.path.exists():
        return None
    with _file(stored) as file, stored.shared.changing() as db:
        _refuse_rows(db, stored, stored.shared.where)
        copy_rows(file, db, stored.tables)
        continue_numbers(db, stored.tables)
        return _compared(file, db, stored)


def copy_to_file(stored: Stored) -> int | None:
    """Copy from the database into the file. Returns the number of rows, or None if the database has none of it."""
    with stored.shared.reading() as db:
        if db is None:
            return None
        make_private(stored.path)
        with _file(stored) as file:
            return _fill(file, db, stored)


def _fill(file: Connection, db: Connection, stored: Stored) -> int:
    file.execute("BEGIN IMMEDIATE")
    _refuse_rows(file, stored, str(stored.path))
    copy_rows(db, file, stored.tables)
    number = _compared(db, file, stored)
    file.execute("COMMIT")
    return number


def _refuse_rows(target: Connection, stored: Stored, where: str) -> None:
    if any(has_rows(target, table) for table in stored.tables):
        raise InputError(
            f"{where} has a {stored.shared.name} already; nothing was copied",
            hint="Copy into an empty database, or into a folder without it.",
        )


def _compared(source: Connection, target: Connection, stored: Stored) -> int:
    found, copied = digests(source, stored.tables), digests(target, stored.tables)
    if found != copied:
        names = ", ".join(table for table in stored.tables if found[table] != copied[table])
        raise InputError(
            f"the {stored.shared.name} was not copied: {names} would differ",
            hint="The source has values that the target cannot store, such as text with NUL.",
        )
    return sum(count for count, _ in copied.values())


@contextmanager
def _file(stored: Stored) -> Iterator[sqlite3.Connection]:
    with (
        sqlite_errors(str(stored.path), "Check its permissions.", "Restore it from a backup."),
        closing(sqlite3.connect(stored.path, timeout=10, isolation_level=None)) as file,
    ):
        stored.upgrade(file, stored.path)
        yield file
