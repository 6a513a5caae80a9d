"""Makes stdin, stdout and stderr usable, however the program was started."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..infrastructure.files import write_error

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def prepare_standard_streams() -> None:
    """Open the standard streams that are closed, and make stdout raise `TicketAttrError` when it cannot be written.

    What cannot be written to stderr is lost: there is nowhere to say so, and the exit code stays.

    Call it once, before any file is opened.
    """
    _open_closed_streams()
    inherited = sys.stdout
    if isinstance(inherited, io.TextIOWrapper):
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(_Stdout(inherited.fileno(), "w", closefd=False)),
            encoding=inherited.encoding,
            errors=inherited.errors,
            line_buffering=inherited.line_buffering,
        )

    errors = sys.stderr
    if isinstance(errors, io.TextIOWrapper):
        sys.stderr = io.TextIOWrapper(
            io.BufferedWriter(_Stderr(errors.fileno(), "w", closefd=False)),
            encoding=errors.encoding,
            errors=errors.errors,
            line_buffering=True,
        )


def _open_closed_streams() -> None:
    # Otherwise the next file that is opened gets the number of the stream, and the messages for stderr go into it.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < len(_STREAMS):
        name, mode = _STREAMS[descriptor]
        setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - the streams stay open
    os.close(descriptor)


class _Stderr(io.FileIO):
    """stderr. Its output is dropped after the first failure, or the interpreter would end with another exit code."""

    _is_lost = False

    def write(self, data: ReadableBuffer) -> int:
        if not self._is_lost:
            try:
                return super().write(data)
            except OSError:
                self._is_lost = True
        return memoryview(data).nbytes


class _Stdout(io.FileIO):
    """stdout. After the first failure it drops all output, or the interpreter would write it again at its end."""

    _is_lost = False

    def write(self, data: ReadableBuffer) -> int:
        if not self._is_lost:
            try:
                return super().write(data)
            except OSError as error:
                self._is_lost = True
                # A reader that has gone needs no more output.
                if not isinstance(error, BrokenPipeError):
                    raise write_error(Path("stdout"), error) from error
        return memoryview(data).nbytes
