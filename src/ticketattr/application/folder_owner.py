"""Which report log a folder of reports belongs to.

A report counts as sent only by what its own log says. Another log would send all reports of the folder again.
"""

from __future__ import annotations

from ..errors import InputError, SettingsError
from .ports import ReportFolder, ReportLog, WritableReportLog

_ADOPT = "mark the reports of the folder as sent with `ticketattr pending adopt`"


def belongs_to_other_log(folder: ReportFolder, log: ReportLog) -> bool:
    """Whether the folder belongs to another log than `log`, which exists. A folder without an owner belongs to any."""
    owner = folder.owner()
    return bool(owner and log.exists() and owner.id != log.identity().id)


def refuse_other_log(folder: ReportFolder, log: ReportLog) -> None:
    """Raises SettingsError if the folder belongs to another log."""
    if not belongs_to_other_log(folder, log):
        return
    owner, present = folder.owner(), log.identity()
    where = f" ({owner.place})" if owner and owner.place != present.place else ""
    raise SettingsError(
        f"the folder of reports belongs to another report log{where} than {present.place}, which does not know what was"
        " sent from it",
        hint=f"Correct REPORT_LOG_DB_PATH or OUTPUT_DIR, or {_ADOPT}. Then it belongs to this log.",
    )


def refuse_lost_log(folder: ReportFolder, log: ReportLog) -> None:
    """Raises InputError if the folder belongs to a log, there are reports in it, and the log does not exist."""
    owner = folder.owner()
    if owner and not log.exists() and any(not report.is_temporary for report in folder.reports()):
        raise InputError(
            f"the report log {log.identity().place} does not exist, but the folder of reports belongs to "
            f"{'it' if owner.place == log.identity().place else f'one that was last at {owner.place}'}: nobody knows "
            "what was sent",
            hint=f"Correct REPORT_LOG_DB_PATH, restore the report log, {_ADOPT}, or send them with `--send-old`.",
        )


def claim(folder: ReportFolder, log: WritableReportLog) -> None:
    """Write down in the folder that it belongs to `log`, which is created if it does not exist.

    The log comes first: a folder whose log does not exist would be refused.
    """
    identity = log.establish()
    if folder.owner() != identity:
        folder.set_owner(identity)
