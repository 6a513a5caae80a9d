"""Record a person's decision about a report in doubt, or about a recipient who waits for one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from ..domain.delivery import Delivery, ReportFile
from ..errors import InputError
from .ports import ReportLogMaintenance
from .report_tracker import ReportTracker

Decision = Literal["sent", "resend"]
"""`sent`: the message arrived. `resend`: it is sent again."""

_SHORTEST_HASH = 8


def resolve_doubt(
    tracker: ReportTracker, log: ReportLogMaintenance, report: str, decision: Decision, now: datetime
) -> list[Delivery]:
    """The messages in doubt with `report` (a path, a file name or the start of a SHA-256); the decision is recorded.

    Raises InputError if there is none.
    """
    sha256 = tracker.folder.inspect(Path(report)).sha256 if Path(report).is_file() else report
    matching = [
        delivery
        for delivery in tracker.history().deliveries
        if delivery.state == "in_doubt" and any(_matches(each, report, sha256) for each in delivery.message.reports)
    ]
    if not matching:
        raise InputError(
            f"no message in doubt contains {report}", hint="`ticketattr pending list` shows the reports in doubt."
        )
    here = {each.sha256 for each in tracker.folder.reports()} | {sha256}
    for delivery in matching:
        _record(log, delivery, decision, here, now)
    return matching


def resolve_recipient(
    tracker: ReportTracker,
    log: ReportLogMaintenance,
    address: str,
    report: str | None,
    state: Literal["sent", "refused"],
    now: datetime,
) -> list[Delivery]:
    """The messages that wait for the recipient `address`; from now on nothing more is sent to it.

    `report`: only messages with this report (as in `resolve_doubt`). It need not exist any more. `state`: whether the
    recipient has the message. Raises InputError if no message waits for the recipient.
    """
    sha256 = tracker.folder.inspect(Path(report)).sha256 if report and Path(report).is_file() else report
    waiting = [
        (delivery, recipient)
        for delivery in tracker.history().deliveries
        if delivery.state in ("sent", "in_doubt")
        and (not report or any(_matches(each, report, sha256 or "") for each in delivery.message.reports))
        for recipient in delivery.outstanding
        if recipient.casefold() == address.casefold()
    ]
    if not waiting:
        raise InputError(
            f"no message{f' with {report}' if report else ''} waits for {address}",
            hint="`ticketattr pending list --format json` shows the state of each recipient. A report that nobody"
            " accepted goes to the present EMAIL_RECIPIENT.",
        )
    detail = "a person decided that it arrived" if state == "sent" else "a person decided that it is not sent there"
    for delivery, recipient in waiting:
        log.settle_recipient(delivery.message, recipient, state, detail, now)
    return [delivery for delivery, _ in waiting]


def _matches(report: ReportFile, name: str, sha256: str) -> bool:
    return report.path.name == name or (len(sha256) >= _SHORTEST_HASH and report.sha256.startswith(sha256))


def _record(log: ReportLogMaintenance, delivery: Delivery, decision: Decision, here: set[str], now: datetime) -> None:
    message = delivery.message
    if decision == "sent":
        log.record_decision(message, "sent", "a person decided that it arrived", now)
    elif message.report_hashes <= here:
        log.record_decision(message, "in_doubt", "a person decided that it is sent again", now)
    else:
        # The whole message can never be repeated. Once it failed, its other reports are sent in a new message.
        log.record_decision(message, "failed", "a person decided that it is sent again, but a file is missing", now)
