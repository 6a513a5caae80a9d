"""Temporary files and folders: marked as ours, locked while they are used, and removed after their process was killed.

The kernel releases the lock when the process ends, so a file that can be locked has no user any more. Where there are
no such locks, the age decides.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

PREFIX, SUFFIX = ".ticketattr-", ".tmp"
_OURS = re.compile(r"\.ticketattr-[a-z0-9_]{8}\.tmp")
# Files that earlier versions wrote, without a lock. Their names are those of the files that they were to become.
_EARLIER = re.compile(
    r"\.(ticket-attribution-[^/]+\.xlsx|[0-9TZ]+-[0-9a-f]{8}\.eml"
    r"|(catalog|tickets|attributions|service-catalog|run-history)\.json)\.[a-z0-9_]{8}\.tmp"
)
_YOUNG = 10.0
"""A file without content may belong to a process that has not locked it yet, for this number of seconds."""

_OLD = 86_400.0
"""What no lock decides about is removed after this number of seconds."""


def is_leftover_name(name: str) -> bool:
    """Whether only this program gives such a name to a file."""
    return bool(_OURS.fullmatch(name) or _EARLIER.fullmatch(name))


@contextmanager
def lock(descriptor: int) -> Iterator[None]:
    """Mark an open file or folder as used for the block, also after `descriptor` was closed."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    held = os.dup(descriptor)
    try:
        with suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(held)


@contextmanager
def temporary_folder() -> Iterator[str]:
    """A folder for temporary files, which is removed after the block."""
    with TemporaryDirectory(prefix=PREFIX, suffix=SUFFIX) as folder:
        if sys.platform == "win32":
            yield folder
            return
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            with lock(descriptor):
                yield folder
        finally:
            os.close(descriptor)


def remove_leftovers(folders: Iterable[Path]) -> int:
    """Delete what killed processes left in these folders and in that for temporary files. Returns how many there were.

    Only files and folders of this user that bear our names count. Errors leave a file where it is.
    """
    places = {Path(tempfile.gettempdir()), *folders}
    return sum(_remove(path) for place in places for path in _named_like_ours(place))


def _named_like_ours(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries if is_leftover_name(entry.name)]
    except OSError:
        return []


def _remove(path: Path) -> bool:
    try:
        found = path.lstat()
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)) or not _is_own(found):
            return False
        if not _is_abandoned(path, found):
            return False
        shutil.rmtree(path) if stat.S_ISDIR(found.st_mode) else path.unlink()
    except OSError:
        return False
    return True


def _is_own(found: os.stat_result) -> bool:
    return sys.platform == "win32" or found.st_uid == os.geteuid()


def _is_abandoned(path: Path, found: os.stat_result) -> bool:
    age = time.time() - found.st_mtime
    if not _OURS.fullmatch(path.name) or sys.platform == "win32":
        return age > _OLD
    is_locked = _is_locked(path)
    if is_locked is None:
        return age > _OLD
    is_new = stat.S_ISREG(found.st_mode) and not found.st_size and abs(age) < _YOUNG
    return not is_locked and not is_new


def _is_locked(path: Path) -> bool | None:
    """Whether a process uses the file; None if that cannot be known."""
    if sys.platform == "win32":
        return None
    import fcntl

    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return False
