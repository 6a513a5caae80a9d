"""A lock file that lets one process send at a time, and names the process that holds it.

The kernel releases the lock when its process ends. Only the report log acquires it, so nothing is sent without it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from ...errors import BusyError
from ..files import make_folder, write_error

# Longer than another process holds the lock in `is_locked`.
_LEAST_WAIT = 0.2


@contextmanager
def acquire(path: Path, *, who: str, at: datetime, wait: float) -> Iterator[datetime]:
    """Hold the lock for the block. Yields the time since when: `at` plus the time waited.

    Raises BusyError if another process holds it for longer than `wait` seconds.
    """
    began = time.monotonic()
    with _acquired(path, wait):
        since = at + timedelta(seconds=time.monotonic() - began)
        _sign(path, who, since)
        try:
            yield since
        finally:
            # If this fails, the next process overwrites the name anyway.
            with suppress(OSError):
                path.write_text("", encoding="utf-8")


def _acquired(path: Path, wait: float) -> AbstractContextManager[object]:
    from filelock import FileLock, Timeout  # only needed to send

    make_folder(path.parent)
    try:
        return FileLock(path).acquire(timeout=max(wait, _LEAST_WAIT))
    except Timeout:
        raise BusyError(
            f"another ticketattr is at work: {holder(path)}",
            hint="Try again when it has ended, or use `--wait`.",
        ) from None
    except OSError as error:
        raise write_error(path, error) from error


def _sign(path: Path, who: str, since: datetime) -> None:
    name = f"process {os.getpid()}{f' of {who}' if who else ''} since {since:%Y-%m-%d %H:%M:%S} UTC\n"
    try:
        path.write_text(name, encoding="utf-8")
    except OSError as error:
        raise write_error(path, error) from error


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock. Creates no file."""
    from filelock import FileLock, Timeout

    if not path.exists():
        return False
    try:
        with FileLock(path).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        # Without permission to try it, a holder cannot be excluded.
        return True


def holder(path: Path) -> str:
    """The process that holds the lock, as it named itself."""
    try:
        return path.read_text(encoding="utf-8").strip() or "unknown process"
    except (OSError, UnicodeDecodeError):
        return "unknown process"
