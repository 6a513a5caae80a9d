"""Replace a lost or damaged report log by a backup.

A backup is older than the log. So a report that it knows as waiting may have been sent, and a decision of a person may
be missing. A log that can be read and that knows more than the backup is kept.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from ..domain.delivery import Adoption, Delivery, ReportFile
from ..domain.report_status import DeliveryHistory
from ..domain.send_rules import needs_new_message, statuses_of
from ..domain.wording import counted, some_of
from ..errors import InputError
from .ports import ReportFolder, ReportLog, ReportLogMaintenance

log = logging.getLogger(__name__)

UnknownReports = Literal["refuse", "sent", "pending"]
"""How to treat reports that are not sent in the backup. They may have been sent after it was made."""

_MAX_NAMES = 10


@dataclass(frozen=True, slots=True)
class Backup:
    """The file of a backup of the report log, and what it says: deliveries, oldest first, and adoptions."""

    path: Path
    deliveries: Sequence[Delivery]
    adoptions: Sequence[Adoption] = ()


@dataclass(frozen=True, slots=True)
class Restored:
    """The reports that are not sent in the backup, and where the former log is kept now (empty: there was none)."""

    unknown: tuple[ReportFile, ...]
    former_log: str


def restore_log(
    current: ReportLogMaintenance, backup: Backup, folder: ReportFolder, unknown: UnknownReports, now: datetime
) -> Restored:
    """Replace the current log. Raises InputError, and changes nothing, if a sent report might be forgotten."""
    _refuse_to_lose(current, backup)
    reports = _unknown_reports(folder, backup)
    if reports and unknown == "refuse":
        named = some_of((str(report.path) for report in reports), _MAX_NAMES)
        raise InputError(
            f"nothing restored: the backup does not contain {named}, which may have been sent after it was made",
            hint="Use `--unknown sent` if they were sent, or `--unknown pending` if they are to be sent (again).",
        )
    former_log = current.restore(
        backup.path,
        now,
        adopted=reports if unknown == "sent" else (),
        detail="adopted when the log was restored: counts as sent",
        id=owner.id if (owner := folder.owner()) else "",
    )
    return Restored(tuple(reports), former_log)


def _refuse_to_lose(current: ReportLog, backup: Backup) -> None:
    """Raises InputError if the current log can be read, and knows more than the backup."""
    try:
        lost = [*_lost_messages(current.deliveries(), backup), *_lost_adoptions(current.adoptions(), backup)]
    except InputError as error:
        log.warning("%s", error)
        return
    if lost:
        raise InputError(
            f"nothing restored: {'; '.join(lost)}",
            hint=f"Keep the current log. If it is wrong, move it away first ({current.identity().place}): then the "
            "next run may send again what was sent after the backup.",
        )


def _lost_messages(deliveries: Sequence[Delivery], backup: Backup) -> Iterator[str]:
    """What the current log knows about messages, and the backup does not."""
    known = {delivery.message.message_id: delivery for delivery in backup.deliveries}
    missing = [each for each in deliveries if each.message.message_id not in known and each.state != "failed"]
    if missing:
        yield f"the current report log contains {counted(len(missing), 'message')} that the backup does not"
    changed = [each for each in deliveries if (old := known.get(each.message.message_id)) and _knows_more(each, old)]
    if changed:
        names = (
            f"{_names(each)} is {_words(each)} (in the backup: {_words(known[each.message.message_id])})"
            for each in changed
        )
        yield f"according to the current report log, {some_of(names, _MAX_NAMES)}"


def _knows_more(current: Delivery, old: Delivery) -> bool:
    """Whether something happened to the message after the backup that decides what is sent."""
    if current.state == old.state == "failed" or current.changed < old.changed:
        return False
    return (current.state, current.released, _states(current)) != (old.state, old.released, _states(old))


def _states(delivery: Delivery) -> dict[str, str]:
    return {result.address: result.state for result in delivery.results}


def _words(delivery: Delivery) -> str:
    waiting = sum(result.state == "deferred" for result in delivery.results) if delivery.state == "sent" else 0
    but = f" but for {counted(waiting, 'recipient')}" if waiting else ""
    decided = " and to be sent again" if delivery.released else ""
    return f"{delivery.state.replace('_', ' ')}{but}{decided}"


def _names(delivery: Delivery) -> str:
    return " with ".join(report.path.name for report in delivery.message.reports)


def _lost_adoptions(adoptions: Sequence[Adoption], backup: Backup) -> Iterator[str]:
    """Decisions of people that the backup does not contain, unless it knows that the report was sent."""
    known = {(adoption.sha256, adoption.name) for adoption in backup.adoptions}
    sent = {sha256 for each in backup.deliveries if each.state == "sent" for sha256 in each.message.report_hashes}
    lost = [
        adoption
        for adoption in adoptions
        if (adoption.sha256, adoption.name) not in known and adoption.sha256 not in sent
    ]
    if lost:
        decisions = counted(len(lost), "decision")
        yield f"the current report log contains {decisions} that a report counts as sent, the backup does not"


def _unknown_reports(folder: ReportFolder, backup: Backup) -> list[ReportFile]:
    """The reports that would be sent in a new message, according to the backup: no transport delivered them."""
    statuses = statuses_of(folder.reports(), DeliveryHistory(backup.deliveries, backup.adoptions))
    return [status.report for status in statuses if needs_new_message(status)]
