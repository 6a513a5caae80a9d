"""`ticketattr changes …`: lists what was changed in the helpdesk, and puts it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...domain.service_run import Undo
from ...domain.wording import counted
from ...errors import ExitCode, InputError
from .. import wiring
from ..invocation import Invocation
from ..monitoring import ReportingCommand
from ..presentation.change_lists import print_changes, print_shadow
from ..settings.folders import FolderSettings
from ..settings.sources import SourceSettings
from ..settings.write_back import WriteBackSettings
from .help_examples import epilog_of
from .options import ListFormatOption, WaitOption

if TYPE_CHECKING:
    from ...application.apply import WriteBack

RunArgument = Annotated[str, typer.Argument(metavar="RUN_ID", help="The run whose changes are put back.")]
ChangeOption = Annotated[
    int, typer.Option("--change", min=0, metavar="N", help="Only the change with this number. [default: all]")
]
RunOption = Annotated[str, typer.Option("--run", metavar="RUN_ID", help="Only the changes of this run.")]
ShadowOption = Annotated[
    bool, typer.Option("--shadow", help="Read the tickets of the mode shadow again, and compare what people chose.")
]

app = typer.Typer(
    add_completion=False,
    help="List what was changed in the helpdesk, and put it back.",
    epilog=epilog_of("changes"),
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list", epilog=epilog_of("changes list"))
def list_changes(
    context: typer.Context, run: RunOption = "", shadow: ShadowOption = False, format: ListFormatOption = "table"
) -> None:
    """List the changes in the helpdesk, oldest first."""
    invocation: Invocation = context.obj
    if shadow:
        _compare(invocation, format)
        return
    with invocation.reading("changes list") as env:
        folders = FolderSettings.read(env)
    changes = [change for change in wiring.change_ledger(folders).changes() if run in ("", change.run_id)]
    print_changes(changes, format)
    if changes:
        invocation.console.summary(f"{counted(len(changes), 'change')} listed")


@app.command(cls=ReportingCommand, epilog=epilog_of("changes undo"))
def undo(context: typer.Context, run_id: RunArgument, change: ChangeOption = 0, wait: WaitOption = 0.0) -> None:
    """Put back what a run set, where nobody changed it since.

    What cannot be put back is named.
    """
    from ...application.apply import changes_of, undo_run

    invocation: Invocation = context.obj
    back = _write_back(invocation, "changes undo")
    if not any(one.run_id == run_id and change in (0, one.number) for one in changes_of(back)):
        raise InputError(
            f"not in the ledger of changes: {Undo(run_id, change)}",
            hint="`ticketattr changes list` shows the runs, and with `--format json` the numbers.",
        )
    with invocation.console.progress("Putting back") as bar:

        def progress(done: int, total: int) -> None:
            bar(done, total)
            invocation.run_progress.count_tickets(done, total)

        undone = undo_run(run_id, back, progress, only=change, wait=wait)
    for stays in undone.kept:
        invocation.console.problem(f"not put back: ticket {stays.change.ticket_id}: {stays.reason}")
    if undone.stopped:
        invocation.console.problem(f"putting back stopped: {undone.stopped}")
    put_back = sum(one.state == "applied" for one in undone.changes)
    left = f", {undone.left:,} left" if undone.left else ""
    invocation.console.summary(f"{counted(put_back, 'change')} put back, {len(undone.kept):,} not{left}")
    if undone.kept or undone.left:
        raise typer.Exit(ExitCode.PARTIAL)


def _compare(invocation: Invocation, format: str) -> None:
    from ...application.shadow import compare_shadow

    back = _write_back(invocation, "changes list")
    with invocation.console.progress("Reading") as progress:
        comparison = compare_shadow(back, progress)
    if comparison.stopped and not comparison.compared:
        raise comparison.stopped
    print_shadow(comparison.compared, format)
    invocation.console.summary(f"{counted(len(comparison.compared), 'ticket')} compared")
    if comparison.stopped:
        invocation.console.problem(f"{counted(comparison.left, 'ticket')} not read: {comparison.stopped}")
        raise typer.Exit(ExitCode.PARTIAL)


def _write_back(invocation: Invocation, command: str) -> WriteBack:
    with invocation.reading(command) as env:
        folders, settings = FolderSettings.read(env), WriteBackSettings.read(env)
        sources = SourceSettings.read(env, with_catalog=False)
    return wiring.write_back(settings, sources, folders, invocation.clock, mode="shadow")
