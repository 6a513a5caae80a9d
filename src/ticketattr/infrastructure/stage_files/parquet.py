"""Stage files of attributions as Parquet: the columns are the fields of an item, and the metadata is the header.

`ticket.extra` holds what no column is for, as a text of JSON. Only some rows are in memory at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import from_json

from ...application.ports import Run
from ...errors import InputError, StageFileError
from ..files import open_input, output, shown_path
from ..parquet import MAGIC, ROWS, load_pyarrow, reading_parquet
from .header import Kind, checked_header, header_of, remedy, stage_file, time_of_file
from .lines import LineFile, checked_item

SUFFIX = ".parquet"
_METADATA = b"ticketattr"
_TICKET_TEXTS = (
    "id short_description long_description requester_email created_at request_category request_type status priority "
    "assignee group url updated_at version extra"
).split()

T = TypeVar("T")


def is_parquet(path: Path) -> bool:
    """Whether the file at `path` is a Parquet file."""
    try:
        with open_input(path) as file:
            return file.read(len(MAGIC)) == MAGIC
    except InputError:
        return False


def write_parquet(path: Path, items: Iterable[Any], run: Run, end: Callable[[], Mapping[str, Any]]) -> datetime:
    """Write the attributions `items`, as JSON holds them, and what `end` returns after the last one.

    Returns the time in the file, in UTC. Raises SettingsError or ServiceError.
    """
    arrow, parquet = load_pyarrow()
    generated_at, count, remaining = time_of_file(run), 0, iter(items)
    schema = _schema(arrow)
    # A writer that is left is closed, also after an error: later, its file would be gone.
    with output(path) as file, parquet.ParquetWriter(file, schema) as writer:
        while rows := [_row(item) for item in islice(remaining, ROWS)]:
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))
            count += len(rows)
        header = {**header_of("attributions", run.id, generated_at), "end": {"items": count, **end()}}
        writer.add_key_value_metadata({_METADATA: json.dumps(header)})
    return generated_at


@contextmanager
def open_parquet(path: Path, kind: Kind, adapter: TypeAdapter[T]) -> Iterator[LineFile[T]]:
    """The stage file at `path`. Raises StageFileError, also while items are read."""
    what = shown_path(path)
    _, parquet = load_pyarrow()
    with open_input(path) as file:
        try:
            with reading_parquet(what):
                source = parquet.ParquetFile(file)
        except InputError as error:
            raise StageFileError(str(error), hint=error.hint) from error
        header = checked_header(_header(source.metadata.metadata or {}), what, kind)
        found = stage_file({**header, "data": None}, path, kind)
        yield LineFile(found.run_id, found.generated_at, _items(source, what, kind, adapter), header.get("end") or {})


def _header(metadata: Mapping[bytes, bytes]) -> Any:
    try:
        return from_json(metadata.get(_METADATA, b"null"))
    except ValueError:
        return None


def _items(source: Any, what: str, kind: Kind, adapter: TypeAdapter[T]) -> Iterator[T]:
    batches, place = source.iter_batches(batch_size=ROWS), 0
    while True:
        try:
            with reading_parquet(what):
                batch = next(batches, None)
                rows = batch.to_pylist() if batch is not None else None
        except InputError as error:
            raise StageFileError(str(error), hint=remedy(kind)) from error
        if rows is None:
            return
        for row in rows:
            place += 1
            yield checked_item(_item(row), f"{what}, row {place:,},", kind, adapter)


def _row(item: Mapping[str, Any]) -> dict[str, Any]:
    ticket = item["ticket"]
    return {**item, "ticket": {**ticket, "extra": json.dumps(ticket.get("extra") or {}, ensure_ascii=False)}}


def _item(row: Mapping[str, Any]) -> Any:
    """What `_row` was made of. A None is a field that an item does not have."""
    item = _as_written(row)
    with suppress(KeyError, TypeError, ValueError):
        item["ticket"]["extra"] = from_json(item["ticket"]["extra"])
    return item


def _as_written(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_written(item) for key, item in value.items() if item is not None}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return list(map(_as_written, value)) if isinstance(value, list) else value


def _schema(arrow: Any) -> Any:
    text, struct = arrow.string(), arrow.struct
    sla = struct([("value", arrow.float64()), ("unit", text)])
    pair = [("request_category", text), ("request_type", text), ("sla", sla)]
    attribution = [
        *pair,
        ("source", text),
        ("confidence", arrow.float64()),
        ("evidence", text),
        ("alternatives", arrow.list_(struct(pair))),
        ("response", sla),
        ("model", text),
    ]
    decision = [("request_category", text), ("request_type", text), ("is_confirmation", arrow.bool_())]
    return arrow.schema(
        [
            ("ticket", struct([*((name, text) for name in _TICKET_TEXTS), ("sla", sla)])),
            ("attribution", struct(attribution)),
            ("unattributed", struct([("reason", text), ("detail", text), ("model", text)])),
            ("decision", struct([*decision, ("at", text), ("effect", text)])),
        ]
    )
