"""Deliver each report once.

A message is frozen and recorded before the server hears of it. Whatever happens afterwards, the log
knows what was handed over, and a repeat after doubt is the same message, not another one.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..domain.delivery import Message, ReportFile, ReportStatus, judge_reports
from ..errors import InputError, TicketAttrError
from .pending import doubtful_messages, survey_reports
from .ports import (
    Clock,
    DeliveryInDoubt,
    Mailer,
    MailSession,
    MessageRefused,
    ReportFolder,
    ReportLog,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Addressing:
    """From whom to whom, under which subject."""

    sender: str
    recipients: tuple[str, ...]
    subject: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Where reports lie, where it is recorded what became of them, who carries them, and to whom."""

    folder: ReportFolder
    log: ReportLog
    mailer: Mailer
    addressing: Addressing
    clock: Clock

    def judge(self, reports: Iterable[ReportFile]) -> list[ReportStatus]:
        return judge_reports(reports, self.log.deliveries(), self.mailer.transport)


def plan_pending(outgoing: Outgoing) -> list[Message]:
    """What `send_pending` would send: first what is in doubt, repeated whole; then all the rest in one."""
    reports = outgoing.folder.reports()
    return [*_repeats(outgoing, reports), *_first_time(outgoing, outgoing.judge(reports))]


def plan_report(outgoing: Outgoing, path: Path, *, again: bool = False) -> list[Message]:
    """What sending the report at `path` takes: nothing when its content was sent before.

    `again` sends it whatever the log says. Raises InputError when it must not go.
    """
    status = report_status(outgoing, path)
    report = status.report
    if status.state == "damaged":
        raise InputError(f"{path} is not sent: {status.detail}", hint="Make it anew with `ticketattr report`.")
    if again:
        return [_new_message(outgoing, [report])]
    if status.state == "edited":
        raise InputError(f"{path} is not sent: {status.detail}", hint="`--again` sends it all the same.")
    repeats = _repeats(outgoing, [report, *outgoing.folder.reports()])
    return [
        *(message for message in repeats if report.sha256 in {other.sha256 for other in message.reports}),
        *_first_time(outgoing, [status]),
    ]


def report_status(outgoing: Outgoing, path: Path) -> ReportStatus:
    """Where the report at `path`, which may lie anywhere, stands. Raises InputError."""
    (status,) = outgoing.judge([outgoing.folder.inspect(path)])
    return status


def send_messages(outgoing: Outgoing, messages: Sequence[Message]) -> list[Message]:
    """Hand the messages over in one session; returns those that were taken."""
    if not messages:
        return []
    with outgoing.mailer.connect() as session:
        return [message for message in messages if _hand_over(outgoing, session, message)]


def left_over(outgoing: Outgoing) -> list[ReportStatus]:
    """The reports that still have to reach their reader."""
    statuses = survey_reports(outgoing.folder, outgoing.log, outgoing.mailer.transport)
    return [status for status in statuses if status.is_pending]


def _hand_over(outgoing: Outgoing, session: MailSession, message: Message) -> bool:
    contents = [outgoing.folder.read(report) for report in message.reports]
    log.info("sending %s: %d attachments, %d bytes", message.message_id, len(contents), sum(map(len, contents)))
    outgoing.log.begin(message, outgoing.clock())
    try:
        reply = session.send(message, contents)
    except DeliveryInDoubt as error:
        log.warning("%s may have arrived or not: %s", message.message_id, error)
        outgoing.log.finish(message, "in_doubt", str(error), outgoing.clock())
        return False
    except MessageRefused as error:
        log.warning("%s was refused: %s", message.message_id, error)
        outgoing.log.finish(message, "failed", str(error), outgoing.clock())
        return False
    except TicketAttrError as error:
        outgoing.log.finish(message, "failed", str(error), outgoing.clock())
        raise
    outgoing.log.finish(message, "sent", reply, outgoing.clock())
    log.info("sent %s", message.message_id)
    return True


def _repeats(outgoing: Outgoing, reports: Iterable[ReportFile]) -> list[Message]:
    """The doubtful messages as they were, each with its reports where they lie now; never a part of one."""
    here = {report.sha256: report for report in reports}
    return [
        replace(message, reports=tuple(here[report.sha256] for report in message.reports))
        for message in doubtful_messages(outgoing.log, outgoing.mailer.transport)
        if all(report.sha256 in here for report in message.reports)
    ]


def _first_time(outgoing: Outgoing, statuses: Iterable[ReportStatus]) -> list[Message]:
    """One message with all that was not sent yet; a content that lies there twice goes once."""
    once: dict[str, ReportFile] = {}
    for status in statuses:
        if status.state in ("pending", "failed"):
            once.setdefault(status.report.sha256, status.report)
    return [_new_message(outgoing, list(once.values()))] if once else []


def _new_message(outgoing: Outgoing, reports: Sequence[ReportFile]) -> Message:
    now = outgoing.clock()
    addressing = outgoing.addressing
    identity = [now.isoformat(), *addressing.recipients, *(report.sha256 for report in reports)]
    digest = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:32]
    return Message(
        message_id=f"<ticketattr.{digest}@{addressing.sender.rpartition('@')[2]}>",
        date=now.replace(microsecond=0),  # as exact as a Date header
        transport=outgoing.mailer.transport,
        sender=addressing.sender,
        recipients=addressing.recipients,
        subject=addressing.subject,
        reports=tuple(reports),
    )
