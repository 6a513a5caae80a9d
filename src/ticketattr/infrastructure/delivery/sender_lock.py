"""A lock file that lets one process send at a time, and names the process that holds it.

The kernel releases the lock when its process ends. Only the report log acquires it, so nothing is sent without it.

A lock file may be deleted while it is held, for tidiness. Then a lock on a new file says nothing. So the database is
locked, too, where the kernel keeps such a lock apart from those of SQLite.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from ...errors import BusyError
from ..files import keep_others_out, make_folder, write_error

# Longer than another process holds the lock in `is_locked`.
_LEAST_WAIT = 0.2

_open_files: dict[tuple[int, int], int] = {}
"""The databases that this process locked once, by device and inode."""


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


@contextmanager
def guard(database: Path) -> Iterator[None]:
    """Hold the file `database` itself for the block, if it exists. Raises BusyError if another process does.

    Elsewhere than on Linux, this lock would keep SQLite itself out, so there is none.
    """
    descriptor = _open_for_good(database) if sys.platform == "linux" else None
    if descriptor is None:
        yield
        return
    if not _locks(descriptor):
        raise _busy("a process whose lock file was deleted")
    try:
        yield
    finally:
        _unlock(descriptor)


def _acquired(path: Path, wait: float) -> AbstractContextManager[object]:
    from filelock import FileLock, Timeout  # only needed to send

    make_folder(path.parent)
    keep_others_out(path)
    deadline = time.monotonic() + max(wait, _LEAST_WAIT)
    lock = FileLock(path, mode=0o600)
    try:
        while True:
            held = lock.acquire(timeout=max(deadline - time.monotonic(), 0))
            if _is_at(path):
                return held
            # The file was deleted between opening and locking it: the lock is on a file that nobody else sees.
            lock.release()
    except Timeout:
        raise _busy(holder(path)) from None
    except OSError as error:
        raise write_error(path, error) from error


def _busy(who: str) -> BusyError:
    return BusyError(f"another ticketattr is at work: {who}", hint="Try again when it has ended, or use `--wait`.")


def _is_at(path: Path) -> bool:
    """Whether the file that is at `path` now is locked, and not one that was there before."""
    if sys.platform == "win32":  # An open file cannot be deleted there.
        return True
    try:
        with path.open("rb") as file:
            return not _locks(file)
    except FileNotFoundError:
        return False


def _open_for_good(database: Path) -> int | None:
    """The file, open until the process ends; None if it cannot be opened.

    Closing it would release the locks that SQLite holds on the same file in this process.
    """
    try:
        found = database.stat()
        key = (found.st_dev, found.st_ino)
        if key not in _open_files:
            _open_files[key] = os.open(database, os.O_RDONLY | os.O_CLOEXEC)
        return _open_files[key]
    except OSError:
        return None


def _locks(file: int | IO[bytes]) -> bool:
    """Whether the file could be locked. A file system without such locks refuses nobody."""
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _unlock(file: int) -> None:
    import fcntl

    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_UN)


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
