"""CSV as programs write it: commas, semicolons, tabs or bars; UTF-8, UTF-16 or Windows-1252."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Collection

from ..errors import InputError
from .decoding import decode_table

log = logging.getLogger(__name__)

_DELIMITERS = ",;\t|"
_LONGEST_CELL = 64 * 1024 * 1024


def read_csv(content: bytes, what: str, columns: Collection[str], *, hint: str = "") -> list[dict[str, str]]:
    """The rows of a CSV file, by the names in its header; a cell that a short row lacks is missing in it.

    The delimiter is the one that finds most of `columns` in the header. Names are compared without case, and a space
    counts as an underscore. Raises InputError, which says of `what` it was.
    """
    text, encoding = decode_table(content)
    if encoding == "cp1252":
        log.warning("%s is not UTF-8: it is read as Windows-1252", what)
    text, delimiter = _delimiter(text, columns)
    # The limit of Python is for all readers of the process, and below what one long description may have.
    csv.field_size_limit(_LONGEST_CELL)
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        header = [column_name(cell) for cell in next(lines, [])]
        return [dict(zip(header, line, strict=False)) for line in lines if any(cell.strip() for cell in line)]
    except csv.Error as error:
        raise InputError(f"{what} is not readable as CSV: {error}", hint=hint) from error


def _delimiter(text: str, columns: Collection[str]) -> tuple[str, str]:
    """The text from its header on, and the delimiter. Excel may name that in a line before the header: `sep=;`."""
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.rstrip("\r")) == len("sep=;"):
        return rest, first[4]
    wanted = {column_name(column) for column in columns}
    header = first.rstrip("\r")

    def found(delimiter: str) -> int:
        return len(wanted & {column_name(cell.strip('" ')) for cell in header.split(delimiter)})

    return text, max(_DELIMITERS, key=found)


def column_name(cell: str) -> str:
    """The name of a column, as it is compared."""
    return cell.strip().casefold().replace(" ", "_")
