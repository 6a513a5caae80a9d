"""Reading files within bounds, and writing them whole or not at all."""

from __future__ import annotations

import errno
import io
import logging
import os
import select
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from ..errors import InputError, ServiceError, SettingsError, TicketAttrError
from .leftovers import temporary_file
from .picture_cutter import MAX_FED, PictureCutter

STREAM = Path("-")
"""The path that stands for stdin or stdout."""

log = logging.getLogger(__name__)

_PRIVATE = 0o600
_CHUNK = 1024 * 1024
NO_FILE = "it is not a file but a pipe or a device"
# The names of the pipes that a shell opens for `<(command)`.
_INHERITED = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")
_LONGEST_PIPE_WAIT = 30.0
_TRANSIENT = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE}


@contextmanager
def replacing(path: Path, *, mode: int = _PRIVATE) -> Iterator[IO[bytes]]:
    """A new file that replaces `path` if the block succeeds, and is deleted if the block fails.

    The folder is created if it is missing. Only the owner can read the file, unless `mode` says otherwise. It is on
    disk before it gets its name; until then its name is `file.name`. Raises SettingsError or ServiceError.
    """
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(path.parent) as file:
            try:
                yield file
                if mode != _PRIVATE:
                    Path(file.name).chmod(mode)
                file.flush()
                os.fsync(file.fileno())
                file.close()  # Windows cannot rename an open file.
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        _sync_folder(path.parent)


@contextmanager
def creating(path: Path) -> Iterator[IO[bytes]]:
    """As `replacing`, except that a file that is there already stays, also if another process has just written it."""
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(path.parent) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                with suppress(FileExistsError):
                    _link(Path(file.name), path)
            finally:
                Path(file.name).unlink(missing_ok=True)
        _sync_folder(path.parent)


def _link(file: Path, path: Path) -> None:
    """Give `file` the name `path`. Raises FileExistsError if there is a file of that name."""
    try:
        os.link(file, path)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links. Two processes that come here at the same moment write the same, but for the time.
        if path.exists():
            raise FileExistsError from None
        file.replace(path)


@contextmanager
def output(path: Path) -> Iterator[IO[bytes]]:
    """As `replacing`; if `path` is `STREAM`, stdout gets the content when the block succeeds."""
    if path != STREAM:
        with replacing(path) as file:
            yield file
        return
    buffer = io.BytesIO()
    yield buffer
    sys.stdout.buffer.write(buffer.getbuffer())
    sys.stdout.buffer.flush()


def shown_path(path: Path, stream: str = "stdin") -> str:
    """`path` for messages; `STREAM` is called `stream`."""
    return stream if path == STREAM else str(path)


def make_folder(path: Path) -> None:
    """Create the folder `path` if it is missing. Raises SettingsError or ServiceError, also if it is not writable."""
    with _writing(path):
        _make_folder(path)


def make_private(path: Path) -> None:
    """Create an empty file that only its owner can read, if there is no file; keep others out of one that exists.

    SQLite would create one that everybody can read, and gives its other files the same mode. Raises SettingsError or
    ServiceError.
    """
    with _writing(path):
        _make_folder(path.parent)
        path.touch(mode=_PRIVATE)
    for suffix in ("", "-wal", "-shm"):
        keep_others_out(path.with_name(f"{path.name}{suffix}"))


def make_private_folder(path: Path) -> None:
    """Create a folder that only its owner can enter, if there is none. Raises SettingsError or ServiceError."""
    with _writing(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_folder(path)


def keep_others_out(path: Path, *, says_so: bool = True) -> None:
    """Let only the owner use the file or folder, if that is this user; earlier versions let others read it.

    Whoever can read a lock file can hold the lock.
    """
    if os.name == "nt":
        return
    with suppress(OSError):
        found = path.stat()
        if found.st_uid == os.geteuid() and found.st_mode & 0o077:
            path.chmod(found.st_mode & 0o700)
            if says_so:
                log.info("%s was open to other users, and is not any more", path)


def make_room_for(path: Path) -> None:
    """Create the folder of the file `path` if it is missing. Raises what writing the file would raise."""
    if path != STREAM:
        with _writing(path):
            _make_folder(path.parent)


def remove_file(path: Path) -> None:
    """Delete the file `path`, if it exists. Raises SettingsError or ServiceError."""
    with _writing(path):
        path.unlink(missing_ok=True)


def remove_folder(path: Path) -> None:
    """Delete a folder and its content; a link to a folder is refused. Raises SettingsError or ServiceError."""
    with _writing(path):
        shutil.rmtree(path)


def try_folder(path: Path) -> bool:
    """Whether the folder exists, after writing a file to it, or to the nearest existing folder, and deleting it.

    Raises SettingsError or ServiceError.
    """
    with _writing(path):
        there = nearest_folder(path)
        with temporary_file(there) as file:
            try:
                file.write(b"ticketattr")
                file.flush()
            finally:
                file.close()
                Path(file.name).unlink()
    return there == path


def try_file(path: Path) -> None:
    """Open the file `path` for writing, if it exists, and write nothing. Raises SettingsError or ServiceError."""
    with _writing(path), suppress(FileNotFoundError):
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND))


def nearest_folder(path: Path) -> Path:
    """`path` or its nearest parent that exists. Raises OSError if that is a file."""
    there = next(above for above in (path, *path.absolute().parents) if above.exists() or above.is_symlink())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    return there


def open_input(path: Path) -> IO[bytes]:
    """The file at `path`, or what came from stdin if `path` is `STREAM`, at its begin. Raises InputError.

    Stdin is copied into a temporary file once, so that it can be looked at before it is read.
    """
    try:
        if path == STREAM:
            return _copy_of_stdin()
        return open_readable(path)
    except OSError as error:
        raise unreadable(path, error) from error


def open_readable(path: Path) -> IO[bytes]:
    """A file, open for reading, or a copy of what came from a pipe that the shell opened for this process.

    Raises OSError, also for a pipe with a name and for a device: who waits for them may wait for ever.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        status = os.fstat(descriptor)
        if stat.S_ISFIFO(status.st_mode) and str(path).startswith(_INHERITED):
            return _copy_of_pipe(descriptor)
        _refuse_endless(status)
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def refuse_pipe(path: Path) -> None:
    """Raise OSError if `path` is a pipe or a device, which a library would wait for. Anything else is not looked at."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return
    if not stat.S_ISDIR(status.st_mode):
        _refuse_endless(status)


def _refuse_endless(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    is_nothing = stat.S_ISCHR(status.st_mode) and Path(os.devnull).stat().st_rdev == status.st_rdev
    if not (stat.S_ISREG(status.st_mode) or is_nothing):
        raise OSError(errno.EINVAL, NO_FILE)


def _copy_of_pipe(descriptor: int) -> IO[bytes]:
    copy: IO[bytes] = TemporaryFile(prefix="ticketattr-")  # noqa: SIM115  # the caller closes it
    while True:
        if not select.select([descriptor], [], [], _LONGEST_PIPE_WAIT)[0]:
            copy.close()
            raise OSError(errno.ETIMEDOUT, f"nothing came from this pipe for {_LONGEST_PIPE_WAIT:g} s")
        if not (chunk := os.read(descriptor, _CHUNK)):
            break
        copy.write(chunk)
    os.close(descriptor)
    copy.seek(0)
    return copy


def _copy_of_stdin() -> IO[bytes]:
    kept = next((descriptor for stream, descriptor in _stdin if stream is sys.stdin), None)
    if kept is None:
        with TemporaryFile(prefix="ticketattr-") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy, _CHUNK)
            copy.flush()
            kept = os.dup(copy.fileno())
        for _, descriptor in _stdin:
            os.close(descriptor)
        _stdin[:] = [(sys.stdin, kept)]
    file = os.fdopen(os.dup(kept), "rb")
    file.seek(0)
    return file


_stdin: list[tuple[object, int]] = []
"""Stdin, and the descriptor of the copy of what came from it."""


def read_bounded(path: Path, limit: int, *, pictures: PictureCutter | None = None) -> bytes:
    """The content of a file, or of stdin if `path` is `STREAM`. Raises InputError if it has more than `limit` bytes.

    With `pictures`, the data of pictures in it is cut out and does not count.
    """
    try:
        with open_input(path) as file:
            content = _without_pictures(file, limit, pictures) if pictures else file.read(limit + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(content) > limit:
        raise InputError(
            f"{shown_path(path)} is larger than {limit:,} bytes", hint="Check that this is the file that you mean."
        )
    return content


def _without_pictures(file: IO[bytes], limit: int, pictures: PictureCutter) -> bytes:
    content = bytearray()
    while len(content) <= limit and pictures.fed <= MAX_FED and (chunk := file.read(_CHUNK)):
        content += pictures.feed(chunk)
    return bytes(content) + pictures.finish() if pictures.fed <= MAX_FED else bytes(limit + 1)


def unreadable(path: Path, error: OSError) -> InputError:
    """The error that says why the file `path` cannot be read."""
    return InputError(
        f"{shown_path(path)} cannot be read: {error.strerror or error}",
        hint="Check the path and the permission to read it.",
    )


def open_regular(path: Path, *, follow: bool = True) -> IO[bytes]:
    """A regular file, open for reading. Raises OSError, also for a pipe or a device, which may have no end.

    Unless `follow` is set, a link is refused, too.
    """
    # Without this flag, opening a pipe waits until somebody writes to it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, NO_FILE)
        return os.fdopen(descriptor, "rb")
    except OSError:
        os.close(descriptor)
        raise


def write_error(path: Path, error: OSError) -> TicketAttrError:
    """The error that says why the file `path` cannot be written."""
    message = f"{path} cannot be written: {error.strerror or error}"
    if error.errno in _TRANSIENT:
        return ServiceError(message, hint="Free some space on the disk (or raise `ulimit -f`), then try again.")
    return SettingsError(message, hint="Check the path and the permission to write it.")


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


def database_version(path: Path) -> object:
    """Something that changes when the SQLite database at `path` is written, and not when it is read."""
    return _changed(path), _changed(path.with_name(f"{path.name}-wal"))


def _changed(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    # Reading leaves an empty log of changes for a while.
    return (found.st_mtime_ns, found.st_size) if found.st_size else None
