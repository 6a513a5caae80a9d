"""`ticketattr run`: the whole chain."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

import typer

from .. import wiring
from ..outcome import exit_if_partial, is_partial, print_path, report_name, sent
from ..session import Session
from ..settings.classifier import ClassifierSettings
from ..settings.folders import FolderSettings
from ..settings.mail import MailSettings
from ..settings.report import ReportSettings
from ..settings.retention import read_retention
from ..settings.sources import SourceSettings
from .options import ClassifierOption, ExamplesOption, FreshOption, SendOldOption, WaitOption


def run(
    context: typer.Context,
    classifier: ClassifierOption = None,
    examples: ExamplesOption = None,
    fresh: FreshOption = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Send nothing; the report goes to the work folder, where it is not pending."),
    ] = False,
    wait: WaitOption = 0.0,
    send_old: SendOldOption = False,
) -> None:
    """Send what is pending; fetch, classify, report, send."""
    session: Session = context.obj
    with session.reading("run", classifier) as env:
        folders, sources, options = FolderSettings.read(env), SourceSettings.read(env), ClassifierSettings.read(env)
        settings, retention = ReportSettings.read(env), read_retention(env)
        mail = None if dry_run else MailSettings.read(env)
    outgoing = wiring.outgoing(folders, mail, session.clock, send_old=send_old) if mail else None
    # Before anything heavy is loaded: who comes second is to know at once.
    with outgoing.log.hold(session.clock(), wait=wait) if outgoing else nullcontext():
        from ...application.retention import prune
        from ...application.run import Pipeline, run_pipeline
        from ...infrastructure.artifacts import WorkFolder
        from ...infrastructure.files import make_folder

        chooser = wiring.classifier(options, examples)
        pipeline = Pipeline(
            helpdesk=wiring.helpdesk(sources),
            catalog_source=wiring.catalog_source(sources, folders, session.clock),
            classifier=chooser,
            cache=wiring.answer_cache(options, folders, session.clock, fresh=fresh),
            corrections=wiring.corrections(folders),
            stage_files=WorkFolder(folders.work),
            reporting=wiring.reporting(settings, folders),
            outgoing=outgoing,
        )
        this_run = session.new_run()
        folder = folders.output if outgoing else folders.work / this_run.id
        if outgoing:
            # A report that cannot be written is not worth a model call.
            make_folder(folder)
        with session.console.progress("Running") as progress:
            result = run_pipeline(pipeline, this_run, folder / report_name(this_run.id), progress)
        if outgoing and not is_partial(tickets=result.tickets, deliveries=result.deliveries, left=result.left):
            prune(wiring.archive(folders, outgoing), retention, session.clock())
    session.summarize(result.tickets, chooser.bill)
    if outgoing:
        session.console.summary(f"{sent(result.deliveries)} sent")
    if result.report:
        print_path(result.report)
    exit_if_partial(session, tickets=result.tickets, deliveries=result.deliveries, left=result.left)
