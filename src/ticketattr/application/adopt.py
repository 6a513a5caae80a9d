"""Mark reports as sent without sending them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ..domain.delivery import ReportFile
from ..domain.report_status import ReportStatus
from ..domain.send_rules import statuses_of
from ..errors import InputError, SettingsError
from .folder_owner import belongs_to_other_log, claim
from .ports import ReportLogMaintenance
from .report_tracker import ReportTracker


def adopt(tracker: ReportTracker, log: ReportLogMaintenance, paths: Sequence[Path], now: datetime) -> list[ReportFile]:
    """The reports that count as sent from now on: those at `paths`; without paths, all in the folder.

    Then the folder belongs to `log`. If it belonged to another one, all its reports have to be adopted for that. Raises
    SettingsError or InputError, and adopts none, if one of them cannot be adopted.
    """
    is_foreign = belongs_to_other_log(tracker.folder, log)
    adopted = adopt_reports(log, adoptable_reports(tracker, paths), now)
    if log.exists() and not (paths and is_foreign):
        claim(tracker.folder, log)
    return adopted


def adoptable_reports(tracker: ReportTracker, paths: Sequence[Path]) -> list[ReportStatus]:
    """The reports at `paths`; without paths, all reports in the folder, if it does not belong to the log.

    Raises SettingsError without paths if the folder belongs to the log, and InputError for a path that cannot be read.
    """
    is_foreign = belongs_to_other_log(tracker.folder, tracker.log)
    if not paths and tracker.log.exists() and not is_foreign:
        raise SettingsError("there is a report log", hint="Name the workbooks that are to count as sent.")
    reports = [tracker.folder.inspect(path) for path in paths] if paths else tracker.folder.reports()
    statuses = statuses_of(reports, tracker.history_of_log())
    return statuses if paths else [status for status in statuses if status.state != "damaged"]


def adopt_reports(log: ReportLogMaintenance, statuses: Sequence[ReportStatus], now: datetime) -> list[ReportFile]:
    """The reports that count as sent from now on: those that were pending or refused.

    Raises InputError, and adopts none, if one of them is in doubt, deferred for a recipient, or damaged.
    """
    for status in statuses:
        if status.state in ("sending", "in_doubt", "held"):
            raise InputError(
                f"{status.report.path} is not adopted: {status.state}", hint="Decide with `ticketattr pending resolve`."
            )
        if status.state == "sent" and status.is_pending:
            raise InputError(
                f"{status.report.path} is not adopted: it is sent, and deferred for a recipient",
                hint="Give the recipient up with `ticketattr pending resolve --recipient ADDRESS`.",
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
