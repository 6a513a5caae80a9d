"""Plain text as it grows: white space joined, lines, cells and list items."""

from __future__ import annotations

import re

PICTURE = "[picture]"
"""Stands for a picture that is part of the text."""

_SPACE = re.compile("[ \t\n\r\f\u00a0]+")
_LINE_END = re.compile("\r\n?|\n")
_DEEPEST_INDENT = 8
_MANY_EMPTY_LINES = re.compile("\n{3,}")
_SPACE_AT_END = re.compile("[ \t\u00a0]+\n")


class Lines:
    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._breaks = 0
        self._between = ""
        self._mark = ""
        self._indent = 0
        self._is_first_cell = True
        self._is_cell_empty = False
        self.length = 0

    def write(self, text: str, *, keep_space: bool = False) -> None:
        """Add `text`; runs of white space count as one space unless `keep_space`."""
        if keep_space:
            text = _LINE_END.sub("\n", text)
            if text:
                self._add(text.replace("\u00a0", " "))
            return
        text = _SPACE.sub(" ", text)
        if text.startswith(" "):
            self._between = self._between or " "
        if text.strip(" "):
            self._add(text.strip(" "))
            self._between = " " if text.endswith(" ") else ""

    def new_line(self) -> None:
        """What `<br>` does: it ends a line, also an empty one."""
        self._flush_breaks()
        self._append("\n")
        self._between = ""

    def break_line(self, breaks: int) -> None:
        """Begin a new line (1), or leave an empty one between (2), unless it is so already, or a cell begins here."""
        if self._is_cell_empty:
            return
        self._breaks = max(self._breaks, breaks)
        self._between = ""

    def indent(self, by: int) -> None:
        self._indent += by

    def mark(self, mark: str) -> None:
        """Begin the next line with the mark of a list item."""
        self._mark = "  " * min(max(self._indent - 1, 0), _DEEPEST_INDENT) + mark

    def first_cell(self) -> None:
        self._is_first_cell = True
        self._is_cell_empty = False

    def next_cell(self) -> None:
        if not self._is_first_cell:
            self._between = "\t"
        self._is_first_cell = False
        self._is_cell_empty = True

    def end_cell(self) -> None:
        """What begins a line within a cell does not end the row."""
        self._is_cell_empty = False
        self._breaks = 0
        self._between = ""

    def tail(self, start: int) -> str:
        """What was written since `length` was `start`."""
        found: list[str] = []
        missing = self.length - start
        for piece in reversed(self._pieces):
            if missing <= 0:
                break
            found.append(piece)
            missing -= len(piece)
        return "".join(reversed(found))

    def text(self) -> str:
        whole = _SPACE_AT_END.sub("\n", "".join(self._pieces))
        return _MANY_EMPTY_LINES.sub("\n\n", whole).strip()

    def _add(self, text: str) -> None:
        self._flush_breaks()
        if self._between and self._pieces and not self._pieces[-1].endswith(("\n", "\t")):
            self._append(self._between)
        self._between = ""
        if self._mark:
            self._append(self._mark)
            self._mark = ""
        self._append(text)

    def _flush_breaks(self) -> None:
        if self._breaks and self._pieces:
            ended = len(self._pieces[-1]) - len(self._pieces[-1].rstrip("\n"))
            self._append("\n" * max(self._breaks - ended, 0))
        self._breaks = 0

    def _append(self, piece: str) -> None:
        if piece:
            self._is_cell_empty = False
            self._pieces.append(piece)
            self.length += len(piece)
