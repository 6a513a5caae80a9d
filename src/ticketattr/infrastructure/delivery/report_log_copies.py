"""Copies of the report log, and the restored log. Each is a single, consistent file, also if the log is in use."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from ...errors import InputError
from ..files import replacing, write_error
from .report_log_schema import ensure_schema, is_blank

_HINT = "Give a file that `ticketattr pending backup` wrote."
_COMPANIONS = ("-wal", "-shm", "-journal")
_BUSY, _LOCKED = 5, 6
"""Status codes of SQLite."""

_MAX_TRIES = 40
"""How often a database that another program keeps locked is tried: 40 times in 10 seconds."""


def write_copy(log: sqlite3.Connection, target: Path) -> None:
    """Write a copy of the log to `target`, or to the file that this link leads to.

    Raises SettingsError or ServiceError, and the errors of sqlite3.
    """
    with replacing(target.resolve()) as file:
        _fill(Path(file.name), log)


def _fill(target: Path, log: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(target)) as copy:
        log.backup(copy)
        # Without a write-ahead log, which is a second file that somebody could forget to copy.
        copy.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def open_backup(path: Path) -> Iterator[sqlite3.Connection]:
    """A backup in memory, with the tables of this version. Raises InputError. The file stays as it is."""
    if not path.is_file():
        raise InputError(f"{path} is not a file", hint=_HINT)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        try:
            _read(path, copy)
        except sqlite3.Error as error:
            raise InputError(f"{path} cannot be read as a report log: {error}", hint=_HINT) from error
        yield copy


def _read(path: Path, copy: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as file:
        (verdict,) = file.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise InputError(f"{path} is damaged: {verdict}", hint=_HINT)
        if is_blank(file):
            raise InputError(f"{path} is empty, not a report log", hint=_HINT)
        file.backup(copy)
    ensure_schema(copy, path)


def replace_log(copy: sqlite3.Connection, path: Path, at: datetime) -> Path | None:
    """Make `copy` the content of the log at `path`. Returns where the former log is kept; None if there was none.

    There is no moment without a log: a process that is killed leaves the former one or the new one. Raises
    SettingsError or ServiceError, and the errors of sqlite3.
    """
    # The file itself, not a link to it.
    path = path.resolve()
    if not path.exists():
        write_copy(copy, path)
        return None
    former = free_name(path, at)
    if _is_intact(path):
        with closing(sqlite3.connect(path, timeout=10)) as log:
            write_copy(log, former)
            _overwrite(log, copy)
    else:
        _copy_files(path, former)
        _replace_damaged(path, copy)
    return former


def free_name(path: Path, at: datetime) -> Path:
    """A path beside that of a log which is replaced at that time, for its content."""
    names = [f"{path.name}.before-{at:%Y%m%dT%H%M%SZ}{f'-{number}' if number else ''}" for number in range(100)]
    return next(former for name in names if not (former := path.with_name(name)).exists())


def _is_intact(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=10)) as log:
            return bool(log.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return False


def _overwrite(log: sqlite3.Connection, copy: sqlite3.Connection) -> None:
    """Replace the content of a database in one transaction of SQLite, which also keeps its write-ahead log right."""
    tries = 0

    def give_up(status: int, remaining: int, total: int) -> None:
        nonlocal tries
        tries += status in (_BUSY, _LOCKED)
        if tries > _MAX_TRIES:
            raise sqlite3.OperationalError("database is locked")

    log.execute("PRAGMA synchronous = FULL")
    copy.backup(log, progress=give_up)


def _copy_files(path: Path, former: Path) -> None:
    for suffix in ("", *_COMPANIONS):
        part = path.with_name(path.name + suffix)
        try:
            if part.exists():
                with part.open("rb") as source, replacing(former.with_name(former.name + suffix)) as target:
                    shutil.copyfileobj(source, target)
        except OSError as error:
            raise write_error(former, error) from error


def _replace_damaged(path: Path, copy: sqlite3.Connection) -> None:
    """Replace a database that SQLite cannot read. Its other files go first: SQLite would apply them to the new one."""
    with replacing(path) as file:
        _fill(Path(file.name), copy)
        for suffix in _COMPANIONS:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
