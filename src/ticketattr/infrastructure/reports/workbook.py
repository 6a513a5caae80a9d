"""What a workbook says of itself, read without opening it in full, and whether it can be opened without harm."""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib

from ...domain.run_id import RUN_ID
from ...domain.sanitizing import truncate

RUN_ID_PROPERTY = "run_id"
"""The custom document property that names the run; Excel and LibreOffice keep it when they save."""

TICKETS_SHEET = "Tickets"
"""Where a reader corrects what was chosen, one row for each ticket."""

MAX_BYTES = 128 * 1024 * 1024
"""The largest workbook that is read."""
MAX_UNPACKED = 512 * 1024 * 1024
"""The most that may come out of it: a report of 100,000 tickets takes a fraction."""
MAX_PARTS = 10_000
_PACKERS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_LONGEST_REASON = 500
_PROPERTIES = "docProps/custom.xml"
_MAX_PROPERTIES = 1024 * 1024
# No XML parser, and no repetition without a bound: what a stranger saved could make either work for hours.
_RUN_ID = re.compile(
    rf'<property\b[^<>]{{0,500}}\bname="{RUN_ID_PROPERTY}"[^<>]{{0,500}}>\s{{0,100}}<vt:lpwstr>({RUN_ID})</vt:lpwstr>'
)
# Each entry of a zip directory begins with it.
_ENTRY = b"PK\x01\x02"

# What zipfile and the packers under it raise over bytes that are not what they say.
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


def inspect_archive(content: bytes) -> tuple[str, str]:
    """What is wrong with a workbook (nothing: empty), and the run that it names."""
    if harm := harm_in(content):
        return harm, ""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as workbook:
            if broken := workbook.testzip():
                return f"no readable workbook: {broken} is broken", ""
            if "xl/workbook.xml" not in workbook.namelist():
                return "no workbook", ""
            return "", _run_id(workbook)
    except DAMAGE as error:
        return f"no readable workbook: {reason(error)}", ""


def harm_in(content: bytes) -> str:
    """Why a workbook must not be unpacked; empty when it may be. Nothing is unpacked to know that."""
    if len(content) > MAX_BYTES:
        return f"larger than {MAX_BYTES:,} bytes"
    # Counted before the directory is read: a few bytes of it become an object each.
    if content.count(_ENTRY) > MAX_PARTS:
        return f"no readable workbook: more than {MAX_PARTS:,} parts"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as workbook:
            parts = workbook.infolist()
    except DAMAGE as error:
        return f"no readable workbook: {reason(error)}"
    # Other packers hand over all that a piece of input stands for at once, whatever is stated here.
    if not all(part.compress_type in _PACKERS for part in parts):
        return "no readable workbook: packed as no workbook is"
    # zipfile gives no more of a part than is stated here, and parts that overlap count once each.
    unpacked = sum(part.file_size for part in parts)
    return f"no readable workbook: unpacks to more than {MAX_UNPACKED:,} bytes" if unpacked > MAX_UNPACKED else ""


def reason(error: Exception) -> str:
    """What a library says of damage, which may quote a stranger's 64 kB."""
    return truncate(str(error) or type(error).__name__, _LONGEST_REASON)


def _run_id(workbook: zipfile.ZipFile) -> str:
    if _PROPERTIES not in workbook.namelist():
        return ""
    with workbook.open(_PROPERTIES) as file:
        found = _RUN_ID.search(file.read(_MAX_PROPERTIES).decode("utf-8", "replace"))
    return found.group(1) if found else ""
