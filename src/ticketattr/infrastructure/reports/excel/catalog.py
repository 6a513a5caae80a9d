"""Sheet `Catalog`, which is hidden: the entries of the drop-down lists on the sheet `Tickets`.

A, B, C   category, request type and SLA of each entry, the entries of a category together
E, F, G   each category, the row below the heading where its entries begin, and their number
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from ....domain.catalog import RequestType, ServiceCatalog
from ....domain.correction import CHECK_MARK
from ....domain.report import Report
from ..labels import words_of
from .cells import write_text
from .styles import Styles

SHEET = "Catalog"

_FOLLOWS = "The next run after the import of the corrections changes the SLA."


def write_catalog_sheet(workbook: Workbook, catalog: ServiceCatalog, styles: Styles) -> None:
    """Add the sheet to `workbook`."""
    sheet = workbook.add_worksheet(SHEET)
    groups = _by_category(catalog.entries)
    starts = _starts(groups)
    rows = [entry for _, entries in groups for entry in entries]
    for column, heading in enumerate(("Category", "Request type", "SLA", "", "Category", "First", "Count")):
        write_text(sheet, 0, column, heading, styles, styles.header)
    for place, entry in enumerate(rows):
        for column, text in enumerate((entry.category, entry.name, str(entry.sla))):
            write_text(sheet, place + 1, column, text, styles)
        if place < len(groups):
            write_text(sheet, place + 1, 4, groups[place][0], styles)
            sheet.write_number(place + 1, 5, starts[place])
            sheet.write_number(place + 1, 6, len(groups[place][1]))
    sheet.set_column(0, 4, 30)
    sheet.protect()
    sheet.hide()


def add_drop_downs(sheet: Worksheet, report: Report, rows: int, columns: tuple[int, int]) -> None:
    """Add lists to the `columns` of category and request type, `rows` rows long; the types fit the category."""
    say, catalog = words_of(report), report.context.catalog
    last = len(_by_category(catalog.entries if catalog else ())) + 1
    chosen = f"({SHEET}!$E$2:$E${last}=$B2)"
    # SUMPRODUCT compares text literally; MATCH would treat a "*" in a name as a wildcard.
    first, count = (f"SUMPRODUCT({chosen}*{SHEET}!${column}$2:${column}${last})" for column in "FG")
    sources = (f"={SHEET}!$E$2:$E${last}", f"=OFFSET({SHEET}!$B$1,{first},0,{count},1)")
    for column, source, what in zip(columns, sources, ("category", "request type"), strict=True):
        sheet.data_validation(
            *(1, column, rows, column),
            {
                "validate": "list",
                "source": source,
                "input_title": say.text(f"Correct the {what}?"),
                "input_message": say.text(f"Choose another {what}. {_FOLLOWS}"),
                "error_title": say.text("Not in the service catalog"),
                "error_message": say.text("Choose from the list: first the category, then one of its request types."),
            },
        )


def add_check_list(sheet: Worksheet, report: Report, rows: int, column: int) -> None:
    """Add a list with an `x` to the column where people confirm rows, `rows` rows long."""
    say = words_of(report)
    sheet.data_validation(
        *(1, column, rows, column),
        {
            "validate": "list",
            "source": [CHECK_MARK],
            "input_title": say.text("Is this row right?"),
            "input_message": say.text("Choose x to confirm the request type. Later runs then keep it."),
            "error_type": "information",
            "error_title": say.text("Choose x or nothing"),
            "error_message": say.text("An x confirms the request type of this row."),
        },
    )


def _by_category(entries: Iterable[RequestType]) -> list[tuple[str, list[RequestType]]]:
    """The entries of each category, in the order in which the categories first appear."""
    order = {category: place for place, category in enumerate(dict.fromkeys(entry.category for entry in entries))}
    together = sorted(entries, key=lambda entry: order[entry.category])
    return [(category, list(group)) for category, group in groupby(together, key=lambda entry: entry.category)]


def _starts(groups: list[tuple[str, list[RequestType]]]) -> list[int]:
    starts, start = [], 1
    for _, entries in groups:
        starts.append(start)
        start += len(entries)
    return starts
