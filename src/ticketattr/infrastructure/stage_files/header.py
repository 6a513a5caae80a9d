"""The header of stage files, which is checked before their data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from ... import __version__
from ...application.ports import Run
from ...domain.catalog import SLA
from ...domain.run_id import is_run_id
from ...errors import InputError, StageFileError
from ..files import open_input, output, read_bounded, shown_path
from ..json_text import MAX_DEPTH, dump_json, parse_json, without_half_pairs

SCHEMA_VERSION = 1
MAX_BYTES = 1024 * 1024 * 1024

Kind = Literal["catalog", "tickets", "attributions", "corrections", "applied"]
_MADE_BY: dict[Kind, str] = {
    "catalog": "fetch",
    "tickets": "fetch",
    "attributions": "classify",
    "corrections": "corrections import",
    "applied": "apply",
}
_HEAD = 4_096
_FIRST_FIELD = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"kind"\s*:\s*"([a-z]{1,40})"')
# What is nested in a ticket is nested some levels deeper in a stage file.
_DEPTH_ADDED = 10
_ITEM_START = b"\n    "
_CHUNK = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StageFile(Generic[T]):
    """A stage file that was read; `generated_at` is in UTC."""

    run_id: str
    generated_at: datetime
    data: T


def write_stage_file(path: Path, kind: Kind, run: Run, data: Any) -> None:
    """Write `data` with a header."""
    content = dump_json({**header_of(kind, run.id, time_of_file(run)), "data": data})
    with output(path) as file:
        file.write(content)


def write_items(path: Path, kind: Kind, run: Run, items: Iterable[Any], **more: Any) -> datetime:
    """Write a list of `items` with a header, to which `more` is added. Returns the time in the header, in UTC.

    The file is that of `write_stage_file`, without all items in memory at the same time.
    """
    generated_at = time_of_file(run)
    before, _, after = dump_json({**header_of(kind, run.id, generated_at), **more, "data": []}).rpartition(b"[]")
    with output(path) as file:
        separator = b"[" + _ITEM_START
        file.write(before)
        for item in items:
            # Line ends within texts are escaped.
            file.write(separator + dump_json(item).rstrip(b"\n").replace(b"\n", _ITEM_START))
            separator = b"," + _ITEM_START
        file.write(b"\n  ]" if separator.startswith(b",") else b"[]")
        file.write(after)
    return generated_at


def time_of_file(run: Run) -> datetime:
    """The time that a file of `run` states: now, in UTC, to the second."""
    return run.clock().replace(microsecond=0)


def header_of(kind: Kind, run_id: str, generated_at: datetime) -> dict[str, Any]:
    """The fields that a stage file begins with."""
    return {
        "kind": kind,
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id,
        "generated_at": f"{generated_at:%Y-%m-%dT%H:%M:%SZ}",
        "generator": f"ticketattr {__version__}",
    }


def stage_kind(path: Path) -> str:
    """The kind that a file gives as its first field; empty for a file that is not a stage file, or does not exist."""
    try:
        with open_input(path) as file:
            return kind_of_content(file.read(_HEAD))
    except InputError:
        return ""


def is_in_lines(path: Path) -> bool:
    """Whether the file at `path` is a stage file with one item a line: its header is the first line, without data."""
    try:
        with open_input(path) as file:
            first = file.readline(_HEAD)
        header = from_json(first)
    except (InputError, ValueError):
        return False
    return bool(kind_of_content(first)) and isinstance(header, dict) and "data" not in header


def kind_of_content(content: bytes) -> str:
    """The kind that the content of a stage file gives as its first field; empty for any other content."""
    found = _FIRST_FIELD.match(content[:_HEAD])
    return found[1].decode() if found else ""


def read_stage_file(path: Path, kind: Kind) -> StageFile[Any]:
    """The stage file at `path`; its data is not `checked` yet. Raises StageFileError."""
    return stage_file(read_header(path, kind), path, kind)


def read_header(path: Path, kind: Kind) -> dict[str, Any]:
    """The whole content of the file, by name. Raises StageFileError, also if kind or version are wrong."""
    try:
        return parse_header(read_bounded(path, MAX_BYTES), path, kind)
    except StageFileError:
        raise
    except InputError as error:
        raise StageFileError(str(error), hint=remedy(kind)) from error


def parse_header(content: bytes, path: Path, kind: Kind) -> dict[str, Any]:
    """The same for the `content` of the file at `path`."""
    what = shown_path(path)
    try:
        header = parse_value(content, what)
    except InputError as error:
        raise StageFileError(str(error), hint=remedy(kind)) from error
    return checked_header(header, what, kind)


def checked_header(header: Any, what: str, kind: Kind) -> dict[str, Any]:
    """`header`, if it is that of a file of this kind and version. Raises StageFileError."""
    if not isinstance(header, dict) or header.get("kind") != kind:
        raise StageFileError(f"{what} is not a stage file of kind '{kind}'", hint=remedy(kind))
    if (version := header.get("schema_version")) != SCHEMA_VERSION:
        raise StageFileError(
            f"{what} has schema version {version}, but this ticketattr reads version {SCHEMA_VERSION}",
            hint=remedy(kind),
        )
    return header


def parse_value(content: bytes, what: str) -> Any:
    """The value in `content`, which is made without a text of the whole file. Raises InputError."""
    depth = MAX_DEPTH + _DEPTH_ADDED
    try:
        return without_half_pairs(from_json(content, allow_inf_nan=False), depth)
    except (ValueError, RecursionError):
        # ticketattr wrote the file, so the number of its objects needs no other limit.
        return parse_json(content, what, depth, max_objects=len(content))


def stage_file(header: dict[str, Any], path: Path, kind: Kind) -> StageFile[Any]:
    """The stage file that `read_header` returned as `header`. Raises StageFileError."""
    what = shown_path(path)
    run_id = header.get("run_id")
    # The id becomes part of paths.
    if not isinstance(run_id, str) or not is_run_id(run_id) or "data" not in header:
        raise StageFileError(f"{what} does not have a valid header", hint=remedy(kind))
    return StageFile(run_id, _time(header.get("generated_at"), what, kind), header["data"])


def _time(text: Any, what: str, kind: Kind) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except (TypeError, ValueError):
        raise StageFileError(f"{what} does not say when it was written", hint=remedy(kind)) from None


def checked(adapter: TypeAdapter[T], data: Any, path: Path, *, at: int = 0) -> T:
    """`data` as values of the type of `adapter`. Raises StageFileError, which says where the data is wrong.

    `at` is the position of the first item, if `data` is a part of the list in the file.
    """
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        outer, inner = first["loc"][:1], first["loc"][1:]
        place = ".".join(map(str, ("data", *(key + at if isinstance(key, int) else key for key in outer), *inner)))
        raise StageFileError(
            f"{shown_path(path)}: {place}: {first['msg']}", hint="Run the command that writes this file again."
        ) from error


def checked_items(adapter: TypeAdapter[list[T]], items: Any, path: Path) -> Iterator[T]:
    """The `items` of a list, each checked as `checked` does. The list is emptied meanwhile, to free its memory."""
    if not isinstance(items, list):
        yield from checked(adapter, items, path)
        return
    for start in range(0, len(items), _CHUNK):
        chunk = items[start : start + _CHUNK]
        items[start : start + _CHUNK] = [None] * len(chunk)
        yield from checked(adapter, chunk, path, at=start)


def refuse_impossible_slas(slas: Iterable[SLA], path: Path, kind: Kind) -> None:
    """Raise StageFileError if one of `slas` is no duration that this program writes."""
    if not all(sla.is_possible for sla in slas):
        raise StageFileError(f"{shown_path(path)}: an SLA is not from 0 to 100 years", hint=remedy(kind))


def remedy(kind: Kind) -> str:
    """The hint that names the command which writes a file of this kind."""
    return f"Run `ticketattr {_MADE_BY[kind]}` first."
