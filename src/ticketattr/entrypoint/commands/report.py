"""`ticketattr report`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ...application.watch import current_run
from .. import wiring
from ..outcome import print_path, report_name
from ..session import Session
from ..settings.folders import FolderSettings
from ..settings.report import ReportSettings


class ReportFormat(str, Enum):
    xlsx = "xlsx"
    csv = "csv"
    html = "html"


def report(
    context: typer.Context,
    input: Annotated[
        Path | None,
        typer.Option("--input", "-i", help="- is stdin. [default: attributions.json of the newest run]"),
    ] = None,
    catalog: Annotated[
        Path | None, typer.Option(help="Feeds the drop-downs. [default: catalog.json of the run, if it is there]")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="- is stdout. [default: OUTPUT_DIR/ticket-attribution-<run>.xlsx, where it is pending]",
        ),
    ] = None,
    format: Annotated[
        ReportFormat, typer.Option(help="csv and html hold the same rows; only a workbook is ever pending.")
    ] = ReportFormat.xlsx,
) -> None:
    """Write the report of a run."""
    from ...application.report import Attributed, make_report
    from ...infrastructure.stage_files import WorkFolder, read_attributions, read_catalog_of

    session: Session = context.obj
    with session.reading("report") as env:
        folders, settings = FolderSettings.read(env), ReportSettings.read(env)
    work = WorkFolder(folders.work)
    stage = read_attributions(input or work.newest("attributions"))
    current_run.set(stage.run_id)
    if not stage.data:
        session.console.summary("no tickets, so no report")
        return
    target = output or folders.output / report_name(stage.run_id, format.value)
    with session.console.waiting("Writing the report"), session.watch.stage("report") as counts:
        entries = read_catalog_of(stage.run_id, catalog, work)
        attributed = Attributed(stage.run_id, stage.generated_at, stage.data, stage.bill, entries)
        made = make_report(attributed, wiring.reporting(settings, folders, format.value), target)
        counts["rows"] = len(made.rows)
    session.console.summary(f"{len(made.rows)} rows written, {made.attributed} of them attributed")
    print_path(target)
