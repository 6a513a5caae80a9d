"""What is to be sent: messages as they were, where one has to be repeated, and new ones.

Planning sends and records nothing; `send.py` does both, and a dry run only shows the plan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ..domain.delivery import Message, ReportFile, Transport
from ..domain.report_status import DeliveryHistory, ReportStatus, statuses_of
from ..errors import InputError
from .ports import ReportFolder
from .report_tracker import inspect_report, unfinished

_MAIL_OVERHEAD = 16 * 1024
_ATTACHMENT_OVERHEAD = 2 * 1024


@dataclass(frozen=True, slots=True)
class Addressing:
    """From whom to whom, under which subject, by what."""

    transport: Transport
    sender: str
    recipients: tuple[str, ...]
    subject: str
    cc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()

    def message(self, reports: Sequence[ReportFile], now: datetime) -> Message:
        identity = [now.isoformat(), *self.recipients, *(report.sha256 for report in reports)]
        digest = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:32]
        return Message(
            message_id=f"<ticketattr.{digest}@{self.sender.rpartition('@')[2]}>",
            date=now.replace(microsecond=0),  # as exact as a Date header
            transport=self.transport,
            sender=self.sender,
            recipients=self.recipients,
            subject=self.subject,
            reports=tuple(reports),
            cc=self.cc,
            reply_to=self.reply_to,
        )


@dataclass(frozen=True, slots=True)
class DeliveryPlanner:
    """Plans on what lies in the folder and what the log said when it was read."""

    folder: ReportFolder
    history: DeliveryHistory
    addressing: Addressing
    now: datetime

    def pending(self, max_size: int | None = None) -> list[Message]:
        """First what has to be repeated, whole; then all that was never taken, in as few messages as may be.

        `max_size`: the most bytes that a mail may have.
        """
        reports = self.folder.reports()
        fresh = _fresh(statuses_of(reports, self.history))
        return [
            *self._repeats(reports),
            *(self.addressing.message(batch, self.now) for batch in _batches(fresh, max_size)),
        ]

    def report(self, path: Path, *, again: bool = False) -> list[Message]:
        """What sending the report at `path` takes: nothing when its content was sent before.

        `again` sends it whatever the log says. Raises InputError when it must not go.
        """
        status = inspect_report(self.folder, self.history, path)
        if status.state == "damaged":
            raise InputError(f"{path} is not sent: {status.detail}", hint="Make it anew with `ticketattr report`.")
        if again:
            return [self.addressing.message([status.report], self.now)]
        if status.state == "edited":
            raise InputError(f"{path} is not sent: {status.detail}", hint="`--again` sends it all the same.")
        if status.state == "held":
            raise InputError(
                f"{path} is not sent: it may have arrived ({status.detail})",
                hint="Decide with `ticketattr pending resolve`.",
            )
        repeats = self._repeats([*self.folder.reports(), status.report])
        return [
            *(message for message in repeats if status.report.sha256 in message.contents),
            *(self.addressing.message([report], self.now) for report in _fresh([status])),
        ]

    def _repeats(self, reports: Iterable[ReportFile]) -> list[Message]:
        """Unfinished messages as they were, each with its reports where they lie now; never a part of one."""
        here = {report.sha256: report for report in reports}
        return [
            replace(delivery.message, reports=tuple(here[report.sha256] for report in delivery.message.reports))
            for delivery in unfinished(self.history)
            if not self.history.is_held(delivery) and delivery.message.contents <= here.keys()
        ]


def _fresh(statuses: Iterable[ReportStatus]) -> list[ReportFile]:
    """Those that no message took; a content that lies there twice goes once."""
    once: dict[str, ReportFile] = {}
    for status in statuses:
        if status.state in ("pending", "failed"):
            once.setdefault(status.report.sha256, status.report)
    return list(once.values())


def _batches(reports: Iterable[ReportFile], max_size: int | None) -> Iterator[list[ReportFile]]:
    """The reports in their order, as many together as one mail holds; one that is too large stays alone."""
    batch: list[ReportFile] = []
    size = _MAIL_OVERHEAD
    for report in reports:
        size += _size_in_mail(report)
        if batch and max_size and size > max_size:
            yield batch
            batch, size = [], _MAIL_OVERHEAD + _size_in_mail(report)
        batch.append(report)
    if batch:
        yield batch


def _size_in_mail(report: ReportFile) -> int:
    """Rather too much than too little: base64 makes 78 bytes of 57, and a name may take twelve for each character."""
    return -(-report.size // 57) * 78 + _ATTACHMENT_OVERHEAD + 12 * len(report.path.name)
