"""A table as a workbook with one sheet, for lists that somebody takes into a spreadsheet."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from xlsxwriter import Workbook


def write_sheet(title: str, fields: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The workbook. Numbers are numbers, everything else is text: no cell is a formula or a link."""
    content = io.BytesIO()
    with Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet(title)
        bold = book.add_format({"bold": True})
        for column, name in enumerate(fields):
            sheet.write_string(0, column, name, bold)
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                if isinstance(value, (int, float)):
                    sheet.write_number(number, column, value)
                else:
                    sheet.write_string(number, column, str(value)[:32_767])
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(fields) - 1, 18)
    return content.getvalue()
