"""Replace a lost or damaged report log by a backup."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from ..domain.delivery import Message, ReportFile
from ..domain.report_status import DeliveryHistory
from ..domain.send_rules import statuses_of
from ..domain.wording import some_of
from ..errors import InputError
from .ports import ReportFolder, ReportLog, ReportLogMaintenance

log = logging.getLogger(__name__)

UnknownReports = Literal["refuse", "sent", "pending"]
"""How to treat reports that are not in the backup. They may have been sent after it was made."""

_MAX_NAMES = 10


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup of the report log: its content, and its file."""

    log: ReportLog
    path: Path


@dataclass(frozen=True, slots=True)
class Restored:
    """The reports that are not in the backup, and where the former log is kept now (empty: there was none)."""

    unknown: tuple[ReportFile, ...]
    former_log: str


def restore_log(
    current: ReportLogMaintenance, backup: Backup, folder: ReportFolder, unknown: UnknownReports, now: datetime
) -> Restored:
    """Replace the current log. Raises InputError, and changes nothing, if a sent report might be forgotten."""
    _refuse_to_lose(_messages(current), backup.log)
    reports = _unknown_reports(folder, backup.log)
    if reports and unknown == "refuse":
        named = some_of((str(report.path) for report in reports), _MAX_NAMES)
        raise InputError(
            f"nothing restored: the backup does not contain {named}, which may have been sent after it was made",
            hint="Use `--unknown sent` if they were sent, or `--unknown pending` if they are to be sent (again).",
        )
    former_log = current.restore(backup.path, now)
    if unknown == "sent":
        current.adopt(reports, "adopted when the log was restored: counts as sent", now)
    return Restored(tuple(reports), former_log)


def _messages(current: ReportLog) -> Sequence[Message]:
    """The messages that may have arrived, if the current log can still be read."""
    try:
        return [delivery.message for delivery in current.deliveries() if delivery.state != "failed"]
    except InputError as error:
        log.warning("%s", error)
        return ()


def _refuse_to_lose(messages: Sequence[Message], backup: ReportLog) -> None:
    known = {delivery.message.message_id for delivery in backup.deliveries()}
    lost = [message for message in messages if message.message_id not in known]
    if lost:
        raise InputError(
            f"nothing restored: the current report log contains {len(lost)} messages that the backup does not",
            hint="Keep the current log. If it is wrong, move it away first.",
        )


def _unknown_reports(folder: ReportFolder, backup: ReportLog) -> list[ReportFile]:
    """The reports that no transport delivered, according to the backup."""
    statuses = statuses_of(folder.reports(), DeliveryHistory(backup.deliveries(), backup.adoptions()))
    return [status.report for status in statuses if status.state == "pending"]
