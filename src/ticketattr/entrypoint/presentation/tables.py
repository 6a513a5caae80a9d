"""Tables on stdout: aligned in a pipe, fitted to a terminal, and blocks of lines on a terminal that is too narrow."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from .log_lines import plain

_LEAST_WIDTH = 14
"""The average width of a column below which a table becomes blocks of lines. Narrower columns are hard to read."""

Row = Sequence[str]


def print_table(headings: Row, rows: Sequence[Row], *, title: str = "") -> None:
    """Print a table. Characters in it that could control a terminal become escape sequences."""
    lines = [list(map(plain, row)) for row in (headings, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if title:
        print(plain(title))
    if not sys.stdout.isatty():
        _print_aligned(lines, widths, indent="  " if title else "")
        return
    width = shutil.get_terminal_size().columns
    if sum(widths) + 2 * len(widths) > width < _LEAST_WIDTH * len(widths):
        _print_blocks(lines)
    else:
        _print_fitted(lines, width)


def _print_aligned(lines: Sequence[Row], widths: Sequence[int], *, indent: str) -> None:
    # A pipe has no width, so no text is folded.
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print((indent + "  ".join(cells)).rstrip())


def _print_blocks(lines: Sequence[Row]) -> None:
    headings, *rows = lines
    indent = max(map(len, headings))
    for row in rows:
        for heading, cell in zip(headings, row, strict=True):
            print(f"{heading.ljust(indent)}  {cell}".rstrip())
        print()


def _print_fitted(lines: Sequence[Row], width: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    headings, *rows = lines
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console(highlight=False, width=width).print(table)
