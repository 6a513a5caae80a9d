"""Tables on stdout: aligned in a pipe, fitted to a terminal, and on one too narrow for them as blocks of lines."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from .log_lines import plain

_LEAST_WIDTH = 14
"""What a column must have left, on average, when its text is folded; a narrower one is read letter by letter."""

Row = Sequence[str]


def print_table(headings: Row, rows: Sequence[Row], *, title: str = "") -> None:
    """Whatever strangers wrote in it is spelled out, where it could steer a terminal."""
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
    # A pipe has no width: nothing is folded there.
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
