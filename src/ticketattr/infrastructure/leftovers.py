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
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import IO

PREFIX, SUFFIX = ".ticketattr-", ".tmp"
_OURS = re.compile(r"\.ticketattr-[a-z0-9_]{8}\.tmp")
# Files that earlier versions wrote, without a lock. Their names are those of the files that they were to become.
_EARLIER = re.compile(
    r"\.(ticket-attribution-[^/]+\.xlsx|[0-9TZ]+-[0-9a-f]{8}\.eml"
    r"|(catalog|tickets|attributions|service-catalog|run-history)\.json)\.[a-z0-9_]{8}\.tmp"
)
# What SQLite writes beside a file of ours. Nobody locks it: it belongs to the file.
_COMPANION = re.compile(r"(\.ticketattr-[a-z0-9_]{8}\.tmp)-(journal|wal|shm)")
_OLD = 86_400.0
"""What no lock decides about is removed after this number of seconds."""


def is_leftover_name(name: str) -> bool:
    """Whether only this program gives such a name to a file."""
    return any(pattern.fullmatch(name) for pattern in (_OURS, _COMPANION, _EARLIER))


@contextmanager
def temporary_file(folder: Path) -> Iterator[IO[bytes]]:
    """A new file in `folder`, which stays after the block unless it is renamed or deleted. Raises OSError."""
    while True:
        file = NamedTemporaryFile(dir=folder, prefix=PREFIX, suffix=SUFFIX, delete=False)  # noqa: SIM115  # closed below
        with file, _lock(file.fileno()) as exists:
            if exists:
                yield file
                return


@contextmanager
def temporary_folder() -> Iterator[str]:
    """A folder for temporary files, which is removed after the block."""
    while True:
        with TemporaryDirectory(prefix=PREFIX, suffix=SUFFIX) as folder, _locked_folder(folder) as exists:
            if exists:
                yield folder
                return


@contextmanager
def _locked_folder(folder: str) -> Iterator[bool]:
    if sys.platform == "win32":  # Windows cannot open folders.
        yield True
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        # Another process took it for a leftover, because it was not locked yet.
        yield False
        return
    try:
        with _lock(descriptor) as exists:
            yield exists
    finally:
        os.close(descriptor)


@contextmanager
def _lock(descriptor: int) -> Iterator[bool]:
    """Mark an open file or folder as used for the block, also after `descriptor` was closed.

    Yields whether it still has a name: another process may have removed it before it was locked.
    """
    if sys.platform == "win32":
        yield True
        return
    import fcntl

    held = os.dup(descriptor)
    try:
        with suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX)
        yield os.fstat(held).st_nlink > 0
    finally:
        os.close(held)


def remove_leftovers(folders: Iterable[Path]) -> int:
    """Delete what killed processes left in these folders and in that for temporary files. Returns how many there were.

    Only files and folders of this user that bear our names count. Errors leave a file where it is.
    """
    places = {Path(tempfile.gettempdir()), *folders}
    return sum(_remove(path) for place in places for path in _named_like_ours(place))


def _named_like_ours(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            # A file before what belongs to it.
            return sorted(Path(entry.path) for entry in entries if is_leftover_name(entry.name))
    except OSError:
        return []


def _remove(path: Path) -> bool:
    try:
        found = path.lstat()
        is_ours = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
        if not is_ours or (sys.platform != "win32" and found.st_uid != os.geteuid()):
            return False
        if companion := _COMPANION.fullmatch(path.name):
            return not path.with_name(companion[1]).exists() and _delete(path, found)
        if not _OURS.fullmatch(path.name) or sys.platform == "win32":
            return _is_old(found) and _delete(path, found)
        return _delete_if_unlocked(path, found)
    except OSError:
        return False


def _delete_if_unlocked(path: Path, found: os.stat_result) -> bool:
    import fcntl

    # Deleted while it is locked: a process that is about to lock it waits, and then sees that it has no name.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return _is_old(found) and _delete(path, found)
    else:
        return _delete(path, found)
    finally:
        os.close(descriptor)


def _is_old(found: os.stat_result) -> bool:
    return time.time() - found.st_mtime > _OLD


def _delete(path: Path, found: os.stat_result) -> bool:
    if stat.S_ISDIR(found.st_mode):
        shutil.rmtree(path)
    else:
        path.unlink()
    return True
