"""Text of strangers as a reader may see it: nothing in it is hidden, and nothing in it steers the page.

Control characters and those that turn the direction of text are spelled out or shown by a sign, so that a row
cannot pose as another; half surrogate pairs, which no file can hold, become replacement characters. Emoji and
every script stay as they are.
"""

from __future__ import annotations

import re
import unicodedata

# C0 but tab and line feed, DEL, C1, line and paragraph separators, marks and overrides of direction, the halves
# of pairs, and the two that are no characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_CUT = " … [cut]"
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
# Of a cell, so many characters are looked at, and so many of what is left of them have to agree.
_COMPARED, _SAME = 1_000, 100


def sanitize(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(_sign, text.replace("\r\n", "\n").replace("\r", "\n"))


def truncate(text: str, units: int) -> str:
    """At most so many UTF-16 units of `text`, with a mark when that is not all."""
    if len(text) <= units // 2:
        return text
    encoded = text.encode("utf-16-le")
    if len(encoded) <= 2 * units:
        return text
    return encoded[: 2 * (units - len(_CUT))].decode("utf-16-le", "ignore") + _CUT


def _sign(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    if code < 0x20:
        return chr(0x2400 + code)
    if 0xD800 <= code <= 0xDFFF or code >= 0xFFFE:
        return "\N{REPLACEMENT CHARACTER}"
    return f"[U+{code:04X}]"


def matches_sanitized(cell: str, text: str) -> bool:
    """Whether a cell that says `cell` may still be the one that was written for `text`.

    Programs that save a workbook change white space and the way in which they spell unusual characters.
    """
    return _essence(cell) == _essence(sanitize(text))


def decoded(cell: str) -> str:
    """What `_x0041_` in the file of a workbook stands for (ECMA-376, ST_Xstring)."""
    return _ESCAPE.sub(lambda code: chr(int(code[1], 16)), cell) if "_x" in cell else cell


def _essence(text: str) -> str:
    text = text[:_COMPARED]
    while (further := decoded(text)) != text:
        text = further
    return "".join(unicodedata.normalize("NFC", text).casefold().split())[:_SAME]
