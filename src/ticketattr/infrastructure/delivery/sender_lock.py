"""One sender at a time: a lock of the kernel, which dies with its process, and beside it who holds it.

The report log alone takes it, so that nobody writes there without it.
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

# Long enough to outlast somebody who only asks whether the lock is held.
_LEAST_WAIT = 0.2


@contextmanager
def hold(path: Path, *, who: str, at: datetime, wait: float) -> Iterator[datetime]:
    """Since when it is held, which is later than `at` by the time waited.

    Raises BusyError when somebody else holds it for longer than `wait` seconds.
    """
    began = time.monotonic()
    with _acquired(path, wait):
        since = at + timedelta(seconds=time.monotonic() - began)
        _sign(path, who, since)
        try:
            yield since
        finally:
            # Who comes next writes his own name anyway.
            with suppress(OSError):
                path.write_text("", encoding="utf-8")


def _acquired(path: Path, wait: float) -> AbstractContextManager[object]:
    from filelock import FileLock, Timeout  # not needed by those who only read

    make_folder(path.parent)
    try:
        return FileLock(path).acquire(timeout=max(wait, _LEAST_WAIT))
    except Timeout:
        raise BusyError(
            f"another ticketattr is at work: {holder(path)}", hint="Try again when it has ended, or use `--wait`."
        ) from None
    except OSError as error:
        raise write_error(path, error) from error


def _sign(path: Path, who: str, since: datetime) -> None:
    name = f"process {os.getpid()}{f' of {who}' if who else ''} since {since:%Y-%m-%d %H:%M:%S} UTC\n"
    try:
        path.write_text(name, encoding="utf-8")
    except OSError as error:
        raise write_error(path, error) from error


def is_held(path: Path) -> bool:
    """Whether somebody holds it, as far as we may know; makes no file."""
    from filelock import FileLock, Timeout

    if not path.exists():
        return False
    try:
        with FileLock(path).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        # It is not ours to try: then there may be somebody.
        return True


def holder(path: Path) -> str:
    """Who holds it, in his own words."""
    try:
        return path.read_text(encoding="utf-8").strip() or "unknown process"
    except (OSError, UnicodeDecodeError):
        return "unknown process"
