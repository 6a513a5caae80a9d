"""CSV that a spreadsheet can open: every cell with text stays text."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from ...domain.sanitizing import sanitize

# The last four are the full-width forms, which spreadsheets in East Asian languages take for the ASCII ones.
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\n", "'", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def write_csv(
    file: TextIO,
    columns: Sequence[str],
    rows: Iterable[Iterable[Any]],
    *,
    line_end: str = "\n",
    quote_all_text: bool = False,
) -> None:
    """Write the names of the columns and then the rows; None is an empty cell.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    writer = csv.writer(
        file, quoting=csv.QUOTE_NONNUMERIC if quote_all_text else csv.QUOTE_MINIMAL, lineterminator=line_end
    )
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    text = sanitize(value)
    # A text that begins with an apostrophe gets another one: without the first, the text is as it was.
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS_A_FORMULA) else text
