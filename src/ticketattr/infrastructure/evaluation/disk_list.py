"""A list on disk, for what may be too much for the memory."""

from __future__ import annotations

import pickle  # nosec B403  # only of what this process has written
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from types import TracebackType
from typing import Generic, TypeVar

from ..files import write_error

T = TypeVar("T")


class DiskList(Generic[T]):
    """Items by their positions from 0, in the folder for temporary files; in memory, each takes eight bytes.

    They are gone after the `with` block, with the list, or when the process ends: the file has no name. Every method
    raises ServiceError or SettingsError if it cannot be written.
    """

    def __init__(self, items: Iterable[T] = ()) -> None:
        with _in_temporary_folder():
            self._file = TemporaryFile(prefix="ticketattr-")  # noqa: SIM115  # `_close` closes it
        self._begins = array("q")
        self._end = 0
        for item in items:
            self.append(item)

    def __enter__(self) -> DiskList[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def __del__(self) -> None:
        with suppress(AttributeError):  # it could not be created
            self._close()

    def __len__(self) -> int:
        return len(self._begins)

    def __getitem__(self, place: int) -> T:
        with _in_temporary_folder():
            self._file.seek(self._begins[place])
            item: T = pickle.load(self._file)  # noqa: S301  # nosec B301  # this process has written it
        return item

    def __iter__(self) -> Iterator[T]:
        return (self[place] for place in range(len(self)))

    def append(self, item: T) -> None:
        """Keep one more item, at the end."""
        content = pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL)
        with _in_temporary_folder():
            self._file.seek(self._end)
            self._file.write(content)
        self._begins.append(self._end)
        self._end += len(content)

    def _close(self) -> None:
        # What it could not write does not matter any more.
        with suppress(OSError):
            self._file.close()


@contextmanager
def _in_temporary_folder() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        failure = write_error(Path(gettempdir()), error)
        failure.hint = f"{failure.hint} TMPDIR names another folder for temporary files."
        raise failure from error
