"""What a workbook says of itself, read without opening it in full."""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib

RUN_ID_PROPERTY = "run_id"
"""The custom document property that names the run; Excel and LibreOffice keep it when they save."""

_PROPERTIES = "docProps/custom.xml"
_MAX_PROPERTIES = 1024 * 1024
# No XML parser: what a stranger saved could make one work for hours.
_RUN_ID = re.compile(rf'<property\b[^>]*\bname="{RUN_ID_PROPERTY}"[^>]*>\s*<vt:lpwstr>([^<]*)</vt:lpwstr>')


# What zipfile and the packers under it raise over bytes that are not what they say.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ValueError,
    EOFError,
    OSError,
    RuntimeError,
)


def look_inside(content: bytes) -> tuple[str, str]:
    """What is wrong with a workbook (nothing: empty), and the run that it names."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as workbook:
            if broken := workbook.testzip():
                return f"no readable workbook: {broken} is broken", ""
            if "xl/workbook.xml" not in workbook.namelist():
                return "no workbook", ""
            return "", _run_id(workbook)
    except _DAMAGE as error:
        return f"no readable workbook: {error or type(error).__name__}", ""


def _run_id(workbook: zipfile.ZipFile) -> str:
    if _PROPERTIES not in workbook.namelist():
        return ""
    with workbook.open(_PROPERTIES) as file:
        found = _RUN_ID.search(file.read(_MAX_PROPERTIES).decode("utf-8", "replace"))
    return found.group(1) if found else ""
