"""Files, written whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from ..errors import InputError, ServiceError, SettingsError, TicketAttrError

STREAM = Path("-")
"""As a path: stdin or stdout."""

_PRIVATE = 0o600
_MAY_PASS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE}


@contextmanager
def replacing(path: Path, *, mode: int = _PRIVATE) -> Iterator[IO[bytes]]:
    """A file that takes the place of `path` when the block ends well, and is gone when it does not.

    The folder is made if need be; the file is for its owner alone, unless `mode` says otherwise, and on disk before
    it has its name. Until then it is called `file.name`. Raises SettingsError or ServiceError.
    """
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp", delete=False) as file:
            try:
                yield file
                if mode != _PRIVATE:
                    Path(file.name).chmod(mode)
                file.flush()
                os.fsync(file.fileno())
                file.close()  # Windows renames no file that is open.
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        _sync_folder(path.parent)


@contextmanager
def output(path: Path) -> Iterator[IO[bytes]]:
    """Like `replacing`, and stdout for `STREAM`: that too gets the whole or nothing."""
    if path != STREAM:
        with replacing(path) as file:
            yield file
        return
    buffer = io.BytesIO()
    yield buffer
    sys.stdout.buffer.write(buffer.getbuffer())
    sys.stdout.buffer.flush()


def shown_path(path: Path, stream: str = "stdin") -> str:
    return stream if path == STREAM else str(path)


def make_folder(path: Path) -> None:
    """A folder in which files can be made. Raises SettingsError or ServiceError."""
    with _writing(path):
        _make_folder(path)


def make_private(path: Path) -> None:
    """An empty file for its owner alone, where there is none: SQLite would make one that everybody can read, and gives
    the files beside it the same mode. Raises SettingsError or ServiceError.
    """
    with _writing(path):
        _make_folder(path.parent)
        path.touch(mode=_PRIVATE)


def make_room_for(path: Path) -> None:
    """The folder in which the file `path` can be made; nothing for `STREAM`. Raises what writing it would."""
    if path != STREAM:
        with _writing(path):
            _make_folder(path.parent)


def remove_file(path: Path) -> None:
    """Raises SettingsError or ServiceError; that it is gone already is no error."""
    with _writing(path):
        path.unlink(missing_ok=True)


def remove_folder(path: Path) -> None:
    """With all that is in it; a link to a folder is refused. Raises SettingsError or ServiceError."""
    with _writing(path):
        shutil.rmtree(path)


def try_folder(path: Path) -> bool:
    """Make a file in a folder, or where that would be made, and take it away. Whether the folder is there.

    Raises SettingsError or ServiceError.
    """
    with _writing(path):
        there = nearest_folder(path)
        with NamedTemporaryFile(dir=there, prefix=".ticketattr-check-") as file:
            file.write(b"ticketattr")
            file.flush()
    return there == path


def try_file(path: Path) -> None:
    """Open a file to write at its end, if it is there, and write nothing. Raises SettingsError or ServiceError."""
    with _writing(path), suppress(FileNotFoundError):
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND))


def nearest_folder(path: Path) -> Path:
    """`path`, or of the folders above it the first that there is. Raises OSError when a file is in the way."""
    there = next(above for above in (path, *path.absolute().parents) if above.exists() or above.is_symlink())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    return there


def read_bounded(path: Path, limit: int) -> bytes:
    """The content of a file, or of stdin for `STREAM`, of at most `limit` bytes. Raises InputError."""
    try:
        with sys.stdin.buffer if path == STREAM else path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(content) > limit:
        raise InputError(
            f"{shown_path(path)} is larger than {limit:,} bytes", hint="Check that it is the file that you mean."
        )
    return content


def unreadable(path: Path, error: OSError) -> InputError:
    """What to tell somebody whose file cannot be read."""
    return InputError(
        f"{shown_path(path)} cannot be read: {error.strerror or error}", hint="Check the path and who may read there."
    )


def open_regular(path: Path, *, follow: bool = True) -> IO[bytes]:
    """A file that lies on a disk, to be read. Raises OSError, also for a pipe or a device: those may have no end.

    Without `follow`, also for a link.
    """
    # A pipe that nobody writes to would hold up whoever opens it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is no file but a pipe or a device")
        return os.fdopen(descriptor, "rb")
    except OSError:
        os.close(descriptor)
        raise


def write_error(path: Path, error: OSError) -> TicketAttrError:
    """What to tell somebody whose file cannot be written."""
    message = f"{path} cannot be written: {error.strerror or error}"
    if error.errno in _MAY_PASS:
        return ServiceError(message, hint="Make room on the disk, then run the same command again.")
    return SettingsError(message, hint="Check the path and who may write there.")


def _make_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_error(path, error) from error


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open folders.
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
