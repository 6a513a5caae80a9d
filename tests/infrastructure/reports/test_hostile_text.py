"""Hostile text in every text column of every format stays harmless."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pytest

from ticketattr.domain.report import Report, ReportContext, Row
from ticketattr.domain.sanitizing import sanitize
from ticketattr.infrastructure.reports.cell_text import cell_matches
from ticketattr.infrastructure.reports.csv_report import CSVReports
from ticketattr.infrastructure.reports.excel import MAX_CELL, ExcelReports
from ticketattr.infrastructure.reports.html_report import HTMLReports

from ...fakes import CATALOG, MIDNIGHT
from ...hostile import hostile_texts

TEXTS = hostile_texts()
NOT_TEXT = {
    *("sla_value", "sla_hours", "age_days", "confidence", "place", "url"),
    *("due", "overdue_by", "response_due", "urgency"),
}


@pytest.fixture(scope="module")
def report() -> Report:
    def row(place: int, text: str) -> Row:
        everywhere: dict[str, Any] = {field.name: text for field in fields(Row) if field.name not in NOT_TEXT}
        # Every second row has a link, whose text is the hostile one.
        return Row(**everywhere, url=f"https://desk.example.com/{place}" if place % 2 else "", place=place)

    rows = tuple(row(place, text) for place, text in enumerate(TEXTS, start=1))
    return Report("20261123T150301Z-7f3a", MIDNIGHT, rows, ReportContext(catalog=CATALOG))


@pytest.fixture(scope="module")
def workbook(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "report.xlsx"
    ExcelReports().write(report, path)
    return path


@pytest.fixture(scope="module")
def sheet(workbook: Path) -> Any:
    return openpyxl.load_workbook(workbook)["Tickets"]


def test_the_hostile_texts_are_many_and_different() -> None:
    assert len(set(TEXTS)) >= 500


def test_the_workbook_opens_with_one_row_for_each_ticket_and_its_text(sheet: Any) -> None:
    header, *rows = sheet.iter_rows(values_only=True)
    assert len(rows) == len(TEXTS)
    place = header.index("Place in the queue")
    for row, text in zip(rows, TEXTS, strict=True):
        assert row[place] is not None
        assert cell_matches(str(row[3] or ""), text)
        assert len(str(row[3] or "").encode("utf-16-le")) // 2 <= MAX_CELL + 6 * str(row[3]).count("_x005F_")


def test_the_xml_of_every_sheet_is_valid_and_holds_no_formula(workbook: Path) -> None:
    with zipfile.ZipFile(workbook) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            root = ET.fromstring(archive.read(name))  # noqa: S314  # ours
            assert not [element for element in root.iter() if element.tag.rpartition("}")[2] == "f"] or "chart" in name


def test_every_cell_with_text_is_marked_as_text(sheet: Any) -> None:
    for line in sheet.iter_rows(min_row=2):
        for cell in line:
            if isinstance(cell.value, str):
                assert cell.data_type == "s"
                assert cell.quotePrefix or cell.row == 1


def test_no_hidden_character_reaches_the_reader(sheet: Any) -> None:
    for row in sheet.iter_rows(values_only=True):
        assert all(sanitize(cell) == cell for cell in row if isinstance(cell, str))


def test_csv_has_one_row_for_each_ticket_and_no_cell_that_starts_a_formula(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    CSVReports().write(report, path)
    text = path.read_bytes().decode("utf-8-sig")
    _, *rows = csv.reader(io.StringIO(text, newline=""))
    assert len(rows) == len(TEXTS)
    for row, text in zip(rows, TEXTS, strict=True):
        assert row[0] in (sanitize(text), f"'{sanitize(text)}")
        assert not [cell for cell in row if cell.lstrip(" ").startswith(tuple("=+-@\t\n\uff1d\uff20"))]


class Page(HTMLParser):
    """Collects the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes |= {name for name, _ in attrs}


def test_html_holds_only_the_tags_of_the_page(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    HTMLReports().write(report, path)
    text = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert not {"img", "r", "t", "si"} & set(page.tags)
    assert page.tags["script"] == page.tags["style"] == 1
    assert not [name for name in page.attributes if name.startswith("on") or name in ("src", "style")]
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert body.count("<tr><td>") + body.count(" data-r><td>") == len(TEXTS)
    assert text.endswith("</html>\n")


@pytest.mark.parametrize("writer", [CSVReports(), HTMLReports(), ExcelReports()], ids=lambda one: type(one).__name__)
def test_the_same_report_makes_the_same_bytes(
    report: Report, tmp_path: Path, writer: CSVReports | HTMLReports | ExcelReports
) -> None:
    contents = []
    for name in "ab":
        writer.write(replace(report, rows=report.rows[::10]), tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
