"""Make the report of a run, held against the last one that was sent."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..domain.catalog import ServiceCatalog
from ..domain.changes import Earlier
from ..domain.delivery import Transport
from ..domain.report import Background, Report, build_report
from ..domain.ticket import AttributedTicket
from ..domain.usage import Bill
from ..errors import StageFileError
from .ports import ReportLog, ReportWriter, StageFiles

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reporting:
    """Who writes reports, what they say besides tickets, and where the last one that was sent is found.

    `transport`: a report counts as sent when it was sent by that.
    """

    writer: ReportWriter
    stage_files: StageFiles
    report_log: ReportLog
    transport: Transport
    review_below: float
    ticket_url: str = ""


@dataclass(frozen=True, slots=True)
class Attributed:
    """What classification left: the run, when that was, and what came of it."""

    run_id: str
    generated_at: datetime
    tickets: Sequence[AttributedTicket]
    bill: Bill | None = None
    catalog: ServiceCatalog | None = None


def make_report(attributed: Attributed, reporting: Reporting, path: Path) -> Report:
    background = Background(
        bill=attributed.bill,
        catalog=attributed.catalog,
        earlier=_earlier_report(attributed.run_id, reporting),
        review_below=reporting.review_below,
        ticket_url=reporting.ticket_url,
    )
    if attributed.catalog is None:
        log.warning("the catalog of run %s is not there: the report has no drop-downs", attributed.run_id)
    report = build_report(
        attributed.tickets,
        run_id=attributed.run_id,
        generated_at=attributed.generated_at,
        background=background,
    )
    reporting.writer.write(report, path)
    log.info("report written: %d rows, %d attributed", len(report.rows), report.attributed)
    return report


def _earlier_report(run_id: str, reporting: Reporting) -> Earlier | None:
    """The last report that was sent of a run before this one; None when what it said is no longer known."""
    sent = last_sent_run(reporting.report_log, reporting.transport, before=run_id)
    if not sent:
        return None
    try:
        tickets = reporting.stage_files.attributed(sent)
    except StageFileError as error:
        log.warning("the report is compared with none: %s", error)
        return None
    return Earlier.of(sent, tickets)


def last_sent_run(report_log: ReportLog, transport: Transport, *, before: str = "") -> str:
    """Run ids sort by time. With `before`, only earlier runs count, so that a report made again says the same."""
    runs = (
        report.run_id
        for delivery in report_log.deliveries()
        if delivery.state == "sent" and delivery.message.transport == transport
        for report in delivery.message.reports
    )
    return max((run for run in runs if not before or run < before), default="")


def report_name(run_id: str, format: str = "xlsx") -> str:
    """The file name of the report of a run; `format` is its suffix."""
    return f"ticket-attribution-{run_id}.{format}"
