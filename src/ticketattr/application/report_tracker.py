"""Where every report stands, and what a person can decide about it.

The mailroom holds the folder of reports against the log of what became of them, by the rules of `domain.standing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from ..domain.delivery import ABANDONED, Delivery, ReportFile, Transport
from ..domain.report_status import DeliveryHistory, DoubtPolicy, ReportStatus, status_of, statuses_of
from ..errors import InputError, SettingsError
from .ports import ReportFolder, ReportLog

Decision = Literal["sent", "resend"]

_FRESH = timedelta(days=1)
_SHORTEST_HASH = 8


@dataclass(frozen=True, slots=True)
class ReportTracker:
    """Where reports lie, and the log of what became of them; what `transport` delivered counts as sent.

    Every answer reads log and folder anew.
    """

    folder: ReportFolder
    log: ReportLog
    transport: Transport
    doubt: DoubtPolicy

    def history(self) -> DeliveryHistory:
        """What the log says of the transport, in doubt what its process did not live to finish."""
        return self._full_history().for_transport(self.transport)

    def statuses(self) -> list[ReportStatus]:
        """The reports in the folder, oldest first, then those of unfinished messages whose file is gone."""
        return self._statuses(self.history())

    def pending(self) -> list[ReportStatus]:
        """What of the survey still has to reach somebody."""
        return [status for status in self.statuses() if status.is_pending]

    def unsent(self) -> list[ReportStatus]:
        """What of the survey a person should know of: what still has to go, and what never will by itself."""
        return [status for status in self.statuses() if status.is_pending or status.state != "sent"]

    def report_history(self) -> list[ReportStatus]:
        """Every report of every message, oldest message first, by whatever transport; then those in none."""
        history = self._full_history()
        delivered = [
            status_of(report, delivery, history)
            for delivery in history.deliveries
            for report in delivery.message.reports
        ]
        statuses = self._statuses(history.for_transport(self.transport))
        return [*delivered, *(status for status in statuses if not status.delivery)]

    def status(self, path: Path) -> ReportStatus:
        """Where the report at `path`, which may lie anywhere, stands. Raises InputError."""
        return inspect_report(self.folder, self.history(), path)

    def _statuses(self, history: DeliveryHistory) -> list[ReportStatus]:
        reports = self.folder.reports()
        here = {report.sha256 for report in reports}
        gone = [
            replace(status_of(report, delivery, history), detail="its message cannot be repeated: the file is gone")
            for delivery in unfinished(history)
            for report in delivery.message.reports
            if report.sha256 not in here
        ]
        return [*statuses_of(reports, history), *gone]

    def _full_history(self) -> DeliveryHistory:
        return DeliveryHistory(_true_deliveries(self.log), self.log.adoptions(), self.doubt)


def inspect_report(folder: ReportFolder, history: DeliveryHistory, path: Path) -> ReportStatus:
    """Where the report at `path`, which may lie anywhere, stands. Raises InputError."""
    (status,) = statuses_of([folder.inspect(path)], history)
    return status


def unfinished(history: DeliveryHistory) -> list[Delivery]:
    """The messages that may have to go to somebody again: put off for some recipients, or in doubt.

    Doubt is over where every report arrived by another message.
    """
    sent = (delivery for delivery in history.deliveries if delivery.state == "sent")
    arrived = {content for delivery in sent for content in delivery.message.contents}
    return [
        delivery
        for delivery in history.deliveries
        if (delivery.state == "sent" and delivery.outstanding)
        or (delivery.state == "in_doubt" and not delivery.message.contents <= arrived)
    ]


def refuse_lost_report_log(reports: Iterable[ReportFile], log: ReportLog, now: datetime) -> None:
    """Raise InputError when there is no log, but workbooks that may well have been sent."""
    if log.exists():
        return
    old = [report for report in reports if now - report.modified > _FRESH and not report.is_temporary]
    if old:
        raise InputError(
            f"there is no report log, but {_named(old)} over a day old: nobody knows whether that was sent",
            hint="Restore the report log (REPORT_LOG_DB_PATH), mark them as sent with `ticketattr pending adopt`, "
            "or send them with `--send-old`.",
        )


def _named(reports: Sequence[ReportFile]) -> str:
    first, *others = reports
    return f"{first.path} and {len(others)} more reports are" if others else f"{first.path} is"


def adoptable_reports(tracker: ReportTracker, paths: Sequence[Path]) -> list[ReportStatus]:
    """Where those at `paths` stand; without any, all that lie in the folder, of a log that is gone."""
    if not paths and tracker.log.exists():
        raise SettingsError("there is a report log", hint="Name the workbooks that are to count as sent.")
    reports = [tracker.folder.inspect(path) for path in paths] if paths else tracker.folder.reports()
    statuses = statuses_of(reports, tracker.history())
    return statuses if paths else [status for status in statuses if status.state != "damaged"]


def adopt_reports(log: ReportLog, statuses: Sequence[ReportStatus], now: datetime) -> list[ReportFile]:
    """Mark as sent what waits or was refused; returns that. Raises InputError for what is in doubt or damaged."""
    for status in statuses:
        if status.state in ("sending", "in_doubt", "held"):
            raise InputError(
                f"{status.report.path} is not adopted: {status.state}", hint="Decide with `ticketattr pending resolve`."
            )
        if status.state == "damaged":
            raise InputError(
                f"{status.report.path} is not adopted: {status.detail}", hint="Only what can be sent can count as sent."
            )
    reports = [status.report for status in statuses if status.state in ("pending", "failed")]
    if reports:
        log.adopt(reports, "adopted: counts as sent", now)
    return reports


def resolve_doubt(tracker: ReportTracker, report: str, decision: Decision, now: datetime) -> list[Delivery]:
    """Settle the messages in doubt that carry `report` (a path, a name or the start of a SHA-256); returns them."""
    content = tracker.folder.inspect(Path(report)).sha256 if Path(report).is_file() else report
    matching = [
        delivery
        for delivery in tracker.history().deliveries
        if delivery.state == "in_doubt"
        and any(_is_called(other, report, content) for other in delivery.message.reports)
    ]
    if not matching:
        raise InputError(f"no message in doubt carries {report}", hint="`ticketattr pending list` shows those that do.")
    here = {other.sha256 for other in tracker.folder.reports()} | {content}
    for delivery in matching:
        _decide(tracker.log, delivery, decision, here, now)
    return matching


def _is_called(report: ReportFile, name: str, content: str) -> bool:
    return report.path.name == name or (len(content) >= _SHORTEST_HASH and report.sha256.startswith(content))


def _decide(log: ReportLog, delivery: Delivery, decision: Decision, here: set[str], now: datetime) -> None:
    if decision == "sent":
        log.resolve(delivery.message, "sent", "a person decided that it arrived", now)
    elif delivery.message.contents <= here:
        log.resolve(delivery.message, "in_doubt", "a person decided that it goes again", now)
    else:
        # It can never be repeated whole. Given up, it lets its other reports go in a new message.
        log.resolve(delivery.message, "failed", "a person decided that it goes again, but a file is gone", now)


def _true_deliveries(log: ReportLog) -> list[Delivery]:
    deliveries = log.deliveries()
    if not any(delivery.state == "sending" for delivery in deliveries) or log.is_held():
        return deliveries
    # Read anew: whoever was sending may have finished before we asked whether anybody is.
    return [_abandoned(delivery) if delivery.state == "sending" else delivery for delivery in log.deliveries()]


def _abandoned(delivery: Delivery) -> Delivery:
    return replace(delivery, state="in_doubt", detail=ABANDONED)
