"""Which workbook or page somebody means who asks for the report of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ticketattr.application.service.report_files import (
    ReportGone,
    newest_report,
    page_of_run,
    report_of_run,
    runs_in_store_alone,
    workbook_of_run,
)
from ticketattr.domain.report_status import ReportStatus
from ticketattr.errors import InputError, StageFileError

from ...fakes import a_report
from ..test_report_store import RUNS, Memory

FIRST, SECOND = RUNS
STORED = {f"reports/2026/11/{FIRST}-{'0' * 16}.xlsx": b"workbook", f"reports/2026/11/{FIRST}.html": b"page"}


def status(folder: Path, name: str, run_id: str = FIRST, *, is_there: bool = True) -> ReportStatus:
    if is_there:
        (folder / name).write_bytes(b"x")
    return ReportStatus(replace(a_report(run_id=run_id), path=folder / name), "pending")


def test_of_several_workbooks_of_a_run_the_one_with_its_name_is_meant_or_else_the_first(tmp_path: Path) -> None:
    copies = [status(tmp_path, "copy.xlsx"), status(tmp_path, "other.xlsx"), status(tmp_path, "second.xlsx", SECOND)]
    assert report_of_run(copies, FIRST) == copies[0].report
    named = status(tmp_path, f"ticket-attribution-{FIRST}.xlsx")
    assert report_of_run([*copies, named], FIRST) == named.report


def test_a_report_that_never_was_and_one_that_is_gone_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"^the run {FIRST} has no report$") as never:
        report_of_run([status(tmp_path, "x.xlsx", SECOND)], FIRST)
    assert not isinstance(never.value, ReportGone)
    with pytest.raises(ReportGone) as gone:
        report_of_run([status(tmp_path, "gone.xlsx", is_there=False)], FIRST)
    assert str(gone.value) == f"the report of the run {FIRST} is no longer in the folder: retention deleted it"


def test_a_workbook_comes_from_the_folder_or_else_from_the_store(tmp_path: Path) -> None:
    here, gone = status(tmp_path, "here.xlsx"), status(tmp_path, "gone.xlsx", is_there=False)
    store = Memory(dict(STORED))
    assert workbook_of_run([here], FIRST, store) == here.report
    assert workbook_of_run([gone], FIRST, store) == workbook_of_run([], FIRST, store) == b"workbook"
    for empty in (None, Memory()):
        # What is wrong with the folder is told, also if the store was asked.
        with pytest.raises(ReportGone, match="no longer in the folder"):
            workbook_of_run([gone], FIRST, empty)


def test_a_page_is_made_or_else_comes_from_the_store() -> None:
    def gone(run_id: str) -> str:
        raise StageFileError(f"{run_id} is gone")

    class Empty(Memory):
        def read(self, key: str) -> bytes:
            raise InputError(f"no {key}")

    assert page_of_run(FIRST, str.upper, Memory(dict(STORED))) == FIRST
    assert page_of_run(FIRST, gone, Memory(dict(STORED))) == b"page"
    for store in (None, Empty()):
        with pytest.raises(ReportGone) as caught:
            page_of_run(FIRST, gone, store)
        assert str(caught.value) == f"the page of the run {FIRST} cannot be made: its data are no longer here"
        assert caught.value.hint == "Download the workbook."


def test_the_runs_that_only_the_store_has_are_told_newest_first(tmp_path: Path) -> None:
    here, gone = status(tmp_path, "a.xlsx"), status(tmp_path, "b.xlsx", SECOND, is_there=False)
    third = "20261202T120000Z-0002"
    assert runs_in_store_alone([here, gone], [FIRST, SECOND, third]) == [third, SECOND]


def test_the_newest_report_is_that_of_the_newest_run_and_of_these_the_one_saved_last(tmp_path: Path) -> None:
    first, gone = status(tmp_path, "a.xlsx"), status(tmp_path, "gone.xlsx", SECOND, is_there=False)
    unnamed = status(tmp_path, "unnamed.xlsx", "")
    with pytest.raises(InputError, match=r"^there is no report yet$"):
        newest_report([gone, unnamed])
    assert newest_report([unnamed, first, gone]) == first.report
    earlier = replace(first.report, modified=first.report.modified.replace(year=2025))
    assert newest_report([replace(first, report=earlier), first]) == first.report
    second = status(tmp_path, "b.xlsx", SECOND)
    old = replace(second.report, modified=earlier.modified)
    assert newest_report([first, replace(second, report=old)]) == old
