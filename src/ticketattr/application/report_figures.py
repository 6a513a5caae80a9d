"""The figures of reports and recipients for monitoring."""

from __future__ import annotations

from datetime import datetime

from ..domain.delivery import UNKNOWN_TIME
from ..domain.run_history import ReportFigures
from .report_tracker import ReportTracker


def count_reports(tracker: ReportTracker, *, since: datetime) -> ReportFigures:
    """Delivered and sent reports count for every transport, pending ones for that of the tracker. `since`: for `sent`.

    Raises the errors of the report log.
    """
    sent = [delivery for delivery in tracker.log.deliveries() if delivery.state == "sent"]
    pending = tracker.pending()
    ages = [status.report.modified for status in pending if status.report.modified > UNKNOWN_TIME]
    return ReportFigures(
        delivered=sum(len(delivery.message.reports) for delivery in sent),
        recipients=sum(result.state == "sent" for delivery in sent for result in delivery.results),
        sent=sum(len(delivery.message.reports) for delivery in sent if delivery.changed >= since),
        pending=len(pending),
        in_doubt=sum(status.state in ("in_doubt", "held") for status in pending),
        oldest=min(ages, default=None),
    )
