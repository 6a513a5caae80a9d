"""The numbers of delivered and pending reports, for metrics and alerts."""

from __future__ import annotations

from datetime import datetime

from ..domain.delivery import UNKNOWN_TIME
from ..domain.metrics import ReportCounts
from .report_tracker import ReportTracker


def count_reports(tracker: ReportTracker, *, since: datetime) -> ReportCounts:
    """The reports as they are now; `sent` counts those that were delivered at `since` or later.

    Deliveries by every transport count as delivered. A report is pending if the tracker's own transport has not
    delivered it. Raises the errors of the report log.
    """
    sent = [delivery for delivery in tracker.log.deliveries() if delivery.state == "sent"]
    pending = tracker.pending()
    ages = [status.report.modified for status in pending if status.report.modified > UNKNOWN_TIME]
    return ReportCounts(
        delivered=sum(len(delivery.message.reports) for delivery in sent),
        recipients=sum(result.state == "sent" for delivery in sent for result in delivery.results),
        sent=sum(len(delivery.message.reports) for delivery in sent if delivery.changed >= since),
        pending=len(pending),
        in_doubt=sum(status.state in ("in_doubt", "held") for status in pending),
        oldest=min(ages, default=None),
    )
