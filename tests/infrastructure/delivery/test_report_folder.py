"""The folder of finished reports, with real workbooks."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketattr.domain.delivery import ReportFile
from ticketattr.domain.report import Report, Row
from ticketattr.errors import InputError
from ticketattr.infrastructure.delivery.report_folder import OutputFolder
from ticketattr.infrastructure.reports.excel import write_workbook

from ...fakes import MIDNIGHT

RUN = "20261123T150301Z-7f3a"


@cache
def workbook(run_id: str = RUN) -> bytes:
    file = io.BytesIO()
    write_workbook(Report(run_id, MIDNIGHT, (Row("T-1", short_description="Forgot my password"),)), file)
    return file.getvalue()


WORKBOOK = workbook()


def archive(entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as target:
        for name, content in entries.items():
            target.writestr(name, content)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> OutputFolder:
    return OutputFolder(tmp_path)


def put(folder: OutputFolder, name: str, content: bytes = WORKBOOK, modified: float = 1000) -> Path:
    path = folder.root / name
    path.write_bytes(content)
    os.utime(path, (modified, modified))
    return path


def inspected(folder: OutputFolder, content: bytes, name: str = "report.xlsx") -> ReportFile:
    return folder.inspect(put(folder, name, content))


def names(folder: OutputFolder) -> list[str]:
    return [report.path.name for report in folder.reports()]


def test_reports_come_oldest_first(folder: OutputFolder) -> None:
    for name, modified in {"b.xlsx": 2000.5, "a.xlsx": 3000, "c.xlsx": 2000.25}.items():
        put(folder, name, modified=modified)
    assert names(folder) == ["c.xlsx", "b.xlsx", "a.xlsx"]


def test_reports_of_the_same_time_come_by_name(folder: OutputFolder) -> None:
    for name in ("b.xlsx", "a.xlsx", "c.xlsx"):
        put(folder, name)
    assert names(folder) == ["a.xlsx", "b.xlsx", "c.xlsx"]


def test_only_workbooks_in_the_folder_itself_are_reports(folder: OutputFolder) -> None:
    for name in ("report.xlsx", "SHOUTED.XLSX", "reports.db", "notes.txt", "notes.tmp", "report.xls"):
        put(folder, name)
    (folder.root / "folder.xlsx").mkdir()
    (folder.root / "below").mkdir()
    put(folder, "below/deeper.xlsx")
    (folder.root / "dangling.xlsx").symlink_to("nowhere.xlsx")
    assert sorted(names(folder)) == ["SHOUTED.XLSX", "report.xlsx"]


@pytest.mark.parametrize(
    "name",
    ["~$report.xlsx", ".~lock.report.xlsx#", ".report.xlsx.x7.tmp", "report.xlsx.part", "._report.xlsx", "a.XLSX.TMP"],
)
def test_a_temporary_file_of_another_program_is_damaged_whatever_its_content(folder: OutputFolder, name: str) -> None:
    put(folder, name)
    (report,) = folder.reports()
    assert report.is_temporary
    assert report.damage == "a lock or temporary file of another program"


def test_an_unreadable_file_is_damaged_and_hides_no_other(
    folder: OutputFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "fine.xlsx")
    locked = put(folder, "locked.xlsx")
    opened = os.open

    def open_unless_locked(path: Any, *args: Any, **options: Any) -> int:
        if path == locked:
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **options)

    # Permissions do not bind the administrator, who may well run these tests.
    monkeypatch.setattr(os, "open", open_unless_locked)
    assert [(report.path.name, report.damage) for report in folder.reports()] == [
        ("locked.xlsx", "cannot be read: Permission denied"),
        ("fine.xlsx", ""),
    ]


def test_a_link_out_of_the_folder_is_listed_and_not_followed(
    folder: OutputFolder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Who may write here but not read there would have the program fetch and mail it."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    put(OutputFolder(elsewhere), "private.xlsx")
    (folder.root / "link.xlsx").symlink_to(elsewhere / "private.xlsx")
    (folder.root / "again.xlsx").symlink_to("link.xlsx")
    damage = "a link that leads out of the folder, which is not followed"
    assert [(report.damage, report.sha256, report.size) for report in folder.reports()] == [(damage, "", 0)] * 2
    assert folder.inspect(folder.root / "link.xlsx").damage == ""  # for whoever names it


def test_a_link_within_the_folder_is_followed_and_so_is_one_to_the_folder(tmp_path: Path) -> None:
    real = OutputFolder(tmp_path / "real")
    real.root.mkdir()
    put(real, "report.xlsx")
    (real.root / "latest.xlsx").symlink_to("report.xlsx")
    (tmp_path / "output").symlink_to("real")
    linked = OutputFolder(tmp_path / "output").reports()
    assert [(report.path.name, report.damage) for report in linked] == [("latest.xlsx", ""), ("report.xlsx", "")]
    assert {report.path.parent for report in linked} == {tmp_path / "output"}


def test_a_missing_folder_contains_no_reports(tmp_path: Path) -> None:
    assert OutputFolder(tmp_path / "output").reports() == []
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("a file")
    with pytest.raises(InputError, match="cannot be read"):
        OutputFolder(tmp_path / "output").reports()


def test_a_report_is_identified_by_its_content(folder: OutputFolder) -> None:
    report = inspected(folder, WORKBOOK)
    assert report == ReportFile(
        path=folder.root / "report.xlsx",
        sha256=hashlib.sha256(WORKBOOK).hexdigest(),
        size=len(WORKBOOK),
        modified=datetime.fromtimestamp(1000, timezone.utc),
        run_id=RUN,
    )


def test_the_run_id_survives_saving_in_another_program(folder: OutputFolder) -> None:
    path = put(folder, "report.xlsx")
    edited = openpyxl.load_workbook(path)
    edited["Tickets"]["A2"] = "edited"
    edited.save(path)
    report = folder.inspect(path)
    assert (report.run_id, report.damage) == (RUN, "")
    assert report.sha256 != hashlib.sha256(WORKBOOK).hexdigest()


def test_a_workbook_from_another_program_has_no_run_id(folder: OutputFolder) -> None:
    openpyxl.Workbook().save(folder.root / "theirs.xlsx")
    report = folder.inspect(folder.root / "theirs.xlsx")
    assert (report.run_id, report.damage) == ("", "")


@pytest.mark.parametrize(
    "properties",
    [b"", b"no XML", b"\xff\xfe\xff", b"<a>" * 100_000, b'<property name="run_id"><vt:i4>1</vt:i4></property>'],
    ids=["empty", "text", "no UTF-8", "deep", "number"],
)
def test_unusual_properties_are_neither_a_run_id_nor_damage(folder: OutputFolder, properties: bytes) -> None:
    report = inspected(folder, archive({"xl/workbook.xml": b"<workbook/>", "docProps/custom.xml": properties}))
    assert (report.run_id, report.damage) == ("", "")


@pytest.mark.parametrize(
    "content",
    [
        WORKBOOK[:-200],
        WORKBOOK[: len(WORKBOOK) // 2],
        WORKBOOK[200:],
        WORKBOOK[:400] + bytes(100) + WORKBOOK[500:],
        archive({"word/document.xml": b"<document/>"}),
        archive({}),
        b"",
        b"id,request_category\n1,Access\n",
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
    ],
    ids=[
        "tail cut off",
        "half",
        "head cut off",
        "zeros within",
        "no workbook inside",
        "nothing inside",
        "empty",
        "text",
        "signature alone",
        "old or encrypted Excel",
    ],
)
def test_a_file_that_is_not_a_readable_workbook_is_damaged(folder: OutputFolder, content: bytes) -> None:
    report = inspected(folder, content)
    assert report.damage
    assert report.sha256 == hashlib.sha256(content).hexdigest()


def test_the_lock_file_of_excel_affects_no_other_report(folder: OutputFolder) -> None:
    put(folder, "report.xlsx")
    put(folder, "~$report.xlsx", b"\x05Alice" + bytes(159))
    assert {report.path.name: bool(report.damage) for report in folder.reports()} == {
        "report.xlsx": False,
        "~$report.xlsx": True,
    }


@pytest.mark.parametrize(
    "compression",
    [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA],
    ids=["stored", "deflated", "bzip2", "LZMA"],
)
def test_damage_is_found_however_the_content_was_packed(folder: OutputFolder, compression: int) -> None:
    content = bytearray(archive({"xl/workbook.xml": b"<workbook/>" * 50}, compression))
    content[60:70] = b"\xff" * 10
    assert inspected(folder, bytes(content)).damage


def test_a_name_in_the_archive_with_invalid_utf_8_is_damage(folder: OutputFolder) -> None:
    content = archive({"ü": b"x", "xl/workbook.xml": b"<workbook/>"}).replace("ü".encode(), b"\xff\xff")
    assert inspected(folder, content).damage


@given(data=st.data())
def test_a_workbook_with_any_changed_bytes_can_be_inspected(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(WORKBOOK) - 1))
    # The tail of an archive is its table of contents.
    place = data.draw(st.sampled_from([place, len(WORKBOOK) - 1 - place % 800]))
    changed = data.draw(st.binary(min_size=1, max_size=8))
    content = WORKBOOK[:place] + changed + WORKBOOK[place + len(changed) :]
    path = tmp_path_factory.getbasetemp() / "changed.xlsx"
    path.write_bytes(content)
    assert OutputFolder(path.parent).inspect(path).size == len(content)


def test_read_gives_the_bytes(folder: OutputFolder) -> None:
    assert folder.read(inspected(folder, WORKBOOK)) == WORKBOOK


def test_a_file_that_changed_since_it_was_inspected_is_not_read(folder: OutputFolder) -> None:
    report = inspected(folder, WORKBOOK)
    put(folder, "report.xlsx", workbook("another run"))
    with pytest.raises(InputError, match="changed while it was being sent"):
        folder.read(report)


def test_a_file_that_disappeared_since_it_was_inspected_is_not_read(folder: OutputFolder) -> None:
    report = inspected(folder, WORKBOOK)
    report.path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        folder.read(report)


@pytest.mark.parametrize("name", ["absent.xlsx", ".", "x" * 300], ids=["absent", "folder", "long"])
def test_inspecting_a_missing_file_is_an_error(folder: OutputFolder, name: str) -> None:
    with pytest.raises(InputError):
        folder.inspect(folder.root / name)
