"""Make the report of a run, and compare it with the last report that was sent."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..domain.catalog import ServiceCatalog
from ..domain.changes import EarlierReport
from ..domain.delivery import Transport
from ..domain.report import Report, ReportContext, Row, build_report, stream_rows
from ..domain.ticket import AttributedTicket
from ..domain.usage import Bill
from ..domain.wording import counted
from ..domain.write_back import effects_of
from ..errors import StageFileError
from .ports import AppliedRun, ReportLog, ReportWriter, RowSorter, RowWriter, StageFiles

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reporting:
    """What `make_report` needs besides the tickets.

    A report counts as sent if `transport` sent it. A person should review an attribution whose confidence is below
    `review_below` (0 to 1). `ticket_url` is the URL of a ticket, with `{id}` for its id; empty for no links.
    `reports_empty_queue`: a queue without tickets gets a report, which says so.
    """

    writer: ReportWriter
    stage_files: StageFiles
    report_log: ReportLog
    transport: Transport
    review_below: float
    ticket_url: str = ""
    time_zone: str = "UTC"
    reports_empty_queue: bool = False
    language: str = "en"

    def is_due(self, tickets: Sequence[AttributedTicket]) -> bool:
        """Whether a run with these tickets gets a report."""
        return bool(tickets) or self.reports_empty_queue


@dataclass(frozen=True, slots=True)
class AttributedRun:
    """The result of the classification of one run, with its time in UTC; a None is unknown.

    `applied` is what it changed in the helpdesk.
    """

    run_id: str
    generated_at: datetime
    tickets: Sequence[AttributedTicket]
    bill: Bill | None = None
    catalog: ServiceCatalog | None = None
    applied: AppliedRun | None = None


@dataclass(frozen=True, slots=True)
class RowCounts:
    """How many rows a report has, and how many of them have a request type."""

    rows: int = 0
    attributed: int = 0


def make_report(run: AttributedRun, reporting: Reporting, path: Path) -> Report:
    """Write the report of `run` to `path`, and return it. Raises SettingsError, InputError or ServiceError."""
    context = _context(run, reporting, _earlier_report(run.run_id, reporting))
    report = build_report(
        run.tickets,
        run_id=run.run_id,
        generated_at=run.generated_at,
        context=context,
    )
    reporting.writer.write(report, path)
    log.info("report written: %s, %d attributed", counted(len(report.rows), "row"), report.attributed)
    return report


def stream_report(
    run: AttributedRun,
    tickets: Iterable[AttributedTicket],
    reporting: Reporting,
    writer: RowWriter,
    in_order: RowSorter,
    path: Path,
) -> RowCounts:
    """Write the rows of a report on `tickets` to `path`, one after the other; `run` says whose they are.

    The rows are those of `make_report`, except that they are not compared with an earlier report. Raises SettingsError,
    InputError or ServiceError.
    """
    counts = RowCounts()

    def counted_rows(rows: Iterable[Row]) -> Iterator[Row]:
        nonlocal counts
        for row in rows:
            counts = RowCounts(counts.rows + 1, counts.attributed + bool(row.request_type))
            yield row

    context = _context(run, reporting, None)
    with in_order(stream_rows(tickets, generated_at=run.generated_at, context=context)) as rows:
        writer.write_rows(counted_rows(rows), path)
    log.info("report written: %s, %d attributed", counted(counts.rows, "row"), counts.attributed)
    return counts


def _context(run: AttributedRun, reporting: Reporting, earlier: EarlierReport | None) -> ReportContext:
    if run.catalog is None:
        log.warning("the catalog of run %s is missing: the report has no drop-down lists and no due times", run.run_id)
    return ReportContext(
        bill=run.bill,
        catalog=run.catalog,
        earlier=earlier,
        review_below=reporting.review_below,
        ticket_url=reporting.ticket_url,
        time_zone=reporting.time_zone,
        language=reporting.language,
        effects=effects_of(run.applied.changes, run.applied.skipped) if run.applied else {},
    )


def _earlier_report(run_id: str, reporting: Reporting) -> EarlierReport | None:
    """The last report that was sent of an earlier run, or None if its stage file no longer exists."""
    sent = last_sent_run(reporting.report_log, reporting.transport, before=run_id)
    if not sent:
        return None
    try:
        tickets = reporting.stage_files.attributed(sent)
    except StageFileError as error:
        log.warning("the report is not compared with an earlier one: %s", error)
        return None
    return EarlierReport.of(sent, tickets)


def last_sent_run(report_log: ReportLog, transport: Transport, *, before: str = "") -> str:
    """The id of the newest run whose report was sent by `transport`; empty if there is none.

    With `before`, only earlier runs count, so that a report that is made again has the same content.
    """
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
