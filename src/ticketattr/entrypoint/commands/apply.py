"""`ticketattr apply`: writes attributions into the helpdesk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ...application.ports import Run
from ...application.run_progress import current_run
from ...domain.catalog import ServiceCatalog
from ...domain.ticket import AttributedTicket
from ...domain.wording import counted
from ...domain.write_back import count_changes
from ...errors import SettingsError
from .. import wiring
from ..invocation import Invocation
from ..presentation.change_lists import print_planned
from ..presentation.summaries import applied_summary, skipped_words
from ..results import exit_if_partial, print_path
from ..settings.folders import FolderSettings
from ..settings.sources import SourceSettings
from ..settings.write_back import WriteBackSettings
from .help_examples import epilog_of
from .options import WaitOption

if TYPE_CHECKING:
    from ...application.apply import WriteBack

Mode = Literal["fill", "suggest", "shadow"]

AttributionsInput = Annotated[
    Path | None,
    typer.Option("--input", "-i", metavar="PATH", help="- is stdin. [default: attributions.json of the newest run]"),
]
CatalogInput = Annotated[
    Path | None, typer.Option(metavar="PATH", help="The current catalog. [default: SERVICE_CATALOG_URL]")
]
ModeOption = Annotated[
    Mode | None,
    typer.Option(help="Set fields, add internal notes, or only record what would be set. [default: HELPDESK_WRITE]"),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show each change before it is made, and make none.")]
LimitOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Make at most N changes; the next call goes on. [default: all]")
]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=epilog_of("apply"))
def apply(
    context: typer.Context,
    input: AttributionsInput = None,
    catalog: CatalogInput = None,
    mode: ModeOption = None,
    dry_run: DryRunOption = False,
    limit: LimitOption = None,
    wait: WaitOption = 0.0,
) -> None:
    """Write attributions into the helpdesk.

    A value that a person set is never overwritten. Nothing is written twice.
    """
    from ...infrastructure.stage_files.attributions import read_attributions

    invocation: Invocation = context.obj
    with invocation.reading("apply") as env:
        folders, settings = FolderSettings.read(env), WriteBackSettings.read(env)
        sources = SourceSettings.read(env, with_catalog=catalog is None)
    chosen = mode or settings.mode
    if chosen == "off":
        raise SettingsError("nothing is written: HELPDESK_WRITE is off", hint="Set it, or use --mode.")
    back = wiring.write_back(settings, sources, folders, invocation.clock, mode=chosen)
    stage = read_attributions(input or wiring.work_folder(folders).newest("attributions"))
    current_run.set(stage.run_id)
    source = wiring.catalog_of_option(catalog) if catalog else None
    current = (source or wiring.catalog_source(sources, folders, invocation.clock)).fetch_catalog()
    job = _Job(invocation, Run(stage.run_id, invocation.clock), stage.data, current, back, limit)
    if dry_run:
        job.show()
    else:
        job.apply(folders, wait)


@dataclass(frozen=True, slots=True)
class _Job:
    """The attributions of one run, and how they are written."""

    invocation: Invocation
    run: Run
    tickets: list[AttributedTicket]
    catalog: ServiceCatalog
    back: WriteBack
    limit: int | None

    def show(self) -> None:
        """Print each change that is due, and how long all of them will take."""
        from ...application.apply import duration_words, plan_run, seconds_for

        plan = plan_run(self.tickets, self.catalog, self.back)
        shown = plan.changes[: self.limit]
        print_planned(shown)
        if plan.skipped:
            self.invocation.console.summary(f"left as they are: {skipped_words(plan.skipped)}")
        seconds = seconds_for(len(shown), self.back)
        lasts = f", in at least {duration_words(seconds)} by the limit of the helpdesk" if seconds else ""
        self.invocation.console.summary(f"dry run: {counted(len(shown), 'change')} would be made{lasts}, none was")

    def apply(self, folders: FolderSettings, wait: float) -> None:
        """Make the changes, and write the stage file."""
        from ...application.apply import apply_attributions, recorded_run

        work, console = wiring.work_folder(folders), self.invocation.console
        with console.progress("Writing") as progress, self.invocation.run_progress.stage("apply") as counts:
            applied = apply_attributions(
                self.run.id, self.tickets, self.catalog, self.back, progress, at_most=self.limit, wait=wait
            )
            counts.update(count_changes(applied.changes))
        work.save_applied(recorded_run(self.run.id, applied, self.back), self.run)
        if applied.stopped and not applied.changes:
            raise applied.stopped
        console.summary(applied_summary(applied))
        print_path(work.path(self.run.id, "applied"))
        exit_if_partial(self.invocation, applied=applied)
