"""Rows of a report in its order, however many they are: sorted in parts on disk, which are then merged."""

from __future__ import annotations

import heapq
import pickle  # nosec B403  # only of rows that this process has written
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import IO

from ...domain.report import Row, row_position
from ..files import write_error

IN_MEMORY = 20_000
"""So many rows are sorted at a time: some 50 MB."""

MERGED = 100
"""So many files are open at a time."""


@dataclass(slots=True)
class _Part:
    """So many sorted rows in a file without a name."""

    file: IO[bytes]
    rows: int = 0


@contextmanager
def sorted_rows(rows: Iterable[Row]) -> Iterator[Iterator[Row]]:
    """The rows in the order of a report, until the block ends; equal ones keep their order. Raises ServiceError."""
    remaining = iter(rows)
    with ExitStack() as files:
        parts: list[_Part] = []
        while part := sorted(islice(remaining, IN_MEMORY), key=row_position):
            parts.append(_stored(part, files))
            if len(parts) == MERGED:
                parts = [_stored(_merged(parts), files)]
        yield _merged(parts)


def _stored(rows: Iterable[Row], files: ExitStack) -> _Part:
    try:
        part = _Part(files.enter_context(TemporaryFile(prefix="ticketattr-")))  # noqa: SIM115  # it is closed there
        for row in rows:
            pickle.dump(row, part.file, protocol=pickle.HIGHEST_PROTOCOL)
            part.rows += 1
        part.file.seek(0)
    except OSError as error:
        raise write_error(Path(gettempdir()), error) from error
    return part


def _merged(parts: Iterable[_Part]) -> Iterator[Row]:
    return heapq.merge(*map(_loaded, parts), key=row_position)


def _loaded(part: _Part) -> Iterator[Row]:
    with part.file as file:
        for _ in range(part.rows):
            yield pickle.load(file)  # noqa: S301  # nosec B301  # this process has written it
