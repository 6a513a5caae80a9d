"""Opens a workbook that may come from anybody, within bounds on memory and time."""

from __future__ import annotations

import io
import re
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
from .run_id_reader import find_run_id
from .strict_open_xml import as_transitional
from .workbook_archive import DAMAGE, MAX_BYTES, error_text, refusal_of

MAX_TAGS = 16_000_000
"""The most tags in all parts together; each takes memory. A report of 100,000 tickets that Excel saved has about ten
million."""
MAX_PART = 16 * 1024 * 1024
"""The largest unpacked size of a part that is neither a sheet nor the shared texts of the sheets."""

_NO_RESULT = re.compile(rb"<f(?:\s[^>]{0,200})?(?:/>|>[^<]{0,8192}</f>)\s{0,9}(?:<v\s?/>|<v></v>)?</c>")
_LARGE = ("xl/worksheets/", "xl/sharedStrings.xml")
_CHUNK = 1024 * 1024

# openpyxl has no bounds of its own: it adds the rows that a sheet leaves out, up to row 10**18 if the sheet says so.
_MAX_ROWS = 1_048_576
_MAX_COLUMNS = 64

# What openpyxl and its decompressors raise about damaged files.
_DAMAGE = (
    *DAMAGE,
    InvalidFileException,
    ParseError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
)


@contextmanager
def open_workbook(path: Path, *, expected: str, hint: str = "") -> Iterator[Any]:
    """The workbook at `path` as a read-only openpyxl workbook.

    Raises InputError, also for damage that is found within the block: "`path` is not `expected`", and why.
    """
    with open_report(read_workbook(path), path, expected=expected, hint=hint) as (workbook, _):
        yield workbook


@contextmanager
def open_report(content: bytes, path: Path, *, expected: str, hint: str = "") -> Iterator[tuple[Any, str]]:
    """The same, of the workbook with that content, with the id of the run that it names (empty: none)."""
    try:
        if reason := refusal_of(content) or _refusal_of_parts(content):
            raise InputError(f"{path} is not {expected}: {reason}", hint=hint)
        content = as_transitional(content)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            run_id = find_run_id(archive)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what openpyxl would lose if it saved the workbook
            workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            try:
                yield workbook, run_id
            finally:
                workbook.close()
    except _DAMAGE as error:
        reason = error_text(error).splitlines()[0]
        raise InputError(f"{path} is not {expected}: {reason}", hint=hint) from error


def read_workbook(path: Path) -> bytes:
    """The content of the file, cut where it is too large for a workbook that is read. Raises InputError."""
    try:
        with open_regular(path) as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist", hint="Check the path.") from None
    except OSError as error:
        raise unreadable(path, error) from error


def read_rows(sheet: Any, columns: int = _MAX_COLUMNS) -> Iterator[tuple[Any, ...]]:
    """The values of each row, at most so many of them."""
    # The size that other programs state for a sheet is not always right.
    sheet.reset_dimensions()
    return islice(sheet.iter_rows(max_col=columns, values_only=True), _MAX_ROWS)


def formulas_without_result(content: bytes) -> int:
    """How many cells of a workbook that was opened hold a formula without its result: they read as empty."""
    with zipfile.ZipFile(io.BytesIO(content)) as workbook:
        sheets = [part for part in workbook.infolist() if part.filename.startswith("xl/worksheets/")]
        return sum(_formulas_without_result(workbook, part) for part in sheets)


def _formulas_without_result(workbook: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    count, kept = 0, b""
    with workbook.open(part) as file:
        while chunk := file.read(_CHUNK):
            content = kept + chunk
            # A cell that the chunk cuts is looked at with the next one.
            end = content.rfind(b"<c ") if len(content) < 2 * _CHUNK else len(content)
            end = end if end > 0 else len(content)
            count += len(_NO_RESULT.findall(content[:end]))
            kept = content[end:]
    return count + len(_NO_RESULT.findall(kept))


def _refusal_of_parts(content: bytes) -> str:
    """Why a workbook must not be parsed, or empty if it may be. This unpacks each part piece by piece."""
    tags = 0
    with zipfile.ZipFile(io.BytesIO(content)) as workbook:
        for part in workbook.infolist():
            if part.file_size > MAX_PART and not part.filename.startswith(_LARGE):
                return f"{part.filename[:100]} unpacks to more than {MAX_PART:,} bytes"
            with workbook.open(part) as file:
                while chunk := file.read(_CHUNK):
                    tags += chunk.count(b"<")
                    if tags > MAX_TAGS:
                        return f"more than {MAX_TAGS:,} tags"
    return ""
