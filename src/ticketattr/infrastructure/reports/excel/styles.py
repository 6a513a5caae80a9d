"""The formats of the workbook. Colour-blind people can tell its colours apart (Okabe-Ito), also in print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from ....domain.report import Report

BLUE, DARK_BLUE, GREY = "#0072B2", "#1F4E78", "#595959"
_PALE_BLUE, _PALE_ORANGE, _PALE_RED = "#DDEBF7", "#FFF2CC", "#F8D9CC"
_LINE = {"bottom": 1, "bottom_color": "#D9D9D9"}

# With the first, a leading "=" stays text even if somebody edits the cell; the second keeps new text as text.
_STAYS_TEXT = {"quote_prefix": True, "text_wrap": True}
_SHORT = {**_STAYS_TEXT, "num_format": "@"}


@dataclass(frozen=True, slots=True)
class Styles:
    """The formats of one workbook. `prose` is for long text from strangers; `text` to `link` are for short text."""

    header: Format
    editable_header: Format
    text: Format
    editable: Format
    flag: Format
    link: Format
    prose: Format
    number: Format
    tenths: Format
    hundredths: Format
    time: Format
    urgent: Format
    title: Format
    section: Format
    section_title: Format
    note: Format
    wrapped_note: Format
    aside: Format
    label: Format
    wrapped_label: Format
    fact: Format
    count: Format
    total_label: Format
    total: Format
    internal_link: Format
    rule: Format


def set_up_page(sheet: Worksheet, report: Report) -> None:
    """Set up printing: A4 landscape, fitted to the width, with run and page number at the foot of each page."""
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&L{report.run_id}&R&P / &N")


def make_styles(workbook: Workbook, time_format: str) -> Styles:
    """Add all formats to `workbook`. `time_format` is that of times, as spreadsheets write it."""

    def made(**properties: Any) -> Format:
        return workbook.add_format({"valign": "top", **properties})

    heading = {"bold": True, "font_color": "#FFFFFF", "valign": "vcenter", "text_wrap": True}
    return Styles(
        header=made(**heading, bg_color=DARK_BLUE),
        editable_header=made(**heading, bg_color=BLUE),
        text=made(**_SHORT),
        editable=made(**_SHORT, bg_color=_PALE_BLUE),
        flag=made(**_SHORT, bg_color=_PALE_ORANGE),
        link=made(**_SHORT, font_color=BLUE, underline=1),
        prose=made(**_STAYS_TEXT),
        number=made(num_format="General", align="right", indent=1),
        tenths=made(num_format="#,##0.0", align="right", indent=1),
        hundredths=made(num_format="0.00", align="right", indent=1),
        time=made(num_format=time_format, align="left", indent=1),
        urgent=made(**_SHORT, bold=True, bg_color=_PALE_RED),
        title=made(bold=True, font_size=16, font_color=DARK_BLUE),
        section=made(bold=True, font_size=12, font_color=DARK_BLUE, bottom=2, bottom_color=DARK_BLUE),
        section_title=made(bold=True, font_size=12, font_color=DARK_BLUE),
        note=made(font_color=GREY),
        wrapped_note=made(font_color=GREY, text_wrap=True),
        aside=made(font_color=GREY, align="left", text_wrap=True),
        label=made(quote_prefix=True),
        wrapped_label=made(**_STAYS_TEXT),
        fact=made(**_SHORT, align="left"),
        count=made(num_format="#,##0", align="right", indent=1),
        total_label=made(bold=True, top=1),
        total=made(bold=True, top=1, num_format="#,##0", align="right", indent=1),
        internal_link=made(font_color=BLUE, underline=1),
        rule=workbook.add_format(_LINE),
    )
