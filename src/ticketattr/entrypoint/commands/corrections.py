"""`ticketattr corrections …`: what people corrected in reports, for the runs to come."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...application.ports import Run
from .. import wiring
from ..console import login_name
from ..session import Session
from ..settings.folders import FolderSettings
from ..summaries import counted
from .options import ListFormat

app = typer.Typer(help="What people corrected in reports.", no_args_is_help=True, rich_markup_mode=None)


@app.command("import")
def import_report(
    context: typer.Context,
    report: Annotated[Path, typer.Argument(help="The workbook in which somebody chose other request types.")],
    input: Annotated[
        Path | None, typer.Option("--input", "-i", help="What it reported. [default: attributions.json of its run]")
    ] = None,
    catalog: Annotated[Path | None, typer.Option(help="[default: catalog.json of its run]")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="- is stdout. [default: corrections.json of its run]")
    ] = None,
    by: Annotated[str, typer.Option(help="Who imports it. [default: who is logged in]")] = "",
) -> None:
    """Take over what somebody corrected in a report; whatever is known already is not taken twice."""
    from ...application.corrections import import_corrections
    from ...infrastructure.files import STREAM
    from ...infrastructure.reports.reviewed_workbook import read_reviewed
    from ...infrastructure.stage_files import WorkFolder, read_reported, write_corrections

    session: Session = context.obj
    with session.reading("corrections import") as env:
        folders = FolderSettings.read(env)
    work = WorkFolder(folders.work)
    with session.console.waiting("Reading the workbook"):
        workbook = read_reviewed(report)
        basis = read_reported(workbook.run_id, input, catalog, work)
    now = session.clock()
    imported = import_corrections(
        *(workbook, basis.tickets, basis.catalog, wiring.corrections(folders)),
        imported_by=by or login_name(),
        now=now,
    )
    target = output or work.path(workbook.run_id, "corrections")
    write_corrections(target, imported.of_run, Run(workbook.run_id, session.clock))
    session.console.summary(f"{counted(len(imported.new), 'correction')} imported")
    if target != STREAM:
        typer.echo(target)


@app.command("list")
def list_corrections(
    context: typer.Context,
    format: Annotated[ListFormat, typer.Option(help="How to print it.")] = ListFormat.table,
) -> None:
    """List every correction there ever was, oldest first."""
    from ..listing import print_corrections

    session: Session = context.obj
    with session.reading("corrections list") as env:
        folders = FolderSettings.read(env)
    print_corrections(wiring.corrections(folders).all(), format.value)
