"""Workbooks that did not change are not read again, and those that did always are."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from ticketattr.infrastructure.delivery.inspection_cache import InspectionCache
from ticketattr.infrastructure.delivery.report_folder import OutputFolder

from .test_report_folder import WORKBOOK, put, workbook

LATER = 3_600_000_000_000


class Desk:
    """The folder as each process sees it: what one found, the next one knows from the file of the cache."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root.parent / "work" / "inspected.json"
        self.opened: list[str] = []

    def list(self, *, writes: bool = True, later: int = LATER) -> dict[str, str]:
        """The SHA-256 of each workbook."""
        cache = InspectionCache(self.file, writes=writes, now=lambda: time.time_ns() + later)
        self.opened.clear()
        return {report.path.name: report.sha256 for report in OutputFolder(self.root, cache).reports()}

    def put(self, name: str, content: bytes = WORKBOOK) -> Path:
        return put(OutputFolder(self.root), name, content)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    (tmp_path / "output").mkdir()
    desk = Desk(tmp_path / "output")
    opened = os.open

    def watched(path: Any, *args: Any, **options: Any) -> int:
        if str(path).endswith(".xlsx"):
            desk.opened.append(Path(path).name)
        return opened(path, *args, **options)

    monkeypatch.setattr(os, "open", watched)
    return desk


@pytest.fixture
def known(desk: Desk) -> Desk:
    """A workbook that an earlier process read."""
    desk.put("a.xlsx")
    desk.list()
    assert desk.opened == ["a.xlsx"]
    return desk


def test_a_workbook_that_did_not_change_is_not_read_again(known: Desk) -> None:
    known.put("new.xlsx")
    before = known.list()
    assert known.opened == ["new.xlsx"]
    assert known.list() == before
    assert known.opened == []


def test_what_is_listed_from_the_cache_is_what_was_read(known: Desk) -> None:
    known.put("damaged.xlsx", WORKBOOK[:-200])
    known.put("~$a.xlsx", b"lock")
    (known.root / "link.xlsx").symlink_to("a.xlsx")
    known.list()
    cache = InspectionCache(known.file)
    assert OutputFolder(known.root, cache).reports() == OutputFolder(known.root).reports()


def test_an_edit_that_keeps_size_and_time_is_seen(known: Desk) -> None:
    path = known.root / "a.xlsx"
    before, status = known.list(), path.stat()
    path.write_bytes(WORKBOOK[:-1] + b"x")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert path.stat().st_size == status.st_size
    assert known.list() != before


def test_another_file_under_the_same_name_is_seen(known: Desk) -> None:
    before = known.list()
    known.put("other.xlsx", workbook("another run")).replace(known.root / "a.xlsx")
    assert known.list() != before


def test_a_file_that_was_changed_just_now_is_read_again(desk: Desk) -> None:
    """A second change within the resolution of the clock would leave the same times."""
    desk.put("a.xlsx")
    for _ in range(2):
        desk.list(later=0)
        assert desk.opened == ["a.xlsx"]


@pytest.mark.parametrize("place", [0, 64, 70, 200, -3])
def test_a_damaged_cache_is_not_believed(known: Desk, place: int) -> None:
    content = bytearray(known.file.read_bytes())
    content[place] ^= 1
    known.file.write_bytes(content)
    before = known.list()
    assert known.opened == ["a.xlsx"]
    assert known.list() == before
    assert known.opened == []


@pytest.mark.parametrize("content", [b"", b"\n", b"{}", b"\xff" * 100], ids=["empty", "line end", "JSON", "bytes"])
def test_a_file_that_is_no_cache_is_replaced(known: Desk, content: bytes) -> None:
    known.file.write_bytes(content)
    known.list()
    assert known.opened == ["a.xlsx"]
    known.list()
    assert known.opened == []


def test_a_lost_cache_is_made_again(known: Desk) -> None:
    known.file.unlink()
    known.list()
    assert known.opened == ["a.xlsx"]
    known.list()
    assert known.opened == []


def test_the_cache_of_another_version_is_not_believed(known: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ticketattr.infrastructure.delivery.inspection_cache._GENERATOR", "ticketattr 99")
    known.list()
    assert known.opened == ["a.xlsx"]


def test_a_cache_that_others_may_write_is_not_believed(known: Desk) -> None:
    assert stat.S_IMODE(known.file.stat().st_mode) == 0o600
    known.file.chmod(0o620)
    known.list()
    assert known.opened == ["a.xlsx"]


def test_a_cache_of_another_user_is_not_believed(known: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    known.list()
    assert known.opened == ["a.xlsx"]


def test_a_link_in_place_of_the_cache_is_not_followed(known: Desk) -> None:
    known.file.rename(known.file.with_name("elsewhere"))
    known.file.symlink_to("elsewhere")
    known.list()
    assert known.opened == ["a.xlsx"]


def test_only_a_sender_writes_the_cache(desk: Desk) -> None:
    desk.put("a.xlsx")
    desk.list(writes=False)
    assert not desk.file.parent.exists()


def test_a_cache_that_cannot_be_written_costs_only_time(desk: Desk) -> None:
    desk.put("a.xlsx")
    desk.file.parent.write_text("a file where the folder should be")
    assert desk.list() == desk.list()
    assert desk.opened == ["a.xlsx"]


def test_the_cache_forgets_workbooks_that_are_gone(known: Desk) -> None:
    (known.root / "a.xlsx").unlink()
    known.put("b.xlsx", workbook("another run"))
    (sha256,) = known.list().values()
    assert sha256.encode() in known.file.read_bytes()
    assert known.file.read_bytes().count(b".xlsx") == 0
    assert known.file.read_bytes().count(b"[[") == 1
