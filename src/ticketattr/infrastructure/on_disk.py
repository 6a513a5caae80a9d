"""Values in a temporary file, for more of them than memory has room for."""

from __future__ import annotations

import pickle  # nosec B403  # only of values that this process has written
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile, gettempdir
from typing import Generic, TypeVar

from .files import write_error

T = TypeVar("T")

_IN_MEMORY = 16 * 1024 * 1024
"""The bytes from which on there is a file. It has no name, so it is gone when the process ends."""


class OnDisk(Generic[T]):
    """`values` in their order, as often as they are asked for. Raises ServiceError where the disk is full."""

    def __init__(self, values: Iterable[T]) -> None:
        self._file = SpooledTemporaryFile[bytes](_IN_MEMORY, prefix="ticketattr-")
        self._count = 0
        for value in values:
            try:
                pickle.dump(value, self._file, protocol=pickle.HIGHEST_PROTOCOL)
            except OSError as error:
                raise write_error(Path(gettempdir()), error) from error
            self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        # Each iterator has its own place: there may be several.
        place = 0
        for _ in range(self._count):
            self._file.seek(place)
            value: T = pickle.load(self._file)  # noqa: S301  # nosec B301  # this process has written it
            place = self._file.tell()
            yield value

    def __del__(self) -> None:
        self._file.close()
