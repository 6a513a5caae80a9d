"""The messages to send: earlier ones that have to be repeated, and new ones.

This module only composes the list. `send.py` sends and records; a dry run only shows the list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ..domain.delivery import DEFAULT_FORM, MailForm, Message, ReportFile, Transport
from ..domain.mail_subject import fill_subject, newest_figures
from ..domain.report_status import DeliveryHistory, ReportStatus
from ..domain.send_rules import needs_new_message, refuse_to_send, statuses_of
from .ports import ReportFolder
from .report_tracker import inspect_report, unfinished_deliveries

_MAIL_OVERHEAD = 16 * 1024
# The figures of the newest report are in two bodies, and a line for each of the others.
_FIGURES_OVERHEAD = 160 * 1024
_ATTACHMENT_OVERHEAD = 2 * 1024


@dataclass(frozen=True, slots=True)
class Addressing:
    """The transport, addresses, subject and form of new messages.

    `subject` may contain the placeholders of `domain.mail_subject`; `date_format` is that of its dates, for `strftime`.
    `plain_subject` is for reports that state no figures (empty: `subject`).
    """

    transport: Transport
    sender: str
    recipients: tuple[str, ...]
    subject: str
    cc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    form: MailForm = DEFAULT_FORM
    date_format: str = "%Y-%m-%d"
    plain_subject: str = ""

    def message(self, reports: Sequence[ReportFile], now: datetime, *, attaches: bool = True) -> Message:
        """A new message with these reports, or about them if it does not attach them.

        Its Message-ID depends on reports, recipients and time, and on whether they are attached.
        """
        identity = [now.isoformat(), *self.recipients, *(report.sha256 for report in reports)]
        if not attaches:
            identity.append("not attached")
        digest = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:32]
        return Message(
            message_id=f"<ticketattr.{digest}@{self.sender.rpartition('@')[2]}>",
            date=now.replace(microsecond=0),  # The Date header has whole seconds.
            transport=self.transport,
            sender=self.sender,
            recipients=self.recipients,
            subject=self._subject(reports, now),
            reports=tuple(reports),
            cc=self.cc,
            reply_to=self.reply_to,
            form=replace(self.form, attaches=attaches),
        )

    def _subject(self, reports: Sequence[ReportFile], now: datetime) -> str:
        figures = newest_figures(report.figures for report in reports)
        subject = self.subject if figures else self.plain_subject or self.subject
        return fill_subject(subject, figures, now, self.date_format)


@dataclass(frozen=True, slots=True)
class OutgoingMessages:
    """Composes messages for the reports in a folder, by the history at one moment."""

    folder: ReportFolder
    history: DeliveryHistory
    addressing: Addressing
    now: datetime

    def pending(self, max_size: int | None = None) -> list[Message]:
        """First the messages to repeat, unchanged; then new ones with all other pending reports, as few as possible.

        `max_size`: the largest mail that is accepted, in bytes (None: no limit).
        """
        reports = self.folder.reports()
        new = _without_copies(statuses_of(reports, self.history))
        return [
            *self._repeats(reports),
            *(self.addressing.message(batch, self.now) for batch in _batches(map(self._with_figures, new), max_size)),
        ]

    def for_report(self, path: Path, *, again: bool = False) -> list[Message]:
        """The messages that send the report at `path`, which may be in any folder; none if it was sent before.

        `again`: a new message, whatever the history says. Raises InputError if the report must not be sent.
        """
        status = inspect_report(self.folder, self.history, path)
        refuse_to_send(status, again=again)
        if again:
            return [self.addressing.message([self._with_figures(status.report)], self.now)]
        repeats = self._repeats([*self.folder.reports(), status.report])
        return [
            *(message for message in repeats if status.report.sha256 in message.report_hashes),
            *(self.addressing.message([self._with_figures(report)], self.now) for report in _without_copies([status])),
        ]

    def _with_figures(self, report: ReportFile) -> ReportFile:
        return replace(report, figures=self.folder.figures(report))

    def _repeats(self, reports: Iterable[ReportFile]) -> list[Message]:
        """Unfinished messages with the present paths of their reports. A message with a missing report is left out."""
        here = {report.sha256: report for report in reports}
        return [
            replace(
                delivery.message,
                reports=tuple(self._with_figures(here[report.sha256]) for report in delivery.message.reports),
            )
            for delivery in unfinished_deliveries(self.history)
            if not self.history.is_held(delivery) and delivery.message.report_hashes <= here.keys()
        ]


def _without_copies(statuses: Iterable[ReportStatus]) -> list[ReportFile]:
    """The reports that need a new message; of several files with the same content, the first."""
    by_hash: dict[str, ReportFile] = {}
    for status in statuses:
        if needs_new_message(status):
            by_hash.setdefault(status.report.sha256, status.report)
    return list(by_hash.values())


def _batches(reports: Iterable[ReportFile], max_size: int | None) -> Iterator[list[ReportFile]]:
    """The reports in their order, as many together as fit into one mail. A report that is too large stays alone."""
    batch: list[ReportFile] = []
    for report in reports:
        if batch and max_size and _size_of_mail([*batch, report]) > max_size:
            yield batch
            batch = []
        batch.append(report)
    if batch:
        yield batch


def _size_of_mail(reports: Sequence[ReportFile]) -> int:
    """An upper bound, in bytes."""
    figures = _FIGURES_OVERHEAD if any(report.figures for report in reports) else 0
    return _MAIL_OVERHEAD + figures + sum(map(_size_in_mail, reports))


def _size_in_mail(report: ReportFile) -> int:
    """An upper bound, in bytes: base64 makes 78 bytes of 57, and a file name may take 12 for each character."""
    return -(-report.size // 57) * 78 + _ATTACHMENT_OVERHEAD + 12 * len(report.path.name)
