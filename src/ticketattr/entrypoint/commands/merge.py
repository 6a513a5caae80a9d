"""`ticketattr merge`: makes one result of the partitions that `classify` did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...application.partitions import checked_records, tally_of
from ...application.run_progress import current_run
from ...domain.usage import total
from ...domain.wording import counted
from ...errors import ExitCode
from ...infrastructure.leftovers import remove_leftovers
from .. import wiring
from ..invocation import Invocation
from ..partition_job import partitions_of
from ..presentation.summaries import tally_summary
from ..results import print_path
from ..settings.folders import FolderSettings
from .help_examples import epilog_of

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder that `classify --output` filled.")]
PartitionsInput = Annotated[
    Path | None,
    typer.Option(
        "--input",
        "-i",
        metavar="PATTERN",
        help="All partitions that there must be, such as 'part-*.jsonl'. [default: those that were asked for]",
    ),
]
MergedOutput = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="PATH", help=".jsonl, .parquet or .json. [default: FOLDER/attributions.jsonl]"
    ),
]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=epilog_of("merge"))
def merge(
    context: typer.Context, folder: FolderArgument, input: PartitionsInput = None, output: MergedOutput = None
) -> None:
    """Make one result of the partitions that `classify` did."""
    from ...infrastructure.partitions.partition_folder import job_run
    from ...infrastructure.stage_files.attributions import write_merged

    invocation: Invocation = context.obj
    with invocation.reading("merge") as env:
        folders = FolderSettings.read(env)
    shared = wiring.shared_folder(folder)
    job = shared.job()
    current_run.set(job.run_id)
    records = checked_records(job, shared, partitions_of(input) if input else None)
    target, tally, run = output or folder / "attributions.jsonl", tally_of(records), job_run(job)
    with invocation.console.waiting("Merging"):
        write_merged(target, shared.answers(records), run, total(record.bill for record in records))
        # Of workers that were killed.
        remove_leftovers((folder,))
        # `report` reads the catalog of the run.
        wiring.work_folder(folders).save_catalog(shared.catalog(), run)
    invocation.console.summary(f"{counted(len(records), 'partition')} merged: {tally_summary(tally)}")
    print_path(target)
    if tally.failed:
        raise typer.Exit(ExitCode.PARTIAL)
