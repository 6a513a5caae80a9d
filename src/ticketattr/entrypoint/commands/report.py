"""`ticketattr report`: writes attributions as a workbook, a CSV or Parquet file, or a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from ...application.report import AttributedRun, Reporting, RowCounts, make_report, report_name, stream_report
from ...application.run_progress import current_run
from ...domain.wording import counted
from ...infrastructure.reports.sorted_rows import sorted_rows
from .. import wiring
from ..invocation import Invocation
from ..results import print_path
from ..settings.folders import FolderSettings
from ..settings.report import ReportSettings
from .help_examples import epilog_of

ReportFormat = Literal["xlsx", "csv", "html", "parquet"]

AttributionsInput = Annotated[
    Path | None,
    typer.Option(
        "--input",
        "-i",
        metavar="PATH",
        help="A stage file, also .jsonl or .parquet; - is stdin. [default: attributions.json of the newest run]",
    ),
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
    typer.Option(
        "--format",
        help="All have the same rows, but only a workbook is pending; csv and parquet take any number of rows.",
    ),
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
    from ...infrastructure.stage_files.attributions import is_stream_file, read_attributions
    from ...infrastructure.stage_files.run_files import attributed_run

    invocation: Invocation = context.obj
    with invocation.reading("report") as env:
        folders, settings = FolderSettings.read(env), ReportSettings.read(env)
    work = wiring.work_folder(folders)
    reporting = wiring.reporting(settings, folders, format)
    source = input or work.newest("attributions")
    if format in ("csv", "parquet") and is_stream_file(source):
        _stream(invocation, _Wanted(source, catalog, output, format), reporting, folders)
        return
    stage = read_attributions(source)
    current_run.set(stage.run_id)
    if not reporting.is_due(stage.data):
        invocation.console.summary("no tickets, so no report")
        return
    attributed = attributed_run(stage, stage.data, catalog, work)
    _write(invocation, attributed, reporting, output or folders.output / report_name(stage.run_id, format))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A report in `format` on a stage file that is read as a stream."""

    source: Path
    catalog: Path | None
    output: Path | None
    format: ReportFormat


def _stream(invocation: Invocation, wanted: _Wanted, reporting: Reporting, folders: FolderSettings) -> None:
    from ...infrastructure.stage_files.attributions import open_attributions
    from ...infrastructure.stage_files.run_files import attributed_run

    with open_attributions(wanted.source) as stage:
        current_run.set(stage.run_id)
        target = wanted.output or folders.output / report_name(stage.run_id, wanted.format)
        run = attributed_run(stage, (), wanted.catalog, wiring.work_folder(folders))
        writer = wiring.row_writer(wanted.format)
        with invocation.console.waiting("Writing the report"), invocation.run_progress.stage("report") as counts:
            made = stream_report(run, stage.items, reporting, writer, sorted_rows, target)
            counts["rows"] = made.rows
    _tell(invocation, made, target)


def _write(invocation: Invocation, attributed: AttributedRun, reporting: Reporting, target: Path) -> None:
    with invocation.console.waiting("Writing the report"), invocation.run_progress.stage("report") as counts:
        made = make_report(attributed, reporting, target)
        counts["rows"] = len(made.rows)
    _tell(invocation, RowCounts(len(made.rows), made.attributed), target)


def _tell(invocation: Invocation, made: RowCounts, target: Path) -> None:
    invocation.console.summary(f"{counted(made.rows, 'row')} written, {made.attributed:,} of them attributed")
    print_path(target)
