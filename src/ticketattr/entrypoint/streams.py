"""stdin, stdout and stderr as the commands may rely on them, whatever the program was started with."""

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


def prepare_streams() -> None:
    """Once, before anything is opened. From then on what cannot be written to stdout is a `TicketAttrError`."""
    _open_what_is_closed()
    theirs = sys.stdout
    if isinstance(theirs, io.TextIOWrapper):
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(_Stdout(theirs.fileno(), "w", closefd=False)),
            encoding=theirs.encoding,
            errors=theirs.errors,
            line_buffering=theirs.line_buffering,
        )


def _open_what_is_closed() -> None:
    # The next file to be opened would get its number, and a database the words that are meant for stderr.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < len(_STREAMS):
        name, mode = _STREAMS[descriptor]
        setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - they stay open
    os.close(descriptor)


class _Stdout(io.FileIO):
    """After a first failure the rest is dropped, or the interpreter would try it again at its end."""

    _is_lost = False

    def write(self, data: ReadableBuffer) -> int:
        if not self._is_lost:
            try:
                return super().write(data)
            except OSError as error:
                self._is_lost = True
                # A reader who is gone had enough.
                if not isinstance(error, BrokenPipeError):
                    raise write_error(Path("stdout"), error) from error
        return memoryview(data).nbytes
