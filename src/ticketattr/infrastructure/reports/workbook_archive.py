"""The archive of a workbook: which run it names, and whether it is safe to unpack."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib

from ...domain.sanitizing import truncate
from .run_id_reader import find_run_id, workbook_part

TICKETS_SHEET = "Tickets"
"""The sheet where a person corrects request types, with one row for each ticket."""

_COLUMN_NAME = "ticketattr_"

MAX_BYTES = 128 * 1024 * 1024
"""The size of the largest workbook that is read."""
MAX_UNPACKED = 512 * 1024 * 1024
"""The largest unpacked size of a workbook; a report of 100,000 tickets takes a fraction of it."""
MAX_PARTS = 10_000
_COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_LONGEST_REASON = 500
# Each entry of a zip directory begins with these bytes.
_ENTRY = b"PK\x01\x02"

# What zipfile and its decompressors raise about damaged bytes.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ValueError,
    EOFError,
    OSError,
    RuntimeError,
)


def column_name(field: str) -> str:
    """The defined name of the heading of the column with that field; programs keep it when they save a workbook."""
    return f"{_COLUMN_NAME}{field}"


def inspect_archive(content: bytes) -> tuple[str, str]:
    """What is wrong with a workbook (empty if nothing is), and the id of the run that it names (empty if none)."""
    if reason := refusal_of(content):
        return f"not a readable workbook: {reason}", ""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as workbook:
            if broken := workbook.testzip():
                return f"not a readable workbook: {broken} is broken", ""
            if not workbook_part(workbook):
                return "not a workbook", ""
            return "", find_run_id(workbook)
    except DAMAGE as error:
        return f"not a readable workbook: {error_text(error)}", ""


def refusal_of(content: bytes) -> str:
    """Why a workbook must not be unpacked, or empty if it may be. This unpacks nothing."""
    if len(content) > MAX_BYTES:
        return f"larger than {MAX_BYTES:,} bytes"
    # This counts before zipfile reads the directory: each entry takes a few bytes there, and an object in memory.
    if content.count(_ENTRY) > MAX_PARTS:
        return f"more than {MAX_PARTS:,} parts"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as workbook:
            parts = workbook.infolist()
    except DAMAGE as error:
        return error_text(error)
    # Other compression methods return everything that a piece of input stands for at once, whatever size is stated.
    if not all(part.compress_type in _COMPRESSION for part in parts):
        return "compressed by a method that workbooks do not use"
    # zipfile returns no more of a part than the stated size, and parts that overlap count once each.
    unpacked = sum(part.file_size for part in parts)
    return f"unpacks to more than {MAX_UNPACKED:,} bytes" if unpacked > MAX_UNPACKED else ""


def error_text(error: Exception) -> str:
    """What a library says about the damage, cut: it may quote 64 kB of a stranger's file."""
    return truncate(str(error) or type(error).__name__, _LONGEST_REASON)
