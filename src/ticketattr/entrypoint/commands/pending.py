"""`ticketattr pending …`: what was sent, what was not, and what a person decides about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...application.report_tracker import ReportTracker, adopt_reports, adoptable_reports, resolve_doubt
from ...application.restore import Unknown, restore_log
from ...domain.wording import counted
from ...errors import SettingsError
from .. import wiring
from ..invocation import Invocation
from ..presentation.listing import print_events, print_statuses
from ..results import print_path, print_reports
from ..settings.report_tracker import ReportTrackerSettings
from .help_examples import epilog_of
from .options import ListFormatOption

AllOption = Annotated[bool, typer.Option("--all", help="What was sent too.")]
ReportArgument = Annotated[
    str, typer.Argument(metavar="REPORT", help="A workbook, its name, or the start of its SHA-256.")
]
SentOption = Annotated[bool, typer.Option("--sent", help="It arrived: it counts as sent.")]
ResendOption = Annotated[bool, typer.Option("--resend", help="It goes again, as the same message.")]
ReportsArgument = Annotated[
    list[Path] | None,
    typer.Argument(metavar="WORKBOOK", help="[default: all, where the report log is gone]"),
]
BackupArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The file to write; one that is there is replaced.")
]
CopyArgument = Annotated[Path, typer.Argument(metavar="FILE", help="What `ticketattr pending backup` wrote.")]

UnknownOption = Annotated[
    Unknown,
    typer.Option(help="What to take reports for that the backup does not know."),
]

app = typer.Typer(
    add_completion=False,
    help="Manage unsent reports and the report log.",
    epilog=epilog_of("pending"),
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _read_tracker(invocation: Invocation, command: str) -> ReportTracker:
    with invocation.reading(f"pending {command}") as env:
        settings = ReportTrackerSettings.read(env)
    return wiring.tracker(settings)


@app.command("list", epilog=epilog_of("pending list"))
def list_reports(
    context: typer.Context,
    everything: AllOption = False,
    format: ListFormatOption = "table",
) -> None:
    """List the reports that were not sent yet, and why."""
    invocation: Invocation = context.obj
    tracker = _read_tracker(invocation, "list")
    statuses = tracker.report_history() if everything else tracker.unsent()
    print_statuses(statuses, format, now=invocation.clock(), history=everything)
    if statuses:
        pending = sum(status.is_pending for status in statuses)
        invocation.console.summary(f"{counted(len(statuses), 'report')} listed, {pending:,} pending")


@app.command(epilog=epilog_of("pending resolve"))
def resolve(
    context: typer.Context,
    report: ReportArgument,
    sent: SentOption = False,
    resend: ResendOption = False,
) -> None:
    """Decide about a report of which nobody knows whether it arrived.

    The decision is for the whole message that it went in.
    """
    if sent == resend:
        raise SettingsError("nothing is decided", hint="Say either --sent or --resend.")
    invocation: Invocation = context.obj
    tracker = _read_tracker(invocation, "resolve")
    with tracker.log.hold(invocation.clock()):
        resolved = resolve_doubt(tracker, report, "sent" if sent else "resend", invocation.clock())
    reports = [carried for delivery in resolved for carried in delivery.message.reports]
    print_reports(reports)
    decided = "marked as sent" if sent else "to go again, with the next `ticketattr send` or `run`"
    invocation.console.summary(f"{counted(len(reports), 'report')} {decided}")


@app.command(epilog=epilog_of("pending adopt"))
def adopt(
    context: typer.Context,
    reports: ReportsArgument = None,
) -> None:
    """Mark reports as sent, without sending them."""
    invocation: Invocation = context.obj
    tracker = _read_tracker(invocation, "adopt")
    with tracker.log.hold(invocation.clock()):
        adopted = adopt_reports(tracker.log, adoptable_reports(tracker, reports or []), invocation.clock())
    print_reports(adopted)
    invocation.console.summary(f"{counted(len(adopted), 'report')} marked as sent")


@app.command("backup", epilog=epilog_of("pending backup"))
def back_up(
    context: typer.Context,
    target: BackupArgument,
) -> None:
    """Copy the report log into one file.

    Whatever is at work meanwhile: the copy is whole.
    """
    invocation: Invocation = context.obj
    _read_tracker(invocation, "backup").log.back_up(target)
    invocation.console.summary("report log copied")
    print_path(target)


@app.command(epilog=epilog_of("pending restore"))
def restore(
    context: typer.Context,
    copy: CopyArgument,
    unknown: UnknownOption = "refuse",
) -> None:
    """Put a backup in the place of the report log.

    The one that was there is kept beside it.
    """
    invocation: Invocation = context.obj
    tracker = _read_tracker(invocation, "restore")
    now = invocation.clock()
    with tracker.log.hold_unread(now), wiring.copy_of_report_log(copy) as copied:
        restored = restore_log(tracker.log, copied, tracker.folder, unknown, now)
    print_reports(restored.unknown)
    if restored.aside:
        invocation.console.summary(f"the report log that was there is {restored.aside} now")
    invocation.console.summary(f"report log restored; it does not know {counted(len(restored.unknown), 'report')}")


@app.command(epilog=epilog_of("pending export"))
def export(context: typer.Context) -> None:
    """Print everything that ever happened to a message.

    As JSON, oldest first.
    """
    invocation: Invocation = context.obj
    events = _read_tracker(invocation, "export").log.events()
    print_events(events)
    invocation.console.summary(f"{counted(len(events), 'event')} exported")
