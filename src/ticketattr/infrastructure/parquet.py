"""What all readers and writers of Parquet share: the package of the extra `parquet`, and its errors as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import InputError, SettingsError
from .extras import install_hint

MAGIC = b"PAR1"
"""The first bytes of each Parquet file."""

ROWS = 1_000
"""How many rows are in memory at a time."""


def load_pyarrow() -> tuple[Any, Any]:
    """The modules `pyarrow` and `pyarrow.parquet`. Raises SettingsError if the extra is not installed."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        raise SettingsError(
            "Parquet cannot be read or written, because pyarrow is not installed",
            hint=install_hint("parquet"),
        ) from error
    return pa, parquet


@contextmanager
def reading_parquet(what: str) -> Iterator[None]:
    """Turns errors of pyarrow in the block into InputError, which calls the file `what`.

    Of names that are not UTF-8 and of times beyond the calendar, pyarrow raises what Python does.
    """
    arrow, _ = load_pyarrow()
    try:
        yield
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise InputError(
            f"{what} is not a whole Parquet file: {reason}", hint="It may be cut: copy or export it again."
        ) from error
