"""Put a copy of the report log in the place of one that is gone or damaged."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from ..domain.delivery import Message, ReportFile
from ..domain.report_status import DeliveryHistory, statuses_of
from ..domain.wording import some_of
from ..errors import InputError
from .ports import ReportFolder, ReportLog

log = logging.getLogger(__name__)

Unknown = Literal["refuse", "sent", "pending"]
"""What to take reports for that the copy does not know: they may have been sent after it was made."""

_NAMED = 10


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the report log: what it says, and the file that it is."""

    log: ReportLog
    path: Path


@dataclass(frozen=True, slots=True)
class Restored:
    """`unknown` are the reports that the copy did not know; `aside` is where the log lies that was there before."""

    unknown: tuple[ReportFile, ...]
    aside: Path | None


def restore_log(current: ReportLog, copy: Copy, folder: ReportFolder, unknown: Unknown, now: datetime) -> Restored:
    """Raises InputError, and changes nothing, when something that was sent might be forgotten."""
    _refuse_to_lose(_messages(current), copy.log)
    reports = _unknown(folder, copy.log)
    if reports and unknown == "refuse":
        named = some_of((str(report.path) for report in reports), _NAMED)
        raise InputError(
            f"nothing restored: the copy does not know {named}, which may have been sent after it was made",
            hint="Say `--unknown sent` if they were sent, or `--unknown pending` if they are to go (again).",
        )
    aside = current.restore(copy.path, now)
    if unknown == "sent":
        current.adopt(reports, "adopted when the log was restored: counts as sent", now)
    return Restored(tuple(reports), aside)


def _messages(current: ReportLog) -> Sequence[Message]:
    """Those that may have reached somebody, as far as the log in place can still be read."""
    try:
        return [delivery.message for delivery in current.deliveries() if delivery.state != "failed"]
    except InputError as error:
        log.warning("%s", error)
        return ()


def _refuse_to_lose(messages: Sequence[Message], copy: ReportLog) -> None:
    known = {delivery.message.message_id for delivery in copy.deliveries()}
    lost = [message for message in messages if message.message_id not in known]
    if lost:
        raise InputError(
            f"nothing restored: the report log in place knows {len(lost)} messages that the copy does not",
            hint="Keep it. If it is wrong all the same, move it away first.",
        )


def _unknown(folder: ReportFolder, copy: ReportLog) -> list[ReportFile]:
    """Whatever the transport: a report that somebody has by one of them is known."""
    statuses = statuses_of(folder.reports(), DeliveryHistory(copy.deliveries(), copy.adoptions()))
    return [status.report for status in statuses if status.state == "pending"]
