"""Where every report stands: what the folder holds, held against the log."""

from __future__ import annotations

from ..domain.delivery import Message, ReportStatus, Transport, judge_reports
from .ports import ReportFolder, ReportLog


def survey_reports(folder: ReportFolder, log: ReportLog, transport: Transport) -> list[ReportStatus]:
    """The reports in the folder, oldest first, then those in doubt whose file is gone."""
    reports = folder.reports()
    here = {report.sha256 for report in reports}
    gone = [
        ReportStatus(report, "in_doubt", "its message cannot be repeated: the file is gone")
        for message in doubtful_messages(log, transport)
        for report in message.reports
        if report.sha256 not in here
    ]
    return [*judge_reports(reports, log.deliveries(), transport), *gone]


def audit_reports(folder: ReportFolder, log: ReportLog, transport: Transport) -> list[ReportStatus]:
    """Every report of every message, oldest message first, by whatever transport; then those in none yet."""
    history = [
        ReportStatus(report, delivery.state, delivery.detail, delivery)
        for delivery in log.deliveries()
        for report in delivery.message.reports
    ]
    untried = [
        status for status in survey_reports(folder, log, transport) if status.state in ("pending", "edited", "damaged")
    ]
    return [*history, *untried]


def doubtful_messages(log: ReportLog, transport: Transport) -> list[Message]:
    """Messages of which nobody knows whether they arrived.

    Only one process sends at a time, so for who holds the log, what is still `sending` belonged to one that died.
    """
    deliveries = [delivery for delivery in log.deliveries() if delivery.message.transport == transport]
    sent = {report.sha256 for delivery in deliveries if delivery.state == "sent" for report in delivery.message.reports}
    return [
        delivery.message
        for delivery in deliveries
        if delivery.state in ("sending", "in_doubt")
        and not sent.issuperset(report.sha256 for report in delivery.message.reports)
    ]
