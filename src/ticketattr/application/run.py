"""The whole chain: send what is pending, import corrections, fetch, classify, write into the helpdesk, report, send."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..domain.catalog import ServiceCatalog
from ..domain.correction import in_force
from ..domain.delivery import Delivery
from ..domain.figures import ReportFigures, figures_of
from ..domain.gold import LabelledTickets
from ..domain.report_status import ReportStatus
from ..domain.run_history import count_outcomes
from ..domain.ticket import AttributedTicket
from ..domain.times import DEFAULT_STYLE, TimeStyle
from ..domain.write_back import count_changes
from ..errors import SettingsError, TicketAttrError
from .apply import Applied, WriteBack, apply_attributions, recorded_run
from .batch_jobs import BatchJobs
from .classify import classify_tickets
from .fetch import Fetched, fetch_tickets
from .incoming_corrections import Incoming, TakenOver, count_rows, take_over_workbooks
from .ports import (
    AnswerCache,
    AppliedRun,
    CatalogSource,
    Classifier,
    CorrectionStore,
    Helpdesk,
    Progress,
    Run,
    StageFiles,
)
from .report import AttributedRun, Reporting, make_report
from .run_progress import RunProgress
from .send import Outgoing, max_mail_size, send_messages


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The adapters of a run. `times`: how the helpdesk writes them.

    Without `outgoing`, nothing is sent, without `incoming`, no workbook is taken over (a dry run), without
    `write_back`, nothing is written into the helpdesk, and without `jobs`, nothing is asked in batch jobs.
    """

    helpdesk: Helpdesk
    catalog_source: CatalogSource
    classifier: Classifier
    cache: AnswerCache
    corrections: CorrectionStore
    labelled: LabelledTickets
    stage_files: StageFiles
    reporting: Reporting
    outgoing: Outgoing | None
    incoming: Incoming | None = None
    times: TimeStyle = DEFAULT_STYLE
    write_back: WriteBack | None = None
    jobs: BatchJobs | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of a run. `report` is None for an empty queue, unless that is reported.

    `left`: reports that are pending afterwards. `figures`: those of the report.
    """

    tickets: tuple[AttributedTicket, ...]
    report: Path | None
    deliveries: tuple[Delivery, ...]
    applied: Applied | None
    left: tuple[ReportStatus, ...]
    figures: ReportFigures | None = None


def run_pipeline(
    pipeline: Pipeline, run: Run, report_path: Path, progress: Progress, run_progress: RunProgress
) -> RunResult:
    """Execute the stages in order. Each writes its stage file, and `run_progress` knows how far they came.

    Raises the error of the first stage that fails.
    """
    run_progress.bill = lambda: pipeline.classifier.bill
    max_size = _send_pending(pipeline.outgoing, run_progress) if pipeline.outgoing else None
    if pipeline.incoming:
        _import_corrections(pipeline.incoming, run_progress)
    fetched = _fetch(pipeline, run, run_progress)
    attributed = _classify(pipeline, run, fetched, progress, run_progress)
    if pipeline.write_back:
        attributed = _apply(pipeline, pipeline.write_back, run, attributed, progress, run_progress)
    has_report = pipeline.reporting.is_due(attributed.tickets)
    figures = None
    if has_report:
        with run_progress.stage("report") as counts:
            made = make_report(attributed, pipeline.reporting, report_path)
            figures = figures_of(made)
            counts["rows"] = len(made.rows)
    if pipeline.outgoing:
        with run_progress.stage("send") as counts:
            counts["messages"] = _send(pipeline.outgoing, max_size, run_progress)
        run_progress.left = pipeline.outgoing.tracker.pending()
    return RunResult(
        tickets=tuple(attributed.tickets),
        report=report_path if has_report else None,
        deliveries=tuple(run_progress.deliveries),
        applied=run_progress.applied,
        left=tuple(run_progress.left),
        figures=figures,
    )


def _send_pending(outgoing: Outgoing, run_progress: RunProgress) -> int | None:
    """Send the reports that earlier runs left pending. Returns the largest mail that is accepted, in bytes.

    Connects to the mail server also with nothing to send: a report that cannot be delivered is not worth a model call.
    """
    with run_progress.stage("send") as counts:
        outgoing.claim_folder()
        max_size = max_mail_size(outgoing)
        counts["messages"] = _send(outgoing, max_size, run_progress)
    return max_size


def _import_corrections(incoming: Incoming, run_progress: RunProgress) -> None:
    """Take over the workbooks in the folder, if there are any. A folder that cannot be read does not stop the run."""
    try:
        files = incoming.inbox.workbooks()
    except SettingsError as error:
        run_progress.incoming = [TakenOver("", "left", problem=str(error))]
        return
    if files:
        with run_progress.stage("import") as counts:
            run_progress.incoming = take_over_workbooks(files, incoming)
            counts |= count_rows(run_progress.incoming)


def _fetch(pipeline: Pipeline, run: Run, run_progress: RunProgress) -> Fetched:
    with run_progress.stage("fetch") as counts:
        fetched = fetch_tickets(pipeline.helpdesk, pipeline.catalog_source, pipeline.times)
        counts |= fetched.counts
        # The catalog first: tickets.json shows that the fetch is complete.
        pipeline.stage_files.save_catalog(fetched.catalog, run)
        pipeline.stage_files.save_tickets(fetched.tickets, run)
    return fetched


def _classify(
    pipeline: Pipeline, run: Run, fetched: Fetched, progress: Progress, run_progress: RunProgress
) -> AttributedRun:
    with run_progress.stage("classify") as counts:
        tickets = classify_tickets(
            fetched.tickets,
            fetched.catalog,
            pipeline.classifier,
            pipeline.cache,
            progress,
            in_force(pipeline.corrections.all()),
            pipeline.labelled(fetched.catalog),
            pipeline.jobs,
        )
        run_progress.tickets = tickets
        counts.update(count_outcomes(tickets).items())
        bill = pipeline.classifier.bill
        generated_at = pipeline.stage_files.save_attributions(tickets, run, bill)
    return AttributedRun(run.id, generated_at, tickets, bill, fetched.catalog)


def _apply(
    pipeline: Pipeline,
    write_back: WriteBack,
    run: Run,
    attributed: AttributedRun,
    progress: Progress,
    run_progress: RunProgress,
) -> AttributedRun:
    """Write into the helpdesk. What fails goes with the next run, and never holds up the report."""
    with run_progress.stage("apply") as counts:
        catalog = attributed.catalog or ServiceCatalog(())
        try:
            applied = apply_attributions(run.id, attributed.tickets, catalog, write_back, progress)
            recorded = recorded_run(run.id, applied, write_back)
            pipeline.stage_files.save_applied(recorded, run)
        except TicketAttrError as error:
            applied, recorded = Applied(write_back.mode, stopped=error), AppliedRun()
        run_progress.applied = applied
        counts.update(count_changes(applied.changes))
    return replace(attributed, applied=recorded)


def _send(outgoing: Outgoing, max_size: int | None, run_progress: RunProgress) -> int:
    """The number of messages that were sent, or attempted."""
    deliveries = send_messages(outgoing, outgoing.messages().pending(max_size))
    run_progress.deliveries = (*run_progress.deliveries, *deliveries)
    return len(deliveries)
