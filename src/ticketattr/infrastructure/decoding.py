"""Text out of bytes that other programs wrote, whatever encoding they chose. Nothing is refused for one wrong byte."""

from __future__ import annotations

import codecs
import json

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Stands for each byte that does not belong to the encoding."""

_FALLBACK = "cp1252"
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


def decode_table(content: bytes) -> tuple[str, str]:
    """The text of a CSV file, and the encoding that it was read in.

    A byte order mark decides. Without one it is UTF-8, unless more bytes speak against it than for it: then it is
    Windows-1252, in which Excel writes CSV in western Europe.
    """
    mark, encoding = _byte_order_mark(content)
    content = content[len(mark) :]
    text = content.decode(encoding or "utf-8", "replace")
    if encoding or REPLACEMENT not in text:
        return text, encoding or "utf-8"
    wrong = text.count(REPLACEMENT)
    right = sum(1 for character in text if not character.isascii()) - wrong
    return (text, "utf-8") if right > wrong else (content.decode(_FALLBACK, "replace"), _FALLBACK)


def _byte_order_mark(content: bytes) -> tuple[bytes, str]:
    return next((known for known in _BYTE_ORDER_MARKS if content.startswith(known[0])), (b"", ""))
