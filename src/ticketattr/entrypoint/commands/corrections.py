"""`ticketattr corrections …`: imports and lists what people corrected in reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...application.corrections import Import, Imported, import_corrections
from ...application.ports import Run
from ...domain.correction import in_force
from ...domain.wording import counted
from ...infrastructure.reports.cell_text import cell_matches
from .. import wiring
from ..invocation import Invocation
from ..presentation.listing import print_corrections, print_gold
from ..presentation.summaries import decided
from ..results import print_path
from ..settings.folders import FolderSettings
from .help_examples import epilog_of
from .options import CorrectionsFormatOption

ReportArgument = Annotated[
    Path, typer.Argument(metavar="WORKBOOK", help="The report in which somebody corrected request types.")
]
AttributionsInput = Annotated[
    Path | None,
    typer.Option(
        "--input", "-i", metavar="PATH", help="The attributions of the report. [default: attributions.json of its run]"
    ),
]
CatalogInput = Annotated[
    Path | None, typer.Option(metavar="PATH", help="The catalog of the report. [default: catalog.json of its run]")
]
CorrectionsOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="PATH", help="- is stdout. [default: corrections.json of its run]"),
]
ByOption = Annotated[str, typer.Option(metavar="NAME", help="Who imports it. [default: the user who is logged in]")]

app = typer.Typer(
    add_completion=False,
    help="Import and list the corrections that people made in reports.",
    epilog=epilog_of("corrections"),
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("import", epilog=epilog_of("corrections import"))
def import_report(
    context: typer.Context,
    report: ReportArgument,
    input: AttributionsInput = None,
    catalog: CatalogInput = None,
    output: CorrectionsOutput = None,
    by: ByOption = "",
) -> None:
    """Import the corrections that somebody made in a report.

    Corrections that were imported before are not imported again.
    """
    from ...infrastructure.reports.corrections_reader import read_reviewed
    from ...infrastructure.stage_files.run_files import read_reported

    invocation: Invocation = context.obj
    with invocation.reading("corrections import") as env:
        folders = FolderSettings.read(env)
    work = wiring.work_folder(folders)
    with invocation.console.waiting("Reading the workbook"):
        review = read_reviewed(report)
        reported = read_reported(review.run_id, input, catalog, work)
    how = Import(cell_matches, by or wiring.login_name(), invocation.clock())
    imported = import_corrections(review, reported, wiring.corrections(folders), how)
    target = output or work.holding(reported.run_id).path(reported.run_id, "corrections")
    _save(imported, invocation, target, reported.run_id)


def _save(imported: Imported, invocation: Invocation, target: Path, run_id: str) -> None:
    from ...infrastructure.stage_files.corrections import write_corrections

    write_corrections(target, imported.of_run, Run(run_id, invocation.clock))
    invocation.console.summary(f"{decided(imported.new)} imported")
    print_path(target)


@app.command("list", epilog=epilog_of("corrections list"))
def list_corrections(context: typer.Context, format: CorrectionsFormatOption = "table") -> None:
    """List all corrections, oldest first; as JSON Lines, those that are in force."""
    invocation: Invocation = context.obj
    with invocation.reading("corrections list") as env:
        folders = FolderSettings.read(env)
    corrections = wiring.corrections(folders).all()
    if format == "jsonl":
        corrections = in_force(corrections)
        print_gold(corrections)
    else:
        print_corrections(corrections, format)
    if corrections:
        invocation.console.summary(f"{counted(len(corrections), 'correction')} listed")
