"""The workbook, read back."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import fields, replace
from pathlib import Path
from textwrap import wrap
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.properties import PageSetupProperties

from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.report import Report, ReportContext, Row, build_report
from ticketattr.domain.ticket import AttributedTicket, Attribution, Ticket, Unattributed
from ticketattr.domain.usage import Bill
from ticketattr.errors import InputError, SettingsError
from ticketattr.infrastructure.reports.excel import MAX_CELL, ExcelReports, write_workbook
from ticketattr.infrastructure.words import LANGUAGES

from ...fakes import CATALOG, GENERAL, LAPTOP, MIDNIGHT, PASSWORD, STOLEN
from ...workbooks import field_of, tickets_sheet, tickets_table

RUN = "20261123T150301Z-7f3a"

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
NOT_TEXT = {
    *("sla_value", "sla_hours", "age_days", "confidence", "place", "url"),
    *("due", "overdue_by", "response_due", "urgency", "since_last_report"),
}
EFFECTS = {"written", "suggested", "kept_by_person", "conflict", "not_written"}
OPTIONAL = {"due", "overdue_by", "urgency", "response_due", "status", "priority", "assignee", "group", "updated_at"} | {
    "decision"
}
FIRST_COLUMNS = ["Ticket", "Category", "Request type", "Short description", "SLA", "SLA unit"]


def a_workbook(*rows: Row, run_id: str = RUN, language: str = "en") -> bytes:
    file = io.BytesIO()
    write_workbook(Report(run_id, MIDNIGHT, rows, ReportContext(language=language)), file)
    return file.getvalue()


opened, table = tickets_sheet, tickets_table


def kept(text: str) -> str:
    """What Excel shows for a cell with `text`: it decodes `_x0041_` to `A` (ECMA-376, ST_Xstring)."""
    with zipfile.ZipFile(io.BytesIO(a_workbook(Row("T-1", short_description=text)))) as archive:
        sheet = ET.fromstring(archive.read("xl/worksheets/sheet4.xml"))  # noqa: S314  # ours
    (cell,) = (element for element in sheet.iter(f"{MAIN}c") if element.get("r") == "D2")
    pieces = (piece.text or "" for piece in cell.iter(f"{MAIN}t"))
    return "".join(re.sub("_x([0-9A-Fa-f]{4})_", lambda code: chr(int(code[1], 16)), piece) for piece in pieces)


def link_of(cell: Any) -> str:
    """The place in the workbook that the link of a cell leads to."""
    return str(cell.hyperlink.location)


def formulas(content: bytes) -> list[str]:
    """Every formula in the raw XML, because a library may be less strict than Excel."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/")]
    assert sheets
    elements = (element for sheet in sheets for element in ET.fromstring(sheet).iter())  # noqa: S314  # ours
    return [str(element.text) for element in elements if element.tag.rpartition("}")[2] == "f"]


OF_SOME_HELPDESKS = ("status", "priority", "assignee", "group", "updated_at")


class TestSheet:
    def test_the_first_columns_are_those_that_the_service_desk_needs(self) -> None:
        (header,) = opened(a_workbook()).iter_rows(values_only=True)
        assert list(header)[:6] == FIRST_COLUMNS
        shown = {field.name for field in fields(Row)} - {"url"} - OPTIONAL - EFFECTS | {"checked"}
        assert set(map(field_of, header)) == shown

    def test_rows_come_in_the_order_of_the_report(self) -> None:
        assert [row["id"] for row in table(a_workbook(Row("b"), Row("a"), Row("c")))] == ["b", "a", "c"]

    def test_a_report_is_sorted_by_category_type_and_description_with_blanks_last(self) -> None:
        tickets = [
            AttributedTicket(Ticket("6", "no idea"), Unattributed("no_match")),
            AttributedTicket(Ticket("5", "anything"), Attribution(GENERAL, "model")),
            AttributedTicket(Ticket("4", ""), Attribution(PASSWORD, "model")),
            AttributedTicket(Ticket("3", "beta"), Attribution(PASSWORD, "model")),
            AttributedTicket(Ticket("2", "Alpha"), Attribution(PASSWORD, "model")),
            AttributedTicket(Ticket("1", "zeta"), Attribution(LAPTOP, "model")),
        ]
        report = build_report(tickets, run_id=RUN, generated_at=MIDNIGHT)
        assert [row["id"] for row in table(a_workbook(*report.rows))] == ["2", "3", "4", "1", "5", "6"]

    def test_the_header_is_bold_frozen_and_filtered(self) -> None:
        sheet = opened(a_workbook(Row("1"), Row("2")))
        assert all(cell.font.bold for cell in sheet[1])
        assert not any(cell.font.bold for cell in sheet[2])
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == f"A1:{sheet.cell(3, sheet.max_column).coordinate}"

    def test_columns_fit_their_content_within_bounds(self) -> None:
        sheet = opened(a_workbook(Row("1", short_description="x" * 30, long_description="y" * 5000)))
        dimensions = list(sheet.column_dimensions.values())
        by_place = {place: one.width for one in dimensions for place in range(one.min or 0, (one.max or 0) + 1)}
        header = [str(cell.value) for cell in sheet[1]]
        widths = {field_of(name): by_place[place] for place, name in enumerate(header, start=1)}
        assert 30 < widths["short_description"] < 40
        assert widths["id"] < 15
        assert widths["long_description"] <= 61
        # A heading of several words may be wrapped.
        assert all(widths[field_of(name)] >= max(map(len, name.split())) for name in header)

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_every_heading_fits_the_height_of_the_header(self, language: str) -> None:
        sheet = opened(a_workbook(Row("1"), language=language))
        by_place = {
            place: one.width
            for one in sheet.column_dimensions.values()
            for place in range(one.min or 0, (one.max or 0) + 1)
        }
        lines = {
            str(cell.value): len(wrap(str(cell.value), int(by_place[place]) - 2))
            for place, cell in enumerate(sheet[1], start=1)
        }
        assert max(lines.values()) * 15 <= sheet.row_dimensions[1].height, lines

    def test_numbers_are_numbers(self) -> None:
        (row,) = table(a_workbook(Row("1", sla_value=1.5, sla_unit="weeks", confidence=0.25)))
        assert (row["sla_value"], row["sla_unit"], row["confidence"]) == (1.5, "weeks", 0.25)

    def test_an_sla_of_zero_is_printed(self) -> None:
        (row,) = table(a_workbook(Row("1", sla_value=STOLEN.sla.value, sla_unit=STOLEN.sla.unit)))
        assert (row["sla_value"], row["sla_unit"]) == (0, "minutes")

    def test_an_unknown_value_is_an_empty_cell(self) -> None:
        (row,) = table(a_workbook(Row("1")))
        assert {name for name, value in row.items() if value is not None} == {"id"}

    @pytest.mark.parametrize("id", ["007", "1e5", "TRUE", "12345678901234567890", "2026-11-23", "1/2"])
    def test_an_id_stays_as_it_is_written(self, id: str) -> None:
        assert table(a_workbook(Row(id)))[0]["id"] == id

    def test_a_report_without_rows_opens(self) -> None:
        assert table(a_workbook()) == []


class TestText:
    @pytest.mark.parametrize(
        "text",
        [
            "=1+1",
            '=HYPERLINK("http://example.com","click")',
            "=cmd|' /C calc'!A0",
            "+1+1",
            "-1",
            "@SUM(A1:A2)",
            "\t=1+1",
            " =1+1",
            "#N/A",
            "#REF!",
            "'=1+1",
            "{=1+1}",
            "_x0041_",
            "_x000D_",
            "_x005F_",
            "a\nb",
            "  both ends  ",
            "🎉 Zażółć 报告 עברית",
            "<r>&amp;</r>",
            "<r></r>",
            "_x0041_x0042_x0043_",
            "<b>&amp;\"'</b>",
            "]]>",
            "TRUE",
        ],
        ids=repr,
    )
    def test_text_is_never_changed(self, text: str) -> None:
        assert kept(text) == text

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1", "=", "==", "#N/A"], ids=repr)
    def test_text_is_never_a_formula_now_or_when_it_is_edited(self, text: str) -> None:
        everywhere: dict[str, Any] = {field.name: text for field in fields(Row) if field.name not in NOT_TEXT}
        content = a_workbook(Row(**everywhere))
        assert formulas(content) == []
        cells = [cell for cell in opened(content)[2] if cell.value is not None]
        assert len(cells) == len(everywhere)
        assert {cell.data_type for cell in cells} == {"s"}
        assert all(cell.quotePrefix for cell in cells)

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("a\r\nb\rc", "a\nb\nc"),
            ("a\0b", "a␀b"),
            ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
            ("\x0b\x0c\x1f", "␋␌␟"),
            ("\x7f", "␡"),
            ("\ufffe\uffff", "\ufffd\ufffd"),
            ("half \ud83d pair", "half \ufffd pair"),
            ("\x85\u2028", "[U+0085][U+2028]"),
            ("\u202efdp.exe", "[U+202E]fdp.exe"),
            ("\u2066a\u2069\u200f", "[U+2066]a[U+2069][U+200F]"),
        ],
        ids=[
            "line ends",
            "NUL",
            "escape",
            "other controls",
            "delete",
            "no characters",
            "half a pair",
            "line ends of others",
            "override of direction",
            "isolates",
        ],
    )
    def test_characters_that_excel_cannot_store_are_shown_by_a_sign(self, text: str, shown: str) -> None:
        assert kept(text) == shown

    @pytest.mark.parametrize("character", ["x", "ü", "🎉"], ids=["ASCII", "two bytes", "two units"])
    def test_text_that_is_too_long_is_cut_and_says_so(self, character: str) -> None:
        shown = kept(character * 40_000)
        assert shown.startswith(character * 100)
        assert shown.endswith("[cut]")
        assert len(shown.encode("utf-16-le")) // 2 <= MAX_CELL

    def test_text_that_just_fits_is_not_cut(self) -> None:
        assert kept("x" * MAX_CELL) == "x" * MAX_CELL

    @settings(max_examples=settings().max_examples // 5)  # a workbook for each
    @given(st.lists(st.text(st.characters(exclude_categories=()), max_size=80), max_size=5))
    def test_with_any_text_each_ticket_has_one_row_and_the_workbook_opens(self, texts: list[str]) -> None:
        tickets = [
            AttributedTicket(Ticket(str(number), text, text, requester_email=text), Unattributed("no_match", text))
            for number, text in enumerate(texts)
        ]
        report = build_report(tickets, run_id=RUN, generated_at=MIDNIGHT)
        content = a_workbook(*report.rows)
        assert sorted(row["id"] for row in table(content)) == [ticket.ticket.id for ticket in tickets]
        assert formulas(content) == []


class TestReader:
    """What the workbook offers to its reader besides the rows."""

    def context(self) -> ReportContext:
        return ReportContext(
            bill=Bill(model="gemini-test"), catalog=CATALOG, ticket_url="https://desk.example.com/{id}"
        )

    def a_report(self) -> Report:
        tickets = [
            AttributedTicket(Ticket("1", "locked"), Attribution(PASSWORD, "model", 0.9)),
            AttributedTicket(Ticket("2", "broken"), Attribution(LAPTOP, "model", 0.2, alternatives=(GENERAL, STOLEN))),
            AttributedTicket(Ticket("", "lunch"), Unattributed("no_match")),
        ]
        return build_report(tickets, run_id=RUN, generated_at=MIDNIGHT, context=self.context())

    def workbook(self) -> openpyxl.Workbook:
        file = io.BytesIO()
        write_workbook(self.a_report(), file)
        return openpyxl.load_workbook(file)

    def test_the_summary_opens_first_and_the_catalog_is_hidden(self) -> None:
        workbook = self.workbook()
        assert workbook.sheetnames == ["Summary", "Act now", "Needs review", "Tickets", "Catalog", "Figures"]
        assert workbook.active is workbook["Summary"]
        assert [sheet.sheet_state for sheet in workbook.worksheets] == [*["visible"] * 4, "hidden", "veryHidden"]

    def test_without_a_catalog_there_are_no_drop_down_lists(self) -> None:
        assert "Catalog" not in openpyxl.load_workbook(io.BytesIO(a_workbook(Row("1")))).sheetnames
        assert opened(a_workbook(Row("1"))).data_validations.count == 0

    def test_category_and_type_are_drop_down_lists_with_the_entries_of_the_catalog(self) -> None:
        sheet = self.workbook()["Tickets"]
        category, request_type, _ = sheet.data_validations.dataValidation
        assert (str(category.sqref), category.formula1) == ("B2:B4", "Catalog!$E$2:$E$4")
        assert str(request_type.sqref) == "C2:C4"
        assert str(request_type.formula1).startswith("OFFSET(Catalog!$B$1,")
        assert {validation.errorStyle for validation in (category, request_type)} <= {None, "stop"}
        assert all("changes the SLA" in str(validation.prompt) for validation in (category, request_type))

    def test_the_catalog_sheet_holds_the_types_of_a_category_together(self) -> None:
        entries = (PASSWORD, LAPTOP, replace(GENERAL, category="Access"), STOLEN)
        file = io.BytesIO()
        write_workbook(Report(RUN, MIDNIGHT, (Row("1"),), ReportContext(catalog=ServiceCatalog(entries))), file)
        sheet = openpyxl.load_workbook(file)["Catalog"]
        pairs = [(row[0], row[1]) for row in sheet.iter_rows(min_row=2, values_only=True)]
        assert pairs == [
            ("Access", "Password Reset"),
            ("Access", "General Inquiry"),
            ("Hardware", "Laptop Repair"),
            ("Hardware", "Stolen Device"),
        ]
        groups = [row[4:7] for row in sheet.iter_rows(min_row=2, max_row=3, values_only=True)]
        assert groups == [("Access", 1, 2), ("Hardware", 3, 2)]

    def test_needs_review_links_into_tickets_with_reasons_and_the_next_best(self) -> None:
        workbook = self.workbook()
        sheet, tickets = workbook["Needs review"], workbook["Tickets"]
        rows = [[cell.value for cell in row] + [link_of(row[0])] for row in sheet.iter_rows(min_row=6, max_row=7)]
        assert rows == [
            [
                *("2", "unsure: the confidence 0.2 is below 0.6", "broken", "Hardware / Laptop Repair"),
                *("Other / General Inquiry\nHardware / Stolen Device", "'Tickets'!B3"),
            ],
            ["row 4", "no request type: no entry of the catalog fits", "lunch", None, None, "'Tickets'!B4"],
        ]
        assert [tickets["D3"].value, tickets["D4"].value] == ["broken", "lunch"]

    def test_a_ticket_links_to_the_helpdesk_if_that_is_set(self) -> None:
        sheet = self.workbook()["Tickets"]
        assert [sheet[cell].hyperlink and sheet[cell].hyperlink.target for cell in ("A2", "A3", "A4")] == [
            "https://desk.example.com/1",
            "https://desk.example.com/2",
            None,
        ]
        assert opened(a_workbook(Row("1")))["A2"].hyperlink is None

    def test_the_figures_of_the_summary_sum_to_the_rows(self) -> None:
        sheet = self.workbook()["Summary"]
        rows = list(sheet.iter_rows(values_only=True, max_col=3))
        counts = {str(name): count for count, name, _ in rows if count is not None}
        facts = {str(name): value for count, name, value in rows if count is None}
        assert [count for count, name, _ in rows if name == "all"] == [3] * 5
        assert (counts["attributed"], counts["needs review"], counts["Access"], counts["no SLA"]) == (1, 2, 1, 1)
        assert (facts["run"], facts["model"]) == (RUN, "gemini-test")

    def test_the_sheet_prints_on_landscape_pages_with_the_header_on_each(self) -> None:
        sheet = self.workbook()["Tickets"]
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.page_setup.fitToHeight == 0
        assert sheet.sheet_properties.pageSetUpPr == PageSetupProperties(fitToPage=True)
        assert sheet.oddFooter is not None
        assert sheet.oddFooter.right.text == "&P / &N"


class TestFile:
    def test_more_tickets_than_a_sheet_has_rows_are_refused(self) -> None:
        with pytest.raises(InputError, match="a sheet holds 1,048,575 tickets"):
            a_workbook(*[Row("1")] * 1_048_576)

    def test_the_same_report_makes_the_same_bytes(self) -> None:
        assert a_workbook(Row("1"), Row("2")) == a_workbook(Row("1"), Row("2"))

    def test_another_report_makes_other_bytes(self) -> None:
        assert len({a_workbook(Row("1")), a_workbook(Row("2")), a_workbook(Row("1"), run_id="another")}) == 3

    def test_the_workbook_names_its_run(self) -> None:
        workbook = openpyxl.load_workbook(io.BytesIO(a_workbook()))
        assert workbook.custom_doc_props["run_id"].value == RUN  # type: ignore[attr-defined]  # older stubs
        assert RUN in str(workbook.properties.title)
        assert workbook.properties.created == workbook.properties.modified == MIDNIGHT.replace(tzinfo=None)

    def test_every_part_of_the_archive_is_valid(self) -> None:
        with zipfile.ZipFile(io.BytesIO(a_workbook(Row("1")))) as archive:
            assert archive.testzip() is None
            assert len(archive.namelist()) == len(set(archive.namelist()))

    def test_writing_replaces_an_earlier_file(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "report.xlsx"
        for row in (Row("1"), Row("2")):
            ExcelReports().write(Report(RUN, MIDNIGHT, (row,)), path)
        assert [row["id"] for row in table(path.read_bytes())] == ["2"]
        assert [file.name for file in path.parent.iterdir()] == ["report.xlsx"]

    def test_a_path_that_cannot_be_written_is_a_wrong_setting_and_leaves_no_file(self, tmp_path: Path) -> None:
        (tmp_path / "report.xlsx").mkdir()
        with pytest.raises(SettingsError):
            ExcelReports().write(Report(RUN, MIDNIGHT, ()), tmp_path / "report.xlsx")
        assert [path.name for path in tmp_path.iterdir()] == ["report.xlsx"]
