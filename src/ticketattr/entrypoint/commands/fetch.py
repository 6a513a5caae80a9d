"""`ticketattr fetch`: writes the queue and the service catalog to stage files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...application.fetch import fetch_tickets
from ...domain.wording import counted
from ...errors import SettingsError
from ...infrastructure.files import shown_path
from .. import wiring
from ..invocation import Invocation
from ..presentation.preview import print_preview
from ..results import print_path
from ..settings.folders import FolderSettings
from ..settings.sources import SourceSettings
from .help_examples import epilog_of

TicketsOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="PATH", help="Tickets; - is stdout. [default: tickets.json of a new run]"),
]
CatalogOutput = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Catalog; - is stdout. [default: catalog.json of the same run]"),
]

PreviewOption = Annotated[
    int | None,
    typer.Option(
        "--preview", min=1, max=100, metavar="N", help="Show the first N tickets as understood; write nothing."
    ),
]


app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=epilog_of("fetch"))
def fetch(
    context: typer.Context,
    output: TicketsOutput = None,
    catalog_output: CatalogOutput = None,
    preview: PreviewOption = None,
) -> None:
    """Fetch the ticket queue and the service catalog."""
    invocation: Invocation = context.obj
    if preview:
        _preview(invocation, preview)
    else:
        _fetch(invocation, output, catalog_output)


def _preview(invocation: Invocation, count: int) -> None:
    with invocation.reading("fetch") as env:
        sources = SourceSettings.read(env, with_catalog=False)
    with invocation.console.waiting("Fetching the first tickets"):
        preview = wiring.helpdesk(sources).preview(count)
    print_preview(preview)
    invocation.console.summary(f"{counted(len(preview.tickets), 'ticket')} shown, nothing written")


def _fetch(invocation: Invocation, output: Path | None, catalog_output: Path | None) -> None:
    from ...infrastructure.stage_files.catalog_and_tickets import write_catalog, write_tickets

    if output and output == catalog_output:
        raise SettingsError(
            f"tickets and catalog cannot both go to {shown_path(output, 'stdout')}", hint="Name two different files."
        )
    with invocation.reading("fetch") as env:
        sources, folders = SourceSettings.read(env), FolderSettings.read(env)
    run, work = invocation.new_run(), wiring.work_folder(folders)
    with (
        invocation.console.waiting("Fetching tickets and service catalog"),
        invocation.run_progress.stage("fetch") as counts,
    ):
        catalog_source = wiring.catalog_source(sources, folders, invocation.clock)
        helpdesk = wiring.queue_source(sources, folders, invocation.clock)
        fetched = fetch_tickets(helpdesk, catalog_source, sources.times)
        counts |= fetched.counts
    target = output or work.path(run.id, "tickets")
    # The catalog comes first: if tickets.json exists, the fetch is complete.
    work.keep_order(run)
    write_catalog(catalog_output or work.path(run.id, "catalog"), fetched.catalog, run)
    write_tickets(target, fetched.tickets, run)
    tickets, types = counts["tickets"], counts["request_types"]
    invocation.console.summary(f"{counted(tickets, 'ticket')} and {counted(types, 'request type')} fetched")
    print_path(target)
