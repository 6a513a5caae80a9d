"""A file of tickets as records, whatever its form: its content tells that, and its name only where it must.

At most one row of CSV, one line of JSON Lines or some rows of Parquet are in memory at a time. A JSON document and a
workbook are read whole, within bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, TypeAlias

from ...errors import InputError
from ..decoding import decode_json
from ..files import open_input, shown_path
from ..json_text import parse_foreign_json
from ..network.http import MAX_BYTES as MAX_JSON
from ..picture_cutter import MAX_FED, PictureCutter
from ..reports.workbook_archive import MAX_BYTES as MAX_WORKBOOK
from .columns import canonical, no_columns, recognized
from .delimited import Delimited, as_records
from .json_records import lines_of, looks_like_lines, names_of, tickets_in
from .parquet_rows import PARQUET, rows_of

MAX_BYTES = MAX_FED
"""The largest file that is read."""
LINES = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv", ".tab")
_CHUNK = 1024 * 1024
_LOOKED_AT = 200
_SIGNATURES = {
    b"\xd0\xcf\x11\xe0": ("an Excel file of the old form (.xls)", "Save it as .xlsx or CSV."),
    b"\x1f\x8b": ("compressed", "Unpack it first."),
    b"%PDF": ("a PDF", "Export the tickets as CSV, .xlsx or JSON."),
}

Record: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Records:
    """The tickets of the file `what`, as they came.

    `form` says how the file is written, `names` are its columns or the fields of its first objects. `read` gives the
    records with at least the columns that it is asked for. `document` is the whole of a JSON document.
    """

    what: str
    form: str
    names: Sequence[str]
    read: Callable[[frozenset[str]], Iterator[Record]]
    is_table: bool
    document: Any = None


@contextmanager
def open_records(
    path: Path,
    *,
    sheet: str = "",
    own: frozenset[str] = frozenset(),
    tickets_of: Callable[[Any, str], list[Record]] = tickets_in,
    is_bounded: bool = True,
) -> Iterator[Records]:
    """The records of the file at `path` (or stdin). Raises InputError, also within the block.

    `own` are names of columns that a profile knows, `sheet` is the sheet of a workbook to read, and `tickets_of` finds
    the list of tickets in a JSON document. Unless it `is_bounded`, a file that is read in parts may have any size.
    """
    what = shown_path(path)
    with open_input(path) as file:
        head = file.read(64)
        _refuse_size(file, what, is_bounded=is_bounded)
        file.seek(0)
        if head.startswith(PARQUET):
            names, rows = rows_of(file, what)
            yield Records(what, "Parquet", names, lambda _: rows, is_table=False)
        elif head.startswith(b"PK\x03\x04"):
            with _workbook(file, what, sheet, own) as records:
                yield records
        elif _is_json(path, head):
            yield _lines(file, what) if _is_lines(path, file) else _document(file, what, tickets_of)
        else:
            _refuse_other_forms(head, what)
            yield _table(file, what, own)


def _is_json(path: Path, head: bytes) -> bool:
    suffix = path.suffix.lower()
    if suffix in TABLES:
        return False
    return suffix in (".json", *LINES) or decode_json(head).lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def _is_lines(path: Path, file: IO[bytes]) -> bool:
    file.seek(0)
    # Lines of UTF-16 do not end where bytes of lines end.
    is_unicode_16 = b"\0" in file.read(4)
    return not is_unicode_16 and (path.suffix.lower() in LINES or looks_like_lines(file))


def _document(file: IO[bytes], what: str, tickets_of: Callable[[Any, str], list[Record]]) -> Records:
    file.seek(0)
    cutter, content = PictureCutter(), bytearray()
    while len(content) <= MAX_JSON and (chunk := file.read(_CHUNK)):
        content += cutter.feed(chunk)
    content += cutter.finish()
    if len(content) > MAX_JSON:
        raise InputError(
            f"{what} is larger than {MAX_JSON:,} bytes, which is too much for one JSON document",
            hint="Export CSV or JSON Lines: they are read row by row.",
        )
    document = parse_foreign_json(bytes(content), what)
    items = tickets_of(document, what)
    return Records(what, "JSON", names_of(items), lambda _: iter(items), is_table=False, document=document)


def _lines(file: IO[bytes], what: str) -> Records:
    items = lines_of(file, what)
    first = list(islice(items, _LOOKED_AT))
    return Records(what, "JSON Lines", names_of(first), lambda _: chain(first, items), is_table=False)


def _table(file: IO[bytes], what: str, own: frozenset[str]) -> Records:
    table = Delimited(file, what, _score(own))
    if table.header is None:
        raise no_columns(table.first_row, what)
    header = table.header
    return Records(what, table.form, header, lambda wanted: as_records(header, table.rows(), wanted), is_table=True)


@contextmanager
def _workbook(file: IO[bytes], what: str, sheet: str, own: frozenset[str]) -> Iterator[Records]:
    from .workbook import open_sheet

    content = file.read(MAX_WORKBOOK + 1)
    with open_sheet(content, what, _score(own), sheet=sheet) as (form, header, first, rows):
        if header is None:
            raise no_columns(first, what)
        yield Records(what, form, header, lambda wanted: as_records(header, rows, wanted), is_table=True)


def _score(own: frozenset[str]) -> Callable[[Sequence[object]], int]:
    """How many fields a row names: those of a profile count most."""
    wanted = {canonical(name) for name in own}

    def score(row: Sequence[object]) -> int:
        named = len(wanted & {canonical(str(cell or "")) for cell in row})
        return named * 10 + recognized(row)

    return score


def _refuse_size(file: IO[bytes], what: str, *, is_bounded: bool) -> None:
    size = file.seek(0, 2)
    if is_bounded and size > MAX_BYTES:
        raise InputError(
            f"{what} is larger than {MAX_BYTES:,} bytes",
            hint="`ticketattr classify` reads a file of any size if its output ends with .jsonl or .parquet.",
        )
    if not size:
        raise InputError(f"{what} is empty", hint="Export the tickets again; at least a header or [] must be there.")


def _refuse_other_forms(head: bytes, what: str) -> None:
    for signature, (kind, hint) in _SIGNATURES.items():
        if head.startswith(signature):
            raise InputError(f"{what} is {kind}, not CSV, .xlsx, JSON or JSON Lines", hint=hint)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise InputError(
            f"{what} is a web page or XML, not CSV, .xlsx, JSON or JSON Lines",
            hint="It is often a login page, or a table that a browser saved: export the tickets as CSV, .xlsx or JSON.",
        )
