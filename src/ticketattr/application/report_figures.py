"""What the report log and the folder of reports say, in figures."""

from __future__ import annotations

from datetime import datetime

from ..domain.delivery import UNKNOWN_TIME
from ..domain.run_history import ReportFigures
from .report_tracker import ReportTracker


def count_reports(tracker: ReportTracker, *, since: datetime) -> ReportFigures:
    """Pending is what its transport has not delivered; delivered, what any ever did. Raises what the log raises."""
    sent = [delivery for delivery in tracker.log.deliveries() if delivery.state == "sent"]
    left = tracker.pending()
    ages = [status.report.modified for status in left if status.report.modified > UNKNOWN_TIME]
    return ReportFigures(
        delivered=sum(len(delivery.message.reports) for delivery in sent),
        recipients=sum(result.state == "sent" for delivery in sent for result in delivery.results),
        sent=sum(len(delivery.message.reports) for delivery in sent if delivery.changed >= since),
        pending=len(left),
        in_doubt=sum(status.state in ("in_doubt", "held") for status in left),
        oldest=min(ages, default=None),
    )
