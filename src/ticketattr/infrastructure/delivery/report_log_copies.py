"""Copies of the report log: each is a single, consistent file, also if the log is in use."""

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
    """Write a copy of the log to `target`. Raises SettingsError or ServiceError, and the errors of sqlite3."""
    with replacing(target) as file, closing(sqlite3.connect(file.name)) as copy:
        log.backup(copy)
        # Without a write-ahead log, which is a second file that somebody could forget to copy.
        copy.execute("PRAGMA journal_mode = DELETE")


def restore_copy(path: Path, target: Path) -> None:
    """Write the content of the copy at `path` to `target`. Raises InputError, SettingsError or ServiceError."""
    if not path.is_file():
        raise InputError(f"{path} is not a file", hint=_HINT)
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as copy:
            (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise InputError(f"{path} is damaged: {verdict}", hint=_HINT)
            if is_blank(copy):
                raise InputError(f"{path} is empty, not a report log", hint=_HINT)
            write_copy(copy, target)
    except sqlite3.Error as error:
        raise InputError(f"{path} cannot be read as a report log: {error}", hint=_HINT) from error


def rename_log(path: Path, at: datetime) -> Path:
    """Rename the log and the files beside it. Returns the new path of the log. Raises SettingsError or ServiceError."""
    renamed = path.with_name(f"{path.name}.before-{at:%Y%m%dT%H%M%SZ}")
    try:
        # The log itself last: as long as it exists, it decides what was sent.
        for suffix in ("-wal", "-shm", ""):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(renamed.with_name(renamed.name + suffix))
    except OSError as error:
        raise write_error(path, error) from error
    return renamed
