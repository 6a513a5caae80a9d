"""What every parser of untrusted input promises, and a folder for the files that they read.

The promise: for any input, the result is a value of the right type, which can be written and read again, or a
ticketattr error with a short message. It takes a few seconds at most.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ticketattr.application.ports import BatchFailed
from ticketattr.errors import TicketAttrError

SECONDS = 20.0
"""Much more time than any input needs that is not a bomb, even on a busy machine."""
LONGEST_REASON = 2_000


@dataclass(frozen=True)
class Parser:
    """`seeds` are valid inputs, or nearly valid ones. `words` are parts of the grammar."""

    check: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...]


@contextmanager
def keeps_promise() -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    except (TicketAttrError, BatchFailed) as error:
        assert len(str(error)) <= LONGEST_REASON  # noqa: PT017  # this is not a test
    assert time.monotonic() - began < SECONDS


@cache
def folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="ticketattr-fuzz-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def words(text: str) -> tuple[bytes, ...]:
    """The parts between the strokes."""
    return tuple(word.encode() for word in text.split("|"))
