"""Which run a workbook names, whichever program saved it."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketattr.domain.report import Report, ReportContext, Row
from ticketattr.infrastructure.reports.corrections_reader import read_reviewed
from ticketattr.infrastructure.reports.excel import write_workbook
from ticketattr.infrastructure.reports.workbook_archive import inspect_archive

from ...fakes import CATALOG, MIDNIGHT

RUN = "20261123T150301Z-7f3a"
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_CUSTOM = "docProps/custom.xml"


def report(*rows: Row) -> bytes:
    file = io.BytesIO()
    rows = rows or (Row("T-1", short_description="Forgot my password"),)
    write_workbook(Report(RUN, MIDNIGHT, rows, context=ReportContext(catalog=CATALOG)), file)
    return file.getvalue()


REPORT = report()


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {name: package.read(name) for name in package.namelist()}


def package(content: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in content.items():
            target.writestr(name, data)
    return file.getvalue()


def without_properties(content: bytes) -> bytes:
    """As Google Sheets exports it: no part below docProps, and nothing that refers to one."""
    kept = {name: data for name, data in parts(content).items() if not name.startswith("docProps/")}
    kept["_rels/.rels"] = re.sub(rb'<Relationship [^>]*Target="docProps/[^>]*/>', b"", kept["_rels/.rels"])
    types = kept["[Content_Types].xml"]
    kept["[Content_Types].xml"] = re.sub(rb'<Override PartName="/docProps/[^>]*/>', b"", types)
    return package(kept)


def with_shared_texts(content: bytes) -> bytes:
    """As most programs save it, without properties: the texts of all cells stand in one part."""
    return without_properties(through_openpyxl(content))


def through_openpyxl(content: bytes) -> bytes:
    file = io.BytesIO()
    openpyxl.load_workbook(io.BytesIO(content)).save(file)
    return file.getvalue()


def with_prefixes(content: bytes) -> bytes:
    """As the Open XML SDK writes it: `x:` before each element of a sheet, `op:` before each property."""

    def prefixed(xml: bytes, prefix: bytes, namespace: bytes) -> bytes:
        xml = re.sub(rb"<(/?)(?=[A-Za-z])(?![A-Za-z0-9]+:)", rb"<\1" + prefix + b":", xml)
        return xml.replace(b'xmlns="' + namespace, b"xmlns:" + prefix + b'="' + namespace)

    changed = parts(content)
    for name in changed:
        if name == "xl/workbook.xml" or name.startswith(("xl/worksheets/sheet", "xl/sharedStrings")):
            changed[name] = prefixed(changed[name], b"x", _SPREADSHEET.encode())
    namespace = b"http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
    if _CUSTOM in changed:
        changed[_CUSTOM] = prefixed(changed[_CUSTOM], b"op", namespace)
    return package(changed)


def strict(content: bytes) -> bytes:
    """As Excel saves "Strict Open XML"."""

    def translated(xml: bytes) -> bytes:
        xml = re.sub(rb"http://schemas\.openxmlformats\.org/(\w+)/2006/", rb"http://purl.oclc.org/ooxml/\1/", xml)
        xml = xml.replace(b"http://purl.oclc.org/ooxml/package/", b"http://schemas.openxmlformats.org/package/2006/")
        return xml.replace(b"custom-properties", b"customProperties").replace(
            b"extended-properties", b"extendedProperties"
        )

    changed = {
        name: data if name == "[Content_Types].xml" else translated(data) for name, data in parts(content).items()
    }
    changed["xl/workbook.xml"] = changed["xl/workbook.xml"].replace(b"<workbook ", b'<workbook conformance="strict" ')
    return package(changed)


def with_other_part_names(content: bytes) -> bytes:
    changed = parts(content)
    changed["custom/properties.xml"] = changed.pop(_CUSTOM)
    changed["_rels/.rels"] = changed["_rels/.rels"].replace(b'"docProps/custom.xml"', b'"/custom/properties.xml"')
    types = changed["[Content_Types].xml"]
    changed["[Content_Types].xml"] = types.replace(b"/docProps/custom.xml", b"/custom/properties.xml")
    return package(changed)


def with_renamed_summary(content: bytes) -> bytes:
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    workbook["Summary"].title = "Übersicht"
    file = io.BytesIO()
    workbook.save(file)
    return without_properties(file.getvalue())


SAVED: list[Callable[[bytes], bytes]] = [
    without_properties,
    with_shared_texts,
    through_openpyxl,
    with_prefixes,
    strict,
    with_other_part_names,
    with_renamed_summary,
    lambda content: without_properties(with_prefixes(content)),
    lambda content: without_properties(strict(content)),
    lambda content: strict(with_prefixes(content)),
]


@pytest.mark.parametrize("saved", SAVED)
def test_a_report_names_its_run_whichever_program_saved_it(saved: Callable[[bytes], bytes], tmp_path: Path) -> None:
    content = saved(REPORT)
    assert inspect_archive(content) == ("", RUN)
    path = tmp_path / "returned.xlsx"
    path.write_bytes(content)
    review = read_reviewed(path)
    assert (review.run_id, [row.id for row in review.rows]) == (RUN, ["T-1"])


def test_the_text_of_a_ticket_cannot_name_another_run() -> None:
    other = "20200101T000000Z-0000"
    content = report(Row("run", request_category="run", request_type=other, short_description=other))
    assert inspect_archive(without_properties(content)) == ("", RUN)


def test_a_workbook_without_summary_and_properties_names_no_run(tmp_path: Path) -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(REPORT))
    del workbook["Summary"]
    path = tmp_path / "returned.xlsx"
    workbook.save(path)
    path.write_bytes(without_properties(path.read_bytes()))
    assert inspect_archive(path.read_bytes()) == ("", "")
    assert read_reviewed(path).run_id == ""


@pytest.mark.parametrize(
    "xml",
    [
        b"<a>" * 300_000,
        b"<row>" * 200_000,
        b"<sheetData>" + b"<row/>" * 150_000,
        b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 1000 + b'">]><a>' + b"&b;" * 1000 + b"</a>",
        b"<sheetData><row>" + b'<c t="s"><v>999999999</v></c>' * 100_000,
        b"\xff\xfe" + b"\x00" * 100_000,
    ],
    ids=["deep", "deep rows", "many rows", "entities", "many cells", "no text"],
)
@pytest.mark.parametrize(
    "part",
    [
        *("xl/worksheets/sheet1.xml", _CUSTOM),
        *(
            pytest.param(part, marks=pytest.mark.thorough)
            for part in ("xl/workbook.xml", "_rels/.rels", "xl/sharedStrings.xml")
        ),
    ],
)
def test_hostile_xml_takes_little_time(part: str, xml: bytes) -> None:
    content = parts(REPORT)
    content = {**content, part: xml} if part == _CUSTOM else {**parts(without_properties(REPORT)), part: xml}
    began = time.monotonic()
    damage, _ = inspect_archive(package(content))
    assert not damage
    assert time.monotonic() - began < 5


@given(data=st.data())
def test_any_xml_in_a_part_names_no_run_or_this_one(data: st.DataObject) -> None:
    content = parts(without_properties(REPORT))
    name = data.draw(st.sampled_from(sorted(content)))
    xml = content[name]
    start = data.draw(st.integers(0, len(xml)))
    changed = data.draw(st.binary(max_size=20))
    content[name] = xml[:start] + changed + xml[start + data.draw(st.integers(0, 20)) :]
    damage, run_id = inspect_archive(package(content))
    assert damage in ("", "not a workbook")
    assert run_id in ("", RUN) or len(run_id) == len(RUN)
