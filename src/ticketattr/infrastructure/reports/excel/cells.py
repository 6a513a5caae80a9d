"""Writes text to cells so that it always stays text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from ....domain.sanitizing import sanitize, truncate
from .styles import Styles

MAX_CELL = 32_767
"""The most UTF-16 code units in a cell; Excel offers to repair a file with more."""

MAX_LINKS = 20_000
"""The most links on a sheet. Excel offers to repair a file with more than 65,530, and each link takes memory."""

MAX_URL = 2_079
"""The longest URL of a link, in characters."""

LINE_HEIGHT, MAX_LINES = 15, 6
"""The height of a line, and the most lines of a row: not every program fits the height of a row to wrapped text."""

_MAX_SHORT = 255
"""Older programs show a longer text as #### if its cell has the number format "text"."""

# XlsxWriter mistakes the first for its own markup, and of adjacent escapes it escapes only every second one.
_MISTAKEN = re.compile(r"<r>.*</r>|.*_x[0-9A-Fa-f]{4}_x[0-9A-Fa-f]{4}_.*", re.DOTALL)
_SEAMS = re.compile(r"(?<=\A.)|(?<=\A<r)|(?<=_x....)(?=_)", re.DOTALL)


def cell_text(text: str) -> str:
    """`text` as a cell shows it: sanitized, and cut to the size of a cell."""
    return truncate(sanitize(text), MAX_CELL)


def write_text(
    sheet: Worksheet, row: int, column: int, text: str, styles: Styles, format: Format | None = None
) -> None:
    """Write `text` to a cell, unless it is empty. `format` applies to short texts only."""
    if not text:
        return
    # Most cells: what `cell_text` would leave as it is. A large queue has millions of them.
    is_plain = len(text) <= _MAX_SHORT and text.isascii() and text.isprintable()
    content = text if is_plain else cell_text(text)
    chosen = styles.prose if len(content) > _MAX_SHORT else format or styles.text
    if ("_x" in content or content.startswith("<r>")) and _MISTAKEN.fullmatch(content):
        # Each of these pieces alone cannot be mistaken.
        sheet.write_rich_string(row, column, *filter(None, _SEAMS.split(content)), chosen)
    else:
        sheet.write_string(row, column, content, chosen)


def wrapped_lines(text: str, width: int) -> int:
    """The number of lines that `text` takes in a cell that is `width` characters wide."""
    return sum(max(1, -(-len(line) // width)) for line in text.splitlines())


def row_height(texts: Iterable[tuple[str, int]]) -> int:
    """What a row needs for its texts, each in a column of that width; within reason."""
    lines = max((wrapped_lines(text, width - 2) for text, width in texts), default=1)
    return LINE_HEIGHT * max(1, min(lines, MAX_LINES))


def rule_lines(sheet: Worksheet, first: int, last: int, columns: int, styles: Styles) -> None:
    """Draw a pale line under each row, also under empty cells, on the screen and on paper."""
    if first <= last:
        rule = {"type": "formula", "criteria": "=TRUE", "format": styles.rule}
        sheet.conditional_format(first, 0, last, columns - 1, rule)


def write_link(sheet: Worksheet, row: int, column: int, url: str, text: str, styles: Styles) -> None:
    """Write `text` with a link to `url`, or without a link if the sheet cannot hold it."""
    content = cell_text(text)
    if url and row <= MAX_LINKS and len(url) <= MAX_URL and 0 < len(content) <= _MAX_SHORT:
        sheet.write_url(row, column, url, styles.link)
        # The link above wrote its own text, which XlsxWriter may mistake for markup.
        write_text(sheet, row, column, text, styles, styles.link)
    else:
        write_text(sheet, row, column, text, styles)
