"""`ticketattr download`: a report, from the folder or from the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...application.report import report_name
from ...application.report_store import stored_report, stored_runs
from ...application.service.report_files import newest_report, report_of_run
from ...errors import InputError
from ...infrastructure.files import output
from .. import wiring
from ..invocation import Invocation
from ..results import print_path
from ..settings.report_tracker import ReportTrackerSettings
from ..settings.store import StoreSettings
from .help_examples import epilog_of

LATEST = "latest"

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, or `latest`.")]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="PATH", help="- is stdout. [default: the name of the report, here]"),
]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=epilog_of("download"))
def download(context: typer.Context, run: RunArgument, target: OutputOption = None) -> None:
    """Copy a report from the folder or the store of reports.

    The store is asked for a report that is no longer in the folder.
    """
    invocation: Invocation = context.obj
    with invocation.reading("download") as env:
        settings, store_settings = ReportTrackerSettings.read(env), StoreSettings.read(env)
    tracker, store = wiring.tracker(settings), wiring.report_store(store_settings)
    try:
        statuses = tracker.statuses()
        report = newest_report(statuses) if run == LATEST else report_of_run(statuses, run)
        run, content = report.run_id, tracker.folder.read(report)
    except InputError as missing:
        if store is None:
            raise
        if run == LATEST:
            run = next(iter(stored_runs(store)[-1:]), LATEST)
        try:
            content = stored_report(store, run)
        except InputError:
            # As pages, API and chat say it.
            raise missing from None
    path = target or Path(report_name(run))
    with output(path) as file:
        file.write(content)
    print_path(path)
