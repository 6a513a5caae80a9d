"""Reports outlive their host: each written once, found by the id of its run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ticketattr.application.report_store import (
    key_of,
    probe_store,
    store_reports,
    stored_page,
    stored_report,
    stored_runs,
)
from ticketattr.domain.delivery import ReportFile
from ticketattr.errors import InputError, ServiceError, StageFileError
from ticketattr.infrastructure.delivery.report_folder import OutputFolder
from ticketattr.infrastructure.store.object_store import open_store

from ..infrastructure.delivery.test_report_folder import workbook

RUNS = ("20261127T120000Z-0000", "20261201T120000Z-0001")


@dataclass
class Memory:
    """A store in memory. `overwrites`: it takes a file that is there already, as some gateways do."""

    files: dict[str, bytes] = field(default_factory=dict)
    overwrites: bool = False
    fails_after: int = 1000

    def put_new(self, key: str, content: bytes) -> bool:
        if len(self.files) >= self.fails_after:
            raise ServiceError("the store is down")
        if key in self.files and not self.overwrites:
            return False
        self.files[key] = content
        return True

    def keys(self, prefix: str) -> list[str]:
        return sorted(key for key in self.files if key.startswith(f"{prefix}/"))

    def read(self, key: str) -> bytes:
        return self.files[key]

    def remove(self, key: str) -> None:
        self.files.pop(key, None)


@pytest.fixture
def folder(tmp_path: Path) -> OutputFolder:
    for run in RUNS:
        (tmp_path / f"ticket-attribution-{run}.xlsx").write_bytes(workbook(run))
    (tmp_path / "notes.xlsx").write_bytes(b"no workbook")
    (tmp_path / "mine.xlsx").write_bytes(workbook("a run of mine"))
    return OutputFolder(tmp_path)


def gone(run_id: str) -> bytes:
    raise StageFileError("the data of the run are gone")


def test_every_report_is_written_once_and_found_by_its_run(folder: OutputFolder) -> None:
    store = Memory()
    assert store_reports(folder, store, gone) == 2
    assert store_reports(folder, store, gone) == 0
    assert stored_runs(store) == sorted(RUNS)
    assert stored_report(store, RUNS[0]) == (folder.root / f"ticket-attribution-{RUNS[0]}.xlsx").read_bytes()
    folders = [key.rpartition("-")[0] for key in sorted(store.files)]
    assert folders == [f"reports/2026/11/{RUNS[0]}", f"reports/2026/12/{RUNS[1]}"]


def test_what_the_store_has_is_not_read_again(folder: OutputFolder) -> None:
    store = Memory()
    store_reports(folder, store, lambda run: b"page")
    pages: list[str] = []

    class Unread(OutputFolder):
        def read(self, report: ReportFile) -> bytes:
            raise AssertionError(report)

    assert store_reports(Unread(folder.root), store, lambda run: pages.append(run) or b"") == 0  # type: ignore[func-returns-value]
    assert pages == []


def test_the_page_of_a_run_is_kept_beside_its_workbook_as_long_as_it_can_be_made(folder: OutputFolder) -> None:
    store = open_store((folder.root / "store").as_uri(), {})
    assert store_reports(folder, store, gone) == 2
    assert store_reports(folder, store, lambda run: f"page of {run}".encode()) == 0
    store_reports(folder, store, lambda run: b"another page")
    assert stored_page(store, RUNS[0]) == f"page of {RUNS[0]}".encode()
    assert stored_runs(store) == sorted(RUNS)
    for run in ("20261127T120000Z-ffff", "../x", ""):
        with pytest.raises(InputError):
            stored_page(store, run)


def test_an_edited_copy_is_kept_beside_the_report(folder: OutputFolder) -> None:
    store = Memory()
    store_reports(folder, store, gone)
    path = folder.root / f"ticket-attribution-{RUNS[0]}.xlsx"
    path.write_bytes(workbook(RUNS[0]) + b"\0")
    store_reports(folder, store, gone)
    assert len(store.files) in (2, 3)  # three where the edited file is still a workbook
    assert stored_runs(store) == sorted(RUNS)


def test_what_was_written_before_a_failure_stays_and_the_rest_follows(folder: OutputFolder) -> None:
    store = Memory(fails_after=1)
    with pytest.raises(ServiceError):
        store_reports(folder, store, gone)
    store.fails_after = 1000
    assert store_reports(folder, store, gone) == 1


@pytest.mark.parametrize("run", ["20261127T120000Z-ffff", "../x", "", "latest"])
def test_a_report_that_is_not_in_the_store_is_an_input_error(folder: OutputFolder, run: str) -> None:
    store = Memory({"reports/2026/11/../../x.xlsx": b"", "reports/x": b""})
    store_reports(folder, store, gone)
    with pytest.raises(InputError):
        stored_report(store, run)


def test_a_store_that_overwrites_is_found_and_nothing_is_left_there() -> None:
    for store, wrong in ((Memory(), 0), (Memory(overwrites=True), 1)):
        assert len(probe_store(store, "check")) == wrong
        assert store.files == {}


def test_a_folder_is_a_store(tmp_path: Path, folder: OutputFolder) -> None:
    store = open_store((tmp_path / "store").as_uri(), {})
    assert store_reports(folder, store, gone) == 2
    assert store_reports(folder, store, gone) == 0
    assert stored_runs(store) == sorted(RUNS)
    assert probe_store(store, "check") == []
    (report,) = (one for one in folder.reports() if one.run_id == RUNS[1])
    assert store.read(key_of(report)) == report.path.read_bytes()
    with pytest.raises(InputError):
        store.read("reports/nothing")


def test_what_is_not_found_is_told_with_what_to_do() -> None:
    told = []
    for read, run in ((stored_report, "latest"), (stored_page, "latest"), (stored_report, RUNS[0])):
        with pytest.raises(InputError) as caught:
            read(Memory(), run)
        told.append((str(caught.value), caught.value.hint))
    wrong = ("that is not the id of a run", "An id is like 20261123T150301Z-7f3a.")
    assert told == [wrong, wrong, (f"the store has no report of the run {RUNS[0]}", "")]


def test_a_store_that_overwrites_is_told() -> None:
    assert probe_store(Memory(overwrites=True), "check") == [
        "it overwrites files although it is asked not to, so only one host may use it"
    ]


def test_a_file_that_is_left_from_an_earlier_check_is_removed_and_told() -> None:
    store = Memory({"probe/check": b""})
    with pytest.raises(ServiceError) as caught:
        probe_store(store, "check")
    assert str(caught.value) == "the file probe/check is in the store already"
    assert (caught.value.hint, store.files) == ("Remove it, and check again.", {})


def test_a_store_in_which_nothing_may_be_removed_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    class Keeping(Memory):
        def remove(self, key: str) -> None:
            raise ServiceError("no rights")

    assert probe_store(Keeping(), "check") == []
    assert caplog.messages == ["the file probe/check was left in the store: no rights"]


def test_a_page_that_cannot_be_made_is_told_and_the_workbook_is_kept(
    folder: OutputFolder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert store_reports(folder, Memory(), gone) == 2
    assert caplog.messages == [
        f"the page of the run {run} is not in the store: the data of the run are gone" for run in sorted(RUNS)
    ]
