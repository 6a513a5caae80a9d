"""The numbers of delivered and pending reports, for metrics and alerts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..domain.delivery import UNKNOWN_TIME
from ..domain.metrics import ReportCounts
from ..domain.report_status import ReportStatus
from .ports import ReportLog


def count_reports(log: ReportLog, statuses: Iterable[ReportStatus], *, since: datetime) -> ReportCounts:
    """The numbers of `statuses`, and of the deliveries in the log; `sent` counts those at `since` or later.

    Deliveries by every transport count as delivered. A report is pending if the transport of the statuses has not
    delivered it. Raises the errors of the report log.
    """
    sent = [delivery for delivery in log.deliveries() if delivery.state == "sent"]
    pending = [status for status in statuses if status.is_pending]
    ages = [status.report.modified for status in pending if status.report.modified > UNKNOWN_TIME]
    return ReportCounts(
        delivered=sum(len(delivery.message.reports) for delivery in sent),
        recipients=sum(result.state == "sent" for delivery in sent for result in delivery.results),
        sent=sum(len(delivery.message.reports) for delivery in sent if delivery.changed >= since),
        pending=len(pending),
        in_doubt=sum(status.state in ("in_doubt", "held") for status in pending),
        oldest=min(ages, default=None),
    )
