"""A workbook that a person hands in, opened within bounds: it may come from anybody."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError  # nosec B405  # parses nothing here; defusedxml raises it too

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from ...errors import InputError
from ..files import open_regular, unreadable
from . import workbook as bounds

MAX_TAGS = 16_000_000
"""Of all parts together; each costs memory. A report of 100,000 tickets has about ten million when Excel saved it."""
MAX_PART = 16 * 1024 * 1024
"""The most that a part may unpack to which is neither a sheet nor the texts of the sheets."""

_LARGE = ("xl/worksheets/", "xl/sharedStrings.xml")
_CHUNK = 1024 * 1024

# Without bounds of its own, openpyxl pads what a sheet leaves out: up to row 10**18 if a sheet says so.
_MAX_ROWS = 1_048_576
_MAX_COLUMNS = 64

# What openpyxl and the packers under it raise over a file that is not what it says.
_DAMAGE = (
    *bounds.DAMAGE,
    InvalidFileException,
    ParseError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
)


@contextmanager
def opened(path: Path, *, is_no: str, hint: str = "") -> Iterator[Any]:
    """An openpyxl workbook, to be read only. Raises InputError, also for damage found within the block.

    `is_no` says what the file is not if it cannot be used: `no report of ours`.
    """
    content = _content(path)
    try:
        if harm := bounds.harm_in(content) or _harm_in_parts(content):
            raise InputError(f"{path} is {is_no}: {harm}", hint=hint)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what it would lose if it saved the workbook
            workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            try:
                yield workbook
            finally:
                workbook.close()
    except _DAMAGE as error:
        why = bounds.reason(error).splitlines()[0]
        raise InputError(f"{path} is {is_no}: {why}", hint=hint) from error


def lines(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """The values of each row, the first 64 of them."""
    # What other programs state about the size of a sheet is not always so.
    sheet.reset_dimensions()
    return islice(sheet.iter_rows(max_col=_MAX_COLUMNS, values_only=True), _MAX_ROWS)


def _harm_in_parts(content: bytes) -> str:
    """Why a workbook must not be parsed; empty when it may be. Unpacks it piece by piece to know that."""
    tags = 0
    with zipfile.ZipFile(io.BytesIO(content)) as workbook:
        for part in workbook.infolist():
            if part.file_size > MAX_PART and not part.filename.startswith(_LARGE):
                return f"no readable workbook: {part.filename[:100]} unpacks to more than {MAX_PART:,} bytes"
            with workbook.open(part) as file:
                while chunk := file.read(_CHUNK):
                    tags += chunk.count(b"<")
                    if tags > MAX_TAGS:
                        return f"no readable workbook: more than {MAX_TAGS:,} tags"
    return ""


def _content(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(bounds.MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist", hint="Check the path.") from None
    except OSError as error:
        raise unreadable(path, error) from error
