"""How a cell of a workbook spells text, and whether a cell that another program saved still holds a given text."""

from __future__ import annotations

import re
import unicodedata

from ...domain.sanitizing import sanitize

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
# Programs that save a workbook change text in small ways, and a sheet of hostile text must not take long to compare:
# the first characters of a cell are decoded, and the first characters of the result are compared.
_DECODED, _COMPARED = 1_000, 100


def decode_escapes(cell: str) -> str:
    """`cell` with each escape such as `_x0041_` replaced by its character (ECMA-376, ST_Xstring)."""
    return _ESCAPE.sub(lambda code: chr(int(code[1], 16)), cell) if "_x" in cell else cell


def cell_matches(cell: str, text: str) -> bool:
    """Whether `cell` may be the cell that the report wrote for `text`.

    Programs that save a workbook change white space, and how unusual characters are spelled.
    """
    return _normalized(cell) == _normalized(sanitize(text))


def _normalized(text: str) -> str:
    text = text[:_DECODED]
    while (decoded := decode_escapes(text)) != text:
        text = decoded
    return "".join(unicodedata.normalize("NFC", text).casefold().split())[:_COMPARED]
