"""A hostile workbook takes little time and memory."""

from __future__ import annotations

import io
import os
import time
import zipfile
from contextlib import nullcontext
from pathlib import Path

import openpyxl
import pytest

from ticketattr.domain.report import Report, Row
from ticketattr.errors import InputError
from ticketattr.infrastructure.delivery.report_folder import OutputFolder
from ticketattr.infrastructure.evaluation.gold_files import GoldFile
from ticketattr.infrastructure.reports import safe_workbook_reader
from ticketattr.infrastructure.reports.corrections_reader import read_reviewed
from ticketattr.infrastructure.reports.excel import write_workbook
from ticketattr.infrastructure.reports.safe_workbook_reader import MAX_PART, open_workbook, read_rows
from ticketattr.infrastructure.reports.workbook_archive import MAX_BYTES, MAX_PARTS, MAX_UNPACKED

from ...conftest import CLI, DATA
from ...fakes import MIDNIGHT

RUN = "20261123T150301Z-7f3a"
SHEET = "xl/worksheets/sheet1.xml"


def reported(run_id: str = RUN) -> bytes:
    file = io.BytesIO()
    write_workbook(Report(run_id, MIDNIGHT, (Row("T-1", short_description="Forgot my password"),)), file)
    return file.getvalue()


def with_part(name: str, content: bytes, base: bytes | None = None) -> bytes:
    """The workbook with other content in one part."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(base or reported())) as source,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as to,
    ):
        for part in source.namelist():
            if part != name:
                to.writestr(part, source.read(part))
        to.writestr(name, content)
    return file.getvalue()


def tickets_part() -> str:
    """The part with the sheet that is read."""
    with zipfile.ZipFile(io.BytesIO(reported())) as workbook:
        return next(
            name
            for name in workbook.namelist()
            if "worksheets/sheet" in name and b"Place in the queue" in workbook.read(name)
        )


def sheet(rows: str, prolog: str = "") -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'{prolog}<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'.encode()


def larger_than_memory() -> bytes:
    """A workbook of a few KB whose directory lists one part of 600 MB many times: the parts share their bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/workbook.xml", bytes(1024 * 1024))
        (first,) = bomb.filelist
        bomb.filelist.extend([first] * (MAX_UNPACKED // first.file_size))
    return file.getvalue()


def many_parts() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bomb:
        bomb.writestr("xl/workbook.xml", b"")
        bomb.filelist.extend(bomb.filelist * MAX_PARTS)
    return file.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.xlsx"


def refusals(path: Path) -> list[str]:
    """What each reader of workbooks says about this one."""
    said = []
    for read in (read_reviewed, GoldFile.read):
        with pytest.raises(InputError) as refused:
            read(path)
        said.append(str(refused.value))
    return [*said, *(report.damage for report in OutputFolder(path.parent).reports())]


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(path: Path) -> None:
    path.write_bytes(larger_than_memory())
    assert path.stat().st_size < 100_000
    assert [text.partition("unpacks to more than ")[2] for text in refusals(path)] == ["536,870,912 bytes"] * 3


def test_a_directory_of_very_many_parts_is_refused_before_it_is_read(path: Path) -> None:
    path.write_bytes(many_parts())
    assert all("more than 10,000 parts" in text for text in refusals(path))


@pytest.mark.thorough
def test_a_huge_file_is_read_up_to_the_limit(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1024**4)
    said = refusals(path)
    assert len(said) == 3
    assert all(f"larger than {MAX_BYTES:,} bytes" in text for text in said)


@pytest.mark.parametrize("packer", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_workbook_with_an_unusual_compression_is_not_unpacked(path: Path, packer: int) -> None:
    """These decompressors return everything that a piece of input stands for, whatever size the directory states."""
    with zipfile.ZipFile(path, "w", packer) as workbook:
        workbook.writestr("xl/workbook.xml", bytes(1000))
    said = refusals(path)
    assert len(said) == 3
    assert all("compressed by a method that workbooks do not use" in text for text in said)


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", SHEET])
def test_more_tags_than_a_report_can_have_are_refused(path: Path, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each tag takes a hundred bytes in memory, and a part of half a gigabyte can hold very many."""
    openpyxl.Workbook().save(path)
    monkeypatch.setattr(safe_workbook_reader, "MAX_TAGS", 10_000)
    path.write_bytes(with_part(part, b"<si/>" * 10_000, path.read_bytes()))
    assert all("more than 10,000 tags" in text for text in refusals(path)[:2])


def test_a_part_that_openpyxl_reads_as_a_whole_must_be_small(path: Path) -> None:
    openpyxl.Workbook().save(path)
    path.write_bytes(with_part("xl/styles.xml", b" " * (MAX_PART + 1), path.read_bytes()))
    assert all("xl/styles.xml unpacks to more than 16,777,216 bytes" in text for text in refusals(path)[:2])


@pytest.mark.parametrize("text", ["ha", "&b;"])
def test_entities_are_not_resolved(path: Path, text: str) -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>' if text == "&b;" else ""
    rows = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{text}</t></is></c></row>'
    openpyxl.Workbook().save(path)
    path.write_bytes(with_part(SHEET, sheet(rows, laughs), path.read_bytes()))
    seen = []
    with (
        pytest.raises(InputError) if laughs else nullcontext(),
        open_workbook(path, expected="a workbook") as workbook,
    ):
        seen = list(read_rows(workbook.worksheets[0]))
    assert seen == ([] if laughs else [("ha", *[None] * 63)])


def test_a_sheet_that_states_endless_rows_and_columns_is_read_within_bounds(path: Path) -> None:
    openpyxl.Workbook().save(path)
    rows = '<row r="1"><c r="XFD1"><v>1</v></c></row><row r="999999999999999999"><c r="A1"><v>1</v></c></row>'
    path.write_bytes(with_part(SHEET, sheet(rows), path.read_bytes()))
    with open_workbook(path, expected="a workbook") as workbook:
        widths = [len(line) for line in read_rows(workbook.worksheets[0])]
    assert (len(widths), set(widths)) == (1_048_576, {64})


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "9" * 5000, "1e308"])
def test_an_invalid_place_is_read_as_no_place(path: Path, number: str) -> None:
    names = ("place", "id", "short_description", "request_category", "request_type")
    header = "".join(
        f'<c r="{column}1" t="inlineStr"><is><t>{name}</t></is></c>'
        for column, name in zip("ABCDE", names, strict=True)
    )
    rows = f'<row r="1">{header}</row><row r="2"><c r="A2" t="n"><v>{number}</v></c></row>'
    path.write_bytes(with_part(tickets_part(), sheet(rows)))
    try:
        (row,) = read_reviewed(path).rows
    except InputError:
        return
    assert row.place is None or row.place > 10**9


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes that have a name")
def test_a_pipe_and_a_device_do_not_block_a_command(path: Path, cli: CLI) -> None:
    """A plain open waits for ever at a pipe that nobody writes to, and /dev/zero never ends."""
    output = cli.folder / "output"
    output.mkdir()
    os.mkfifo(output / "pipe.xlsx")
    (output / "zero.xlsx").symlink_to("/dev/zero")
    (output / "to-pipe.xlsx").symlink_to("pipe.xlsx")
    assert OutputFolder(output).reports() == []
    cli.ok("pending", "list")
    for name in ("pipe.xlsx", "zero.xlsx", "to-pipe.xlsx"):
        for command in (
            ("corrections", "import"),
            ("send", "--report"),
            ("evaluate", "--catalog", str(DATA / "catalog.yaml")),
        ):
            result = cli(*command, str(output / name))
            assert result.exit_code == 3, (name, command, result.output)
            assert "it is not a file but a pipe or a device" in result.output.replace("\n", " ")


@pytest.mark.parametrize(
    "run_id", ["../../etc", "/etc/passwd", "..", "", f"{RUN}/..", f"{RUN}\n", "20261123T150301Z-7F3A"]
)
def test_a_run_id_that_is_a_path_is_refused(path: Path, cli: CLI, run_id: str) -> None:
    path.write_bytes(reported(run_id))
    outside = (cli.folder / "work" / run_id.lstrip("/")).resolve()
    outside.mkdir(parents=True, exist_ok=True)
    before = {file: file.read_bytes() for file in cli.folder.rglob("*") if file.is_file()}
    result = cli("corrections", "import", str(path))
    assert result.exit_code == 3
    assert "Give a workbook that" in result.output
    assert {file: file.read_bytes() for file in cli.folder.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize(
    "run_id", ["../../../etc", "/etc", f"{RUN}/..", "20261123T150301Z-7F3A", "٢٠٢٦١١٢٣T150301Z-7f3a"]
)
def test_a_report_names_no_run_if_its_run_id_is_invalid(path: Path, run_id: str) -> None:
    path.write_bytes(reported(run_id))
    (report,) = OutputFolder(path.parent).reports()
    assert (report.run_id, report.damage) == ("", "")


@pytest.mark.parametrize(
    "text",
    ["<property " * 90_000, "<property " + 'name="run_id" ' * 70_000, '<property name="run_id">' + " " * 900_000],
)
def test_hostile_properties_do_not_make_the_search_slow(path: Path, text: str) -> None:
    """A search that reads on from each start of the pattern would take hours."""
    path.write_bytes(with_part("docProps/custom.xml", text.encode()))
    began = time.monotonic()
    (report,) = OutputFolder(path.parent).reports()
    assert report.run_id in ("", RUN)
    assert time.monotonic() - began < 5


def test_error_messages_about_a_workbook_are_short(path: Path) -> None:
    content = bytearray(with_part("xl/media/image1.png", bytes(60_000)))
    content[26:28] = (9_000).to_bytes(2, "little")  # the length of the first name, where its content begins
    path.write_bytes(content)
    said = refusals(path)
    assert len(said) == 3
    assert all(len(text) < 1_000 for text in said)
