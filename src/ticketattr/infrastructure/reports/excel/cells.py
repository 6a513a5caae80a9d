"""Text in a cell: always text, whatever it says."""

from __future__ import annotations

import re

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from ....domain.sanitizing import sanitize, truncate
from .styles import Styles

MAX_CELL = 32_767
"""What a cell holds, in UTF-16 units; Excel repairs a file that has more."""

MAX_LINKS = 20_000
"""Excel repairs a file that has more than 65,530 on a sheet; each takes memory, and nobody follows so many."""

MAX_URL = 2_079

LINE_HEIGHT, MAX_LINES = 15, 6
"""Not every program fits a row to wrapped text by itself; of a very long one, the first lines must do."""

_MAX_SHORT = 255
"""Older programs show longer text as #### when its cell has the number format "text"."""

# XlsxWriter takes the first for markup of its own, and escapes only every other one of the second.
_MISTAKEN = re.compile(r"<r>.*</r>|.*_x[0-9A-Fa-f]{4}_x[0-9A-Fa-f]{4}_.*", re.DOTALL)
_SEAMS = re.compile(r"(?<=\A.)|(?<=\A<r)|(?<=_x....)(?=_)", re.DOTALL)


def cell_text(text: str) -> str:
    """`text` as a cell shows it."""
    return truncate(sanitize(text), MAX_CELL)


def write_text(
    sheet: Worksheet, row: int, column: int, text: str, styles: Styles, format: Format | None = None
) -> None:
    """Nothing for an empty text. `format` is for short text alone."""
    if not text:
        return
    content = cell_text(text)
    chosen = styles.prose if len(content) > _MAX_SHORT else format or styles.text
    if ("_x" in content or content.startswith("<r>")) and _MISTAKEN.fullmatch(content):
        # In pieces, none of which can be mistaken for anything.
        sheet.write_rich_string(row, column, *filter(None, _SEAMS.split(content)), chosen)
    else:
        sheet.write_string(row, column, content, chosen)


def wrapped_lines(text: str, width: int) -> int:
    """How many lines `text` takes in a cell in which `width` characters stand beside each other."""
    return sum(max(1, -(-len(line) // width)) for line in text.splitlines())


def rule_lines(sheet: Worksheet, first: int, last: int, columns: int, styles: Styles) -> None:
    """A pale line under each row, also where its cells are empty, on the screen and on paper."""
    if first <= last:
        rule = {"type": "formula", "criteria": "=TRUE", "format": styles.rule}
        sheet.conditional_format(first, 0, last, columns - 1, rule)


def write_link(sheet: Worksheet, row: int, column: int, url: str, text: str, styles: Styles) -> None:
    """`text` that leads to `url`; alone where a sheet can hold no link to there."""
    content = cell_text(text)
    if url and row <= MAX_LINKS and len(url) <= MAX_URL and 0 < len(content) <= _MAX_SHORT:
        sheet.write_url(row, column, url, styles.link)
        # The link above wrote its own text, and would take this one for markup now and then.
        write_text(sheet, row, column, text, styles, styles.link)
    else:
        write_text(sheet, row, column, text, styles)
