"""`ticketattr jobs …`: lists batch jobs, and stops them."""

from __future__ import annotations

from typing import Annotated

import typer

from ...application.ports import Run
from ...domain.gold import no_labelled_tickets
from ...domain.wording import counted
from ...errors import InputError
from .. import wiring
from ..invocation import Invocation
from ..presentation.job_lists import print_jobs
from ..settings.classifier import ClassifierSettings
from ..settings.folders import FolderSettings
from .help_examples import epilog_of
from .options import ClassifierOption, ListFormatOption

NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[JOB]...", help="The jobs to stop, as `jobs list` names them; or all.")
]

app = typer.Typer(
    add_completion=False,
    help="List the batch jobs of a model, and stop them.",
    epilog=epilog_of("jobs"),
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list", epilog=epilog_of("jobs list"))
def list_jobs(context: typer.Context, format: ListFormatOption = "table") -> None:
    """List the batch jobs of the last 30 days, oldest first."""
    invocation: Invocation = context.obj
    with invocation.reading("jobs list") as env:
        folders = FolderSettings.read(env)
    jobs = wiring.batch_journal(folders).jobs()
    print_jobs(jobs, format)
    if jobs:
        invocation.console.summary(f"{counted(len(jobs), 'job')} listed")


@app.command(epilog=epilog_of("jobs cancel"))
def cancel(context: typer.Context, jobs: NamesArgument = None, classifier: ClassifierOption = None) -> None:
    """Stop batch jobs that have not answered yet.

    Their tickets are asked about again. A job that ended before keeps its answers, which the next run takes.
    """
    from ...application.batch_jobs import cancel_jobs
    from ...application.interruptible import run_interruptible

    invocation: Invocation = context.obj
    with invocation.reading("jobs cancel", classifier) as env:
        options, folders = ClassifierSettings.read(env), FolderSettings.read(env)
    options.require_jobs()
    chosen = wiring.classifier(options, no_labelled_tickets)
    batch_jobs = wiring.batch_jobs(options, chosen, folders, Run("", invocation.clock))
    open_jobs = {job.display_name for job in wiring.batch_journal(folders).jobs(only_open=True)}
    if unknown := sorted(set(jobs or ()) - open_jobs):
        raise InputError(
            f"no open job has the name {unknown[0]}", hint="`ticketattr jobs list` shows the jobs and their states."
        )
    stopped = run_interruptible(cancel_jobs, batch_jobs, jobs or ()) if batch_jobs and open_jobs else []
    print_jobs(stopped, "table")
    invocation.console.summary(f"{counted(sum(not job.is_open for job in stopped), 'job')} of {len(stopped)} stopped")
