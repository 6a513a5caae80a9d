"""Which workbook somebody means who asks for the report of a run."""

from __future__ import annotations

from collections.abc import Sequence

from ...domain.delivery import ReportFile
from ...domain.report_status import ReportStatus
from ...errors import InputError
from ..report import report_name


class ReportGone(InputError):
    """The report was there once; retention deleted its file."""


def report_of_run(statuses: Sequence[ReportStatus], run_id: str) -> ReportFile:
    """The workbook of a run, which is in the folder. Raises ReportGone, or InputError if there never was one.

    The path comes from the folder, never from the caller.
    """
    found = [status.report for status in statuses if status.report.run_id == run_id]
    if not found:
        raise InputError(f"there is no report of the run {run_id}")
    report = next((one for one in found if one.path.name == report_name(run_id)), found[0])
    if not report.path.is_file():
        raise ReportGone(f"the report of the run {run_id} is no longer in the folder: retention deleted it")
    return report


def newest_report(statuses: Sequence[ReportStatus]) -> ReportFile:
    """The newest workbook in the folder that names its run. Raises InputError if there is none."""
    there = [status.report for status in statuses if status.report.run_id and status.report.path.is_file()]
    if not there:
        raise InputError("there is no report yet")
    return max(there, key=lambda report: (report.run_id, report.modified))
