"""The rows of a Parquet file as records, some at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from ..parquet import MAGIC as PARQUET
from ..parquet import ROWS, load_pyarrow, reading_parquet

__all__ = ["PARQUET", "rows_of"]


def rows_of(file: IO[bytes], what: str) -> tuple[Sequence[str], Iterator[Mapping[str, Any]]]:
    """The names of the columns, and the rows. Raises SettingsError or InputError, also while rows are read."""
    _, parquet = load_pyarrow()
    with reading_parquet(what):
        file.seek(0)
        source = parquet.ParquetFile(file)
        names = [str(name) for name in source.schema_arrow.names]
    return names, _rows(source, what)


def _rows(source: Any, what: str) -> Iterator[Mapping[str, Any]]:
    batches = source.iter_batches(batch_size=ROWS)
    while True:
        with reading_parquet(what):
            batch = next(batches, None)
            rows = batch.to_pylist() if batch is not None else None
        if rows is None:
            return
        yield from map(_plain, rows)


def _plain(value: Any) -> Any:
    """`value` as JSON would hold it: times in ISO 8601, decimals and bytes as text, None for what is no number."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return list(map(_plain, value))
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, Decimal) else value
