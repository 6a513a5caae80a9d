"""`ticketattr run`: all stages in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from ...application.ports import Run
from ...application.report import report_name
from ...application.report_store import store_reports
from ...application.retention import prune
from ...application.run_progress import RunProgress, current_stage
from ...application.send import Outgoing
from ...errors import ExitCode, TicketAttrError
from ...infrastructure.files import make_folder
from .. import wiring
from ..invocation import Invocation
from ..monitoring import MonitoredCommand
from ..presentation.console import ProgressBar
from ..presentation.summaries import applied_summary, for_a_person
from ..results import exit_if_partial, print_path, print_places, sent, tell_incoming
from ..settings.folders import FolderSettings
from ..settings.run import RunSettings
from .help_examples import epilog_of
from .options import ClassifierOption, ExamplesOption, FreshOption, SendOldOption, WaitOption

DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="Send nothing, and write the report into the work folder, where it is never sent."),
]

_STAGES = {
    "send": "Sending reports",
    "import": "Taking over corrections",
    "fetch": "Fetching tickets and catalog",
    "classify": "Classifying tickets",
    "apply": "Writing into the helpdesk",
    "report": "Writing the report",
}

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=MonitoredCommand, epilog=epilog_of("run"))
def run(
    context: typer.Context,
    classifier: ClassifierOption = None,
    examples: ExamplesOption = None,
    fresh: FreshOption = False,
    dry_run: DryRunOption = False,
    wait: WaitOption = 0.0,
    send_old: SendOldOption = False,
) -> None:
    """Send what is pending, import corrections, fetch, classify, apply, report, send.

    Writing into the helpdesk is off unless HELPDESK_WRITE is set.
    """
    invocation: Invocation = context.obj
    this_run = invocation.new_run()
    with invocation.reading("run", classifier) as env:
        settings = RunSettings.read(env, sends=not dry_run)
    outgoing = (
        wiring.outgoing(settings.folders, settings.mail, invocation.clock, send_old=send_old) if settings.mail else None
    )
    # Before anything heavy is loaded: a second process fails immediately.
    with outgoing.log.acquire_sender_lock(invocation.clock(), wait=wait) if outgoing else nullcontext():
        if wait:
            # An id from before the wait would sort before the id of the run that ended meanwhile.
            this_run = invocation.new_run()
        if settings.mail:
            wiring.remove_leftovers(settings.folders, settings.mail)
        try:
            _work(invocation, settings, outgoing, this_run, examples=examples, fresh=fresh)
        except (TicketAttrError, typer.Exit):
            # What cannot be fetched or sent must not keep the ticket text of old runs.
            _keep_and_prune(invocation, settings, outgoing)
            raise
        if not _keep_and_prune(invocation, settings, outgoing):
            raise typer.Exit(ExitCode.PARTIAL)


def _keep_and_prune(invocation: Invocation, settings: RunSettings, outgoing: Outgoing | None) -> bool:
    """Whether every report is in the store, if there is one.

    Otherwise nothing old is deleted, and the next run tries again.
    """
    if not outgoing:
        return True
    try:
        if store := wiring.report_store(settings.store):
            store_reports(outgoing.tracker.folder, store, wiring.page_maker(settings.report, settings.folders))
    except TicketAttrError as error:
        invocation.console.problem(f"not in the store: {error}")
        return False
    prune(wiring.storage(settings.folders, outgoing), settings.retention, invocation.clock())
    return True


def _work(
    invocation: Invocation,
    settings: RunSettings,
    outgoing: Outgoing | None,
    this_run: Run,
    *,
    examples: Path | None,
    fresh: bool,
) -> None:
    from ...application.run import run_pipeline

    pipeline = wiring.pipeline(settings, outgoing, this_run, examples=examples, fresh=fresh)
    report = _report_folder(settings.folders, this_run, sends=bool(outgoing)) / report_name(this_run.id)
    run_progress = invocation.run_progress
    with invocation.console.progress("Starting") as bar, _shown_on(bar, run_progress):
        result = run_pipeline(pipeline, this_run, report, run_progress.count_tickets, run_progress)
    incoming = invocation.run_progress.incoming
    tell_incoming(invocation, incoming)
    invocation.summarize(result.tickets, pipeline.classifier.bill)
    if result.applied:
        invocation.console.summary(applied_summary(result.applied))
    if outgoing:
        invocation.console.summary(f"{sent(result.deliveries)} sent")
        print_places(invocation, result.deliveries)
    if result.figures:
        invocation.console.summary(for_a_person(result.figures))
    if result.report:
        print_path(result.report)
    exit_if_partial(
        invocation,
        tickets=result.tickets,
        deliveries=result.deliveries,
        left=result.left,
        incoming=incoming,
        applied=result.applied,
    )


@contextmanager
def _shown_on(bar: ProgressBar, run_progress: RunProgress) -> Iterator[None]:
    """Show the stage of the run, and how many tickets are done, on `bar` until the block ends."""
    observer = run_progress.observer

    def show() -> None:
        observer()
        if stage := current_stage.get():
            bar.describe(_STAGES.get(stage, stage))
            if stage == "classify" and run_progress.total:
                bar(run_progress.done, run_progress.total)

    run_progress.observer = show
    try:
        yield
    finally:
        run_progress.observer = observer


def _report_folder(folders: FolderSettings, this_run: Run, *, sends: bool) -> Path:
    if not sends:
        return folders.work / this_run.id
    # A report that cannot be written is not worth a model call.
    make_folder(folders.output)
    return folders.output
