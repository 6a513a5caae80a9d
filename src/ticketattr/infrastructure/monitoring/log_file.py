"""A log file that turns over by size, and that several processes may write at once."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from filelock import FileLock

_LONGEST_WAIT = 2.0


def lock_of(path: Path) -> Path:
    """What whoever writes into it holds meanwhile."""
    return path.with_name(f"{path.name}.lock")


class SharedLogFile(RotatingFileHandler):
    """Opened anew for each line, under a lock: otherwise, one process would write into what another renamed.

    A line that cannot be written is lost; the first time, `complain` is told why. It may log that.
    """

    def __init__(self, path: Path, *, max_bytes: int, backups: int, complain: Callable[[str], None]) -> None:
        super().__init__(path, maxBytes=max_bytes, backupCount=backups, encoding="utf-8", delay=True)
        self._complain = complain
        self._has_complained = False
        self._turn = FileLock(lock_of(path), timeout=_LONGEST_WAIT)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
            with self._turn:
                super().emit(record)
                self._let_go()
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Called while the error is handled, also by what `emit` inherits."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._has_complained:
            self._has_complained = True
            self._complain(f"the log file {self.baseFilename} cannot be written: {error.strerror or error}")

    def _open(self) -> TextIOWrapper:
        # Not for everybody, but for a group that collects logs.
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        return os.fdopen(descriptor, "a", encoding=self.encoding, errors="backslashreplace")

    def _let_go(self) -> None:
        if self.stream:
            stream, self.stream = self.stream, None
            stream.close()
