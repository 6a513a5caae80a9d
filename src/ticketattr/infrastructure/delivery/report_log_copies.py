"""Copies of the report log: whole and consistent while it is in use, each a single file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from ...errors import InputError
from ..files import replacing, write_error
from .report_log_schema import is_blank

_HINT = "Give a file that `ticketattr pending backup` wrote."


def write_copy(log: sqlite3.Connection, target: Path) -> None:
    """Raises SettingsError or ServiceError, and sqlite3's errors."""
    with replacing(target) as file, closing(sqlite3.connect(file.name)) as copy:
        log.backup(copy)
        # Not written ahead: a copy has no second file that somebody could forget to take along.
        copy.execute("PRAGMA journal_mode = DELETE")


def read_copy(path: Path, target: Path) -> None:
    """What is in the copy at `path`, which stays as it is, as the file `target`. Raises InputError."""
    if not path.is_file():
        raise InputError(f"{path} is no file", hint=_HINT)
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as copy:
            (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise InputError(f"{path} is damaged: {verdict}", hint=_HINT)
            if is_blank(copy):
                raise InputError(f"{path} is empty, and no report log", hint=_HINT)
            write_copy(copy, target)
    except sqlite3.Error as error:
        raise InputError(f"{path} cannot be read as a report log: {error}", hint=_HINT) from error


def set_aside(path: Path, at: datetime) -> Path:
    """Rename the log and what belongs to it; returns its new name. Raises SettingsError or ServiceError."""
    aside = path.with_name(f"{path.name}.before-{at:%Y%m%dT%H%M%SZ}")
    try:
        # The log itself last: without it, nothing is sent.
        for suffix in ("-wal", "-shm", ""):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
    except OSError as error:
        raise write_error(path, error) from error
    return aside
