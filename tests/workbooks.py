"""What the sheet `Tickets` of a report holds, by the names of the fields."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from ticketattr.infrastructure.words import words

FIELDS: dict[str, str] = {heading: field for field, heading in words("en").section("columns").items()}


def tickets_sheet(workbook: Path | bytes) -> Worksheet:
    sheet = openpyxl.load_workbook(io.BytesIO(workbook) if isinstance(workbook, bytes) else workbook)["Tickets"]
    assert isinstance(sheet, Worksheet)
    return sheet


def field_of(heading: object) -> str:
    """The field of a column; times have their zone in parentheses."""
    text = str(heading)
    return FIELDS[text] if text in FIELDS else FIELDS[text.rpartition(" (")[0]]


def tickets_values(workbook: Path | bytes) -> list[tuple[Any, ...]]:
    """The values of each row of the sheet, the headings first. Reads no other sheet, which takes half the time."""
    content = workbook if isinstance(workbook, bytes) else workbook.read_bytes()
    return list(openpyxl.load_workbook(io.BytesIO(content), read_only=True)["Tickets"].iter_rows(values_only=True))


def tickets_table(workbook: Path | bytes) -> list[dict[str, Any]]:
    """A row for each ticket, in the order of the sheet."""
    header, *rows = tickets_values(workbook)
    return [dict(zip(map(field_of, header), row, strict=True)) for row in rows]
