"""A log file that is rotated by size and that several processes may write at the same time."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from filelock import FileLock

from ..files import keep_others_out, refuse_pipe

MAX_BYTES, BACKUPS = 10 * 2**20, 5
"""The size before which a file is rotated, and how many old files are kept."""

_LONGEST_WAIT = 2.0


def lock_path(path: Path) -> Path:
    """The lock file of a log file. A process holds it while it writes a line."""
    return path.with_name(f"{path.name}.lock")


class SharedLogFile(RotatingFileHandler):
    """Opens the file for each line, under a lock. Otherwise a process would write to a file that another one renamed.

    A line that cannot be written is lost. The first time, `on_error` is called with the reason; it may log. Without the
    lock, the file is not rotated.
    """

    def __init__(
        self, path: Path, *, on_error: Callable[[str], None], max_bytes: int = MAX_BYTES, backups: int = BACKUPS
    ) -> None:
        super().__init__(path, maxBytes=max_bytes, backupCount=backups, encoding="utf-8", delay=True)
        self._on_error = on_error
        self._has_failed = False
        self._lock = FileLock(lock_path(path), timeout=_LONGEST_WAIT, mode=0o600)
        self._is_alone = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
            with self._locked() as self._is_alone:
                super().emit(record)
                self._close_stream()
        except OSError:
            self.handleError(record)

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        """Without the lock, another process may write to the file that would be renamed."""
        return self._is_alone and bool(super().shouldRollover(record))

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        """Hold the lock for the block. Yields False without it: a line is written all the same, at the end of the file.

        Somebody who holds the lock for long, or whose file it is, delays one line and not each.
        """
        keep_others_out(lock_path(Path(self.baseFilename)), says_so=False)
        try:
            self._lock.acquire()
        except OSError:  # also of filelock, when the time is over
            self._lock = FileLock(lock_path(Path(self.baseFilename)), timeout=0, mode=0o600)
            yield False
            return
        try:
            yield True
        finally:
            self._lock.release()

    def handleError(self, record: logging.LogRecord) -> None:
        """Called inside an `except` block, by `emit` and by the `emit` of the base class."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._has_failed:
            self._has_failed = True
            self._on_error(f"the log file {self.baseFilename} cannot be written: {error.strerror or error}")

    def _open(self) -> TextIOWrapper:
        # Readable by the group, for a program that collects logs, and not by everybody.
        refuse_pipe(Path(self.baseFilename))
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        return os.fdopen(descriptor, "a", encoding=self.encoding, errors="backslashreplace")

    def _close_stream(self) -> None:
        if self.stream:
            stream, self.stream = self.stream, None
            stream.close()
