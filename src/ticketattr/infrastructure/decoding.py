"""Text out of bytes that other programs wrote, whatever encoding they chose. Nothing is refused for one wrong byte."""

from __future__ import annotations

import codecs
import json
from typing import IO

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Stands for each byte that does not belong to the encoding."""

FALLBACK = "cp1252"
"""The encoding of CSV that is not Unicode: that of Excel in western Europe."""

_CHUNK = 1024 * 1024
_LOOKED_AT = 4_096
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode_json(content: bytes) -> str:
    """The text of a JSON file: UTF-8, UTF-16 or UTF-32, with or without a byte order mark (RFC 4627, 3)."""
    mark, encoding = _byte_order_mark(content)
    return content[len(mark) :].decode(encoding or json.detect_encoding(content), "replace")


def table_encoding(file: IO[bytes]) -> tuple[str, int]:
    """The encoding of a CSV file, and the length of its byte order mark. Reads the file from its begin.

    A byte order mark decides, or else the zero bytes of UTF-16 and UTF-32. Without either it is UTF-8, unless more
    bytes speak against it than for it: then it is Windows-1252, in which Excel writes CSV in western Europe.
    """
    file.seek(0)
    head = file.read(_CHUNK)
    mark, encoding = _byte_order_mark(head)
    if encoding:
        return encoding, len(mark)
    # Half of UTF-16 and more of UTF-32 is zero bytes; other files with zero bytes are no text.
    if head.count(b"\0", 0, _LOOKED_AT) * 4 > len(head[:_LOOKED_AT]):
        return json.detect_encoding(head[:4]), 0
    wrong = right = 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while head:
        following = file.read(_CHUNK)
        if not head.isascii() or decoder.getstate()[0]:
            text = decoder.decode(head, final=not following)
            found = text.count(REPLACEMENT)
            wrong += found
            right += len(text) - len(text.encode("ascii", "ignore")) - found
        head = following
    return (FALLBACK if wrong >= right and wrong else "utf-8"), 0


def _byte_order_mark(content: bytes) -> tuple[bytes, str]:
    return next((known for known in _BYTE_ORDER_MARKS if content.startswith(known[0])), (b"", ""))
