"""`ticketattr report`: writes attributions as a workbook, a CSV file or a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ...application.report import AttributedRun, Reporting, make_report, report_name
from ...application.run_progress import current_run
from ...domain.wording import counted
from .. import wiring
from ..invocation import Invocation
from ..results import print_path
from ..settings.folders import FolderSettings
from ..settings.report import ReportSettings
from .help_examples import epilog_of

ReportFormat = Literal["xlsx", "csv", "html"]

AttributionsInput = Annotated[
    Path | None,
    typer.Option("--input", "-i", metavar="PATH", help="- is stdin. [default: attributions.json of the newest run]"),
]
CatalogInput = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Fills the drop-down lists. [default: catalog.json of the run, if it exists]"),
]
ReportOutput = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="- is stdout. [default: OUTPUT_DIR/ticket-attribution-<run>.xlsx; the report is then pending]",
    ),
]
ReportFormatOption = Annotated[
    ReportFormat,
    typer.Option("--format", help="csv and html have the same rows, but only a workbook is pending."),
]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=epilog_of("report"))
def report(
    context: typer.Context,
    input: AttributionsInput = None,
    catalog: CatalogInput = None,
    output: ReportOutput = None,
    format: ReportFormatOption = "xlsx",
) -> None:
    """Write the report of a run."""
    from ...infrastructure.stage_files import read_applied_of, read_attributions, read_catalog_of

    invocation: Invocation = context.obj
    with invocation.reading("report") as env:
        folders, settings = FolderSettings.read(env), ReportSettings.read(env)
    work = wiring.work_folder(folders)
    stage = read_attributions(input or work.newest("attributions"))
    current_run.set(stage.run_id)
    reporting = wiring.reporting(settings, folders, format)
    if not reporting.is_due(stage.data):
        invocation.console.summary("no tickets, so no report")
        return
    entries = read_catalog_of(stage.run_id, catalog, work)
    applied = read_applied_of(stage.run_id, work)
    attributed = AttributedRun(stage.run_id, stage.generated_at, stage.data, stage.bill, entries, applied)
    _write(invocation, attributed, reporting, output or folders.output / report_name(stage.run_id, format))


def _write(invocation: Invocation, attributed: AttributedRun, reporting: Reporting, target: Path) -> None:
    with invocation.console.waiting("Writing the report"), invocation.run_progress.stage("report") as counts:
        made = make_report(attributed, reporting, target)
        counts["rows"] = len(made.rows)
    invocation.console.summary(f"{counted(len(made.rows), 'row')} written, {made.attributed:,} of them attributed")
    print_path(target)
