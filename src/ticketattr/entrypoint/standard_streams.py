"""Makes stdin, stdout and stderr usable, however the program was started."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

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
    sys.stdout = _reopened(sys.stdout, _Stdout)
    sys.stderr = _reopened(sys.stderr, _Stderr)


def _reopened(stream: TextIO, kind: type[io.FileIO]) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(kind(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering or kind is _Stderr,
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
            except OSError as error:
                self._is_lost = True
                self._tell(error)
        return memoryview(data).nbytes

    def _tell(self, error: OSError) -> None:
        """Nobody: there is nowhere to say it."""


class _Stdout(_Stderr):
    """stdout. Without the dropping, the interpreter would write its output again at its end."""

    def _tell(self, error: OSError) -> None:
        # A reader that has gone needs no more output.
        if not isinstance(error, BrokenPipeError):
            raise write_error(Path("stdout"), error) from error
