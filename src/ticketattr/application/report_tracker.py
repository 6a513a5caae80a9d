"""The status of every report: the folder of reports, compared with the report log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from ..domain.delivery import ABANDONED, Delivery, ReportFile, Transport
from ..domain.report_status import DeliveryHistory, DoubtPolicy, ReportStatus
from ..domain.send_rules import status_in, statuses_of
from ..domain.wording import counted
from ..errors import InputError
from .folder_owner import refuse_other_log
from .ports import ReportFolder, ReportLog

_NEW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReportTracker:
    """The folder of reports and the report log. A report counts as sent if `transport` delivered it.

    Every method reads the folder and the log again. It raises the errors of both ports, and SettingsError if the folder
    belongs to another log.
    """

    folder: ReportFolder
    log: ReportLog
    transport: Transport
    doubt: DoubtPolicy

    def history(self) -> DeliveryHistory:
        """The history that counts for the transport. Messages of processes that died are in doubt."""
        return self._full_history().for_transport(self.transport)

    def history_of_log(self) -> DeliveryHistory:
        """As `history`, also if the folder belongs to another log."""
        return self._whole_log().for_transport(self.transport)

    def statuses(self) -> list[ReportStatus]:
        """The reports in the folder, oldest first, then the missing reports of unfinished messages."""
        return self._statuses(self.history())

    def pending(self) -> list[ReportStatus]:
        """Of `statuses`, those that a recipient still waits for, or that somebody has to act on."""
        return [status for status in self.statuses() if status.is_pending]

    def unsent(self) -> list[ReportStatus]:
        """Of `statuses`, the pending ones and those that are never sent automatically."""
        return [status for status in self.statuses() if status.is_pending or status.state != "sent"]

    def report_history(self) -> list[ReportStatus]:
        """Every report of every message by any transport, oldest message first, then the reports in no message."""
        history = self._full_history()
        delivered = [
            status_in(delivery, report, history)
            for delivery in history.deliveries
            for report in delivery.message.reports
        ]
        statuses = self._statuses(history.for_transport(self.transport))
        return [*delivered, *(status for status in statuses if not status.delivery)]

    def recent_history(self, before: int | None, limit: int) -> dict[int, list[ReportStatus]]:
        """The reports of the latest messages by any transport, by the numbers of these, the latest first.

        With `before`, of messages with a smaller number. A long log is not read whole.
        """
        refuse_other_log(self.folder, self.log)
        found = _current(self.log, lambda: self.log.recent_deliveries(before, limit))
        history = DeliveryHistory((), doubt=self.doubt)
        return {
            number: [status_in(delivery, report, history) for report in reversed(delivery.message.reports)]
            for number, delivery in found.items()
        }

    def status(self, path: Path) -> ReportStatus:
        """The status of the report at `path`, which may be in any folder. Raises InputError."""
        return inspect_report(self.folder, self.history(), path)

    def _statuses(self, history: DeliveryHistory) -> list[ReportStatus]:
        reports = self.folder.reports()
        here = {report.sha256 for report in reports}
        missing = [
            replace(status_in(delivery, report, history), detail="its message cannot be repeated: the file is missing")
            for delivery in unfinished_deliveries(history)
            for report in delivery.message.reports
            if report.sha256 not in here
        ]
        return [*statuses_of(reports, history), *missing]

    def _full_history(self) -> DeliveryHistory:
        refuse_other_log(self.folder, self.log)
        return self._whole_log()

    def _whole_log(self) -> DeliveryHistory:
        found = _current(self.log, lambda: dict(enumerate(self.log.deliveries())))
        return DeliveryHistory(list(found.values()), self.log.adoptions(), self.doubt)


def inspect_report(folder: ReportFolder, history: DeliveryHistory, path: Path) -> ReportStatus:
    """The status of the report at `path`, which may be in any folder. Raises InputError."""
    (status,) = statuses_of([folder.inspect(path)], history)
    return status


def unfinished_deliveries(history: DeliveryHistory) -> list[Delivery]:
    """The messages that may have to be sent again: deferred for some recipients, or in doubt.

    A message in doubt is finished if every report in it was sent by another message.
    """
    sent = (delivery for delivery in history.deliveries if delivery.state == "sent")
    arrived = {sha256 for delivery in sent for sha256 in delivery.message.report_hashes}
    return [
        delivery
        for delivery in history.deliveries
        if (delivery.state == "sent" and delivery.outstanding)
        or (delivery.state == "in_doubt" and not delivery.message.report_hashes <= arrived)
    ]


def refuse_lost_report_log(reports: Iterable[ReportFile], now: datetime) -> None:
    """Raises InputError if one of `reports` is over a day old: without a log, it may have been sent."""
    old = [report for report in reports if now - report.modified > _NEW and not report.is_temporary]
    if old:
        raise InputError(
            f"there is no report log, but {_named(old)} over a day old: nobody knows whether that was sent",
            hint="Restore the report log (REPORT_LOG_DB_PATH), mark them as sent with `ticketattr pending adopt`, "
            "or send them with `--send-old`.",
        )


def _named(reports: Sequence[ReportFile]) -> str:
    first, *others = reports
    return f"{first.path} and {counted(len(others), 'more report')} are" if others else f"{first.path} is"


def _current(log: ReportLog, read: Callable[[], Mapping[int, Delivery]]) -> Mapping[int, Delivery]:
    """What `read` reads from the log; deliveries that a dead process left `sending` are in doubt."""
    found = read()
    if not any(delivery.state == "sending" for delivery in found.values()) or log.is_locked():
        return found
    # Read again: the sender may have finished between reading the log and asking for the lock.
    return {number: _abandoned(one) if one.state == "sending" else one for number, one in read().items()}


def _abandoned(delivery: Delivery) -> Delivery:
    return replace(delivery, state="in_doubt", detail=ABANDONED)
