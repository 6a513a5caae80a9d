"""Stage files of any size, as JSON Lines: the header, one item a line, and a last line that says that this is all.

    {"kind": "attributions", "schema_version": 1, "run_id": "…", "generated_at": "…Z", "generator": "…"}
    {"ticket": …, "attribution": …}
    {"end": {"items": 1, "bill": …}}

Without its last line, a file is cut. Only one item is in memory at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from ...application.ports import Run
from ...errors import InputError, StageFileError
from ..files import open_input, output, shown_path
from .header import Kind, checked_header, header_of, parse_value, remedy, stage_file, time_of_file

SUFFIXES = (".jsonl", ".ndjson")
LONGEST_LINE = 32 * 1024 * 1024

T = TypeVar("T")


@dataclass(slots=True)
class LineFile(Generic[T]):
    """A stage file in lines; `end` is what its last line says besides the number of items, once `items` are read."""

    run_id: str
    generated_at: datetime
    items: Iterator[T]
    end: Mapping[str, Any] = field(default_factory=dict)


def line_of(value: Any) -> bytes:
    """`value` as one line of JSON."""
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n").encode()


def write_lines(
    path: Path, kind: Kind, run: Run, lines: Iterable[bytes], end: Callable[[], Mapping[str, Any]]
) -> datetime:
    """Write a stage file of `lines`, each of them an item, and what `end` returns after the last one.

    Returns the time in the header, in UTC.
    """
    generated_at, items = time_of_file(run), 0
    with output(path) as file:
        file.write(line_of(header_of(kind, run.id, generated_at)))
        for line in lines:
            file.write(line)
            items += 1
        file.write(line_of({"end": {"items": items, **end()}}))
    return generated_at


@contextmanager
def open_lines(path: Path, kind: Kind, adapter: TypeAdapter[T]) -> Iterator[LineFile[T]]:
    """The stage file in lines at `path`. Raises StageFileError, also while items are read: it names the line."""
    what = shown_path(path)
    with open_input(path) as file:
        header = checked_header(_value(file.readline(LONGEST_LINE + 1), f"{what}, line 1,", kind), what, kind)
        found = stage_file({**header, "data": None}, path, kind)
        opened: LineFile[T] = LineFile(found.run_id, found.generated_at, iter(()))
        opened.items = _items(file, what, kind, adapter, opened)
        yield opened


def items_in(lines: Iterable[bytes], what: str, kind: Kind, adapter: TypeAdapter[T]) -> Iterator[T]:
    """The item on each of `lines`. Raises StageFileError."""
    for number, line in enumerate(lines, 1):
        place = f"{what}, line {number:,},"
        yield checked_item(_value(line, place, kind), place, kind, adapter)


def _items(file: IO[bytes], what: str, kind: Kind, adapter: TypeAdapter[T], opened: LineFile[T]) -> Iterator[T]:
    items = 0
    while line := file.readline(LONGEST_LINE + 1):
        place = f"{what}, line {items + 2:,},"
        value = _value(line, place, kind)
        if isinstance(value, dict) and value.keys() == {"end"}:
            opened.end = _checked_end(value["end"], items, place, kind)
            if file.read(1):
                raise StageFileError(f"{place} says that the file ends, but more follows", hint=remedy(kind))
            return
        yield checked_item(value, place, kind, adapter)
        items += 1
    raise StageFileError(f"{what} is cut: it has no last line after {items:,} items", hint=remedy(kind))


def _value(line: bytes, place: str, kind: Kind) -> Any:
    if len(line) > LONGEST_LINE:
        raise StageFileError(f"{place} is longer than {LONGEST_LINE:,} bytes", hint=remedy(kind))
    try:
        return parse_value(line, place)
    except InputError as error:
        raise StageFileError(str(error), hint=remedy(kind)) from error


def checked_item(value: Any, place: str, kind: Kind, adapter: TypeAdapter[T]) -> T:
    """`value` as an item. Raises StageFileError, which names its `place` in the file."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise StageFileError(f"{place} {where}: {first['msg']}", hint=remedy(kind)) from error


def _checked_end(end: Any, items: int, place: str, kind: Kind) -> Mapping[str, Any]:
    if not isinstance(end, dict) or end.get("items") != items:
        said = end.get("items") if isinstance(end, dict) else end
        raise StageFileError(f"{place} says that there are {said} items, but there are {items:,}", hint=remedy(kind))
    return end
