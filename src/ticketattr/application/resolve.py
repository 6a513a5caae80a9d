"""Record a person's decision about a report in doubt."""

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
