"""CSV as programs write it, as a stream: commas, semicolons, tabs or bars; UTF-8, UTF-16, UTF-32 or Windows-1252.

What is in memory at a time is one row. A file that ends within a cell is refused: rows would be lost in silence.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import IO

from ...domain.wording import counted
from ...errors import InputError
from ..decoding import FALLBACK, table_encoding
from ..picture_cutter import PictureCutter

log = logging.getLogger(__name__)

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_LONGEST_CELL = 64 * 1024 * 1024
_HEAD = 256 * 1024
_HEADER_WITHIN = 30
_CHUNK = 64 * 1024
_NAMED = 5
_END = "\ue000the end of the file\ue000"
"""A row after the last one. Where it turns up within a cell, a quotation mark was never closed."""

Score = Callable[[Sequence[str]], int]
"""How well a row is a header; 0: not at all."""


class Delimited:
    """The rows of a CSV file. `form` says how it is written; `header` is the best row by `score`, or None."""

    def __init__(self, file: IO[bytes], what: str, score: Score) -> None:
        self._file, self._what = file, what
        self._encoding, self._mark = table_encoding(file)
        # The limit of Python is for all readers of the process, and below what one long description may have.
        csv.field_size_limit(_LONGEST_CELL)
        head = self._text().read(_HEAD)
        if "\0" in head or _is_binary(head):
            raise InputError(
                f"{what} is not a table: it holds bytes that no text has",
                hint="Give a CSV file, an Excel workbook (.xlsx), JSON or JSON Lines.",
            )
        self._skipped, head = _without_separator_line(head)
        named = self._skipped[4:5]
        self._delimiter, self._place, self.header = _best_header(head, named, score)
        self.first_row = next(iter(_rows_of(head, self._delimiter)), [])
        if self._encoding == FALLBACK:
            log.warning("%s is not UTF-8: it is read as Windows-1252", what)

    @property
    def form(self) -> str:
        encoding = "Windows-1252" if self._encoding == FALLBACK else self._encoding.upper()
        row = f", header in row {self._place + 1}" if self._place else ""
        return f"CSV with {_DELIMITERS.get(self._delimiter, self._delimiter)}, {encoding}{row}"

    def rows(self) -> Iterator[list[str]]:
        """The rows after the header that are not empty. Raises InputError; warns of rows of another length."""
        width, rows = len(self.header or ()), _Lengths(self._what)
        lines = _Lines(self._text(), self._what)
        reader = csv.reader(lines, delimiter=self._delimiter)
        row: list[str] = []
        began = 1
        try:
            for _ in range(self._place + 1 + bool(self._skipped)):
                next(reader, None)
            began = reader.line_num + 1
            for row in reader:
                if row == [_END]:
                    break
                if row and _END in row[-1]:
                    raise self._cut(f"a quotation mark in line {began:,} is never closed")
                # Exports that were put together repeat their header.
                if any(cell.strip() for cell in row) and row != self.header:
                    rows.see(row, width, began)
                    yield row
                began = reader.line_num + 1
        except csv.Error as error:
            raise InputError(f"{self._what}, line {began:,}, is not readable as CSV: {error}") from error
        if rows.only_last_is_short and not lines.ends_with_a_line_end:
            raise self._cut(f"line {rows.short[0]:,}, the last one, has fewer cells than the header")
        rows.warn()

    def _cut(self, why: str) -> InputError:
        return InputError(
            f"{self._what} is cut off: {why}",
            hint="Export it again. If it is whole, close the quotation mark, or end the last line with a line end.",
        )

    def _text(self) -> io.TextIOWrapper:
        self._file.seek(self._mark)
        raw = io.BufferedReader(_WithoutPictures(self._file), _CHUNK)
        return io.TextIOWrapper(raw, self._encoding, errors="replace", newline="")


class _WithoutPictures(io.RawIOBase):
    """The bytes of a file in which the data of pictures is cut short. Closing it leaves the file open."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._cutter, self._ready, self._is_done = file, PictureCutter(), b"", False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]  # the type of buffers is younger than Python 3.10
        while not self._ready and not self._is_done:
            chunk = self._file.read(_CHUNK)
            self._is_done = not chunk
            self._ready = self._cutter.feed(chunk) if chunk else self._cutter.finish()
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


class _Lines:
    """The lines of a text, with the row `_END` after the last one."""

    def __init__(self, text: io.TextIOWrapper, what: str) -> None:
        self._text, self._what = text, what
        self.ends_with_a_line_end = True

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(_LONGEST_CELL + 1):
            if len(line) > _LONGEST_CELL:
                raise InputError(f"{self._what} has a line of more than {_LONGEST_CELL:,} characters, which is refused")
            self.ends_with_a_line_end = line.endswith(("\n", "\r"))
            yield line
        yield f"{_END}\n"


class _Lengths:
    """Which rows have fewer or more cells than the header."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._count = 0
        self._last = 0
        self.short: list[int] = []
        self._long: list[int] = []
        self._shorts = self._longs = 0

    def see(self, row: Sequence[str], width: int, line: int) -> None:
        self._count, self._last = self._count + 1, line
        if len(row) < width:
            self._shorts += 1
            self.short = [*self.short, line][:_NAMED]
        elif any(cell.strip() for cell in row[width:]):
            self._longs += 1
            self._long = [*self._long, line][:_NAMED]

    @property
    def only_last_is_short(self) -> bool:
        return self._count > 1 and self._shorts == 1 and self.short == [self._last]

    def warn(self) -> None:
        for count, lines, words in ((self._shorts, self.short, "fewer"), (self._longs, self._long, "more")):
            if count:
                more = ", …" if count > len(lines) else ""
                log.warning(
                    *("%s: %s with %s cells than the header: lines %s%s", self._what, counted(count, "row"), words),
                    *(", ".join(f"{line:,}" for line in lines), more),
                )


def _best_header(head: str, named: str, score: Score) -> tuple[str, int, list[str] | None]:
    """The delimiter, the place of the header and the header itself: of the first rows, the one with the best score."""
    best: tuple[int, str, int, list[str] | None] = (0, named or _likely_delimiter(head), 0, None)
    for delimiter in [named] if named else _DELIMITERS:
        for place, row in enumerate(_rows_of(head, delimiter)):
            if (found := score(row)) > best[0]:
                best = (found, delimiter, place, row)
    return best[1], best[2], best[3]


def _likely_delimiter(head: str) -> str:
    first = head.partition("\n")[0]
    return max(_DELIMITERS, key=first.count)


def _rows_of(head: str, delimiter: str) -> list[list[str]]:
    try:
        return list(islice(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), _HEADER_WITHIN))
    except csv.Error:
        return []


def _without_separator_line(head: str) -> tuple[str, str]:
    """The line before the header in which Excel names the delimiter (`sep=;`), and the rest."""
    first, _, rest = head.partition("\n")
    is_named = first.lower().startswith("sep=") and len(first.rstrip("\r")) == len("sep=;")
    return (first, rest) if is_named else ("", head)


def _is_binary(head: str) -> bool:
    controls = sum(head.count(chr(code)) for code in range(32) if chr(code) not in "\t\n\r\f\v\x1a\x1b")
    return controls * 100 > len(head)


def as_records(
    header: Sequence[str], rows: Iterable[Sequence[object]], wanted: frozenset[str]
) -> Iterator[dict[str, object]]:
    """Each row as a mapping by the name of its column, of the columns `wanted` alone."""
    places = [(name, place) for place, name in enumerate(header) if name in wanted]
    for row in rows:
        yield {name: row[place] if place < len(row) else "" for name, place in places}
