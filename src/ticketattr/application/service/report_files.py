"""Which workbook or page somebody means who asks for the report of a run, and where it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ...domain.delivery import ReportFile
from ...domain.report_status import ReportStatus
from ...errors import InputError, StageFileError
from ..report import report_name
from ..report_store import ReportStore, stored_page, stored_report

T = TypeVar("T")


class ReportGone(InputError):
    """The report was there once; retention deleted its file."""


def report_of_run(statuses: Sequence[ReportStatus], run_id: str) -> ReportFile:
    """The workbook of a run, which is in the folder. Raises ReportGone, or InputError if there never was one.

    The path comes from the folder, never from the caller.
    """
    found = [status.report for status in statuses if status.report.run_id == run_id]
    if not found:
        raise InputError(f"the run {run_id} has no report", hint="The list of reports shows which runs have one.")
    report = next((one for one in found if one.path.name == report_name(run_id)), found[0])
    if not report.path.is_file():
        raise ReportGone(f"the report of the run {run_id} is no longer in the folder: retention deleted it")
    return report


def workbook_of_run(statuses: Sequence[ReportStatus], run_id: str, store: ReportStore | None) -> ReportFile | bytes:
    """The workbook of a run in the folder, or else its content in the store.

    Raises what `report_of_run` raises if it is in neither, and SettingsError or ServiceError if the store is asked and
    cannot be used.
    """
    try:
        return report_of_run(statuses, run_id)
    except InputError as missing:
        if store is None:
            raise
        try:
            return stored_report(store, run_id)
        except InputError:
            raise missing from None


def page_of_run(run_id: str, make: Callable[[str], T], store: ReportStore | None) -> T | bytes:
    """The page of a run: what `make` returns, which makes it from the stage files, or else its content in the store.

    `make` raises StageFileError if the stage files are gone. Raises ReportGone if there is no page, and SettingsError
    or ServiceError if the store is asked and cannot be used.
    """
    try:
        return make(run_id)
    except StageFileError:
        try:
            if store:
                return stored_page(store, run_id)
        except InputError:
            pass
    raise ReportGone(
        f"the page of the run {run_id} cannot be made: its data are no longer here", hint="Download the workbook."
    )


def runs_in_store_alone(statuses: Sequence[ReportStatus], stored: Sequence[str]) -> list[str]:
    """The runs of `stored` whose workbooks are no longer in the folder, newest first."""
    here = {status.report.run_id for status in statuses if status.report.path.is_file()}
    return sorted((run for run in stored if run not in here), reverse=True)


def newest_report(statuses: Sequence[ReportStatus]) -> ReportFile:
    """The newest workbook in the folder that names its run. Raises InputError if there is none."""
    there = [status.report for status in statuses if status.report.run_id and status.report.path.is_file()]
    if not there:
        raise InputError("there is no report yet")
    return max(there, key=lambda report: (report.run_id, report.modified))
