"""Mark reports as sent without sending them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ..domain.delivery import ReportFile
from ..domain.report_status import ReportStatus
from ..domain.send_rules import statuses_of
from ..errors import InputError, SettingsError
from .ports import ReportLogMaintenance
from .report_tracker import ReportTracker


def adoptable_reports(tracker: ReportTracker, paths: Sequence[Path]) -> list[ReportStatus]:
    """The reports at `paths`; without paths, all reports in the folder, if the log is gone.

    Raises SettingsError without paths if there is a log, and InputError for a path that cannot be read.
    """
    if not paths and tracker.log.exists():
        raise SettingsError("there is a report log", hint="Name the workbooks that are to count as sent.")
    reports = [tracker.folder.inspect(path) for path in paths] if paths else tracker.folder.reports()
    statuses = statuses_of(reports, tracker.history())
    return statuses if paths else [status for status in statuses if status.state != "damaged"]


def adopt_reports(log: ReportLogMaintenance, statuses: Sequence[ReportStatus], now: datetime) -> list[ReportFile]:
    """The reports that count as sent from now on: those that were pending or refused.

    Raises InputError, and adopts none, if one of them is in doubt or damaged.
    """
    for status in statuses:
        if status.state in ("sending", "in_doubt", "held"):
            raise InputError(
                f"{status.report.path} is not adopted: {status.state}", hint="Decide with `ticketattr pending resolve`."
            )
        if status.state == "damaged":
            raise InputError(
                f"{status.report.path} is not adopted: {status.detail}",
                hint="Only a report that can be sent can count as sent.",
            )
    reports = [status.report for status in statuses if status.state in ("pending", "failed")]
    if reports:
        log.adopt(reports, "adopted: counts as sent", now)
    return reports
