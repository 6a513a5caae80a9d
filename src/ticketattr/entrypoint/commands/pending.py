"""`ticketattr pending …`: list reports that were not sent, decide about them, and maintain the report log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...application.adopt import adopt as adopt_reports
from ...application.ports import ReportLogMaintenance
from ...application.report_tracker import ReportTracker
from ...application.resolve import resolve_doubt, resolve_recipient
from ...application.restore import UnknownReports, restore_log
from ...domain.wording import counted
from ...errors import SettingsError
from ...infrastructure.delivery.report_log import read_backup
from .. import wiring
from ..invocation import Invocation
from ..presentation.listing import print_events, print_statuses
from ..results import print_path, print_reports
from ..settings.report_tracker import ReportTrackerSettings
from .help_examples import epilog_of
from .options import ListFormatOption

AllOption = Annotated[bool, typer.Option("--all", help="Also list reports that were sent.")]
ReportArgument = Annotated[
    str | None, typer.Argument(metavar="REPORT", help="A workbook, its name, or the start of its SHA-256.")
]
RecipientOption = Annotated[
    str, typer.Option(metavar="ADDRESS", help="Give up this recipient, or with --sent: it has the message.")
]
SentOption = Annotated[bool, typer.Option("--sent", help="The message arrived: its reports count as sent.")]
ResendOption = Annotated[bool, typer.Option("--resend", help="Send the same message again.")]
ReportsArgument = Annotated[
    list[Path] | None,
    typer.Argument(metavar="WORKBOOK", help="[default: all, if the report log is gone or another one]"),
]
BackupArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")]
ReplaceOption = Annotated[bool, typer.Option("--force", help="Replace a file that exists.")]
BackupFileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="A file that `ticketattr pending backup` wrote.")
]

UnknownOption = Annotated[
    UnknownReports,
    typer.Option(help="How to treat reports that are not in the backup."),
]

app = typer.Typer(
    add_completion=False,
    help="Manage unsent reports and the report log.",
    epilog=epilog_of("pending"),
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _tracker_and_log(invocation: Invocation, command: str) -> tuple[ReportTracker, ReportLogMaintenance]:
    with invocation.reading(f"pending {command}") as env:
        settings = ReportTrackerSettings.read(env)
    return wiring.tracker(settings), wiring.report_log(settings.folders)


@app.command("list", epilog=epilog_of("pending list"))
def list_reports(
    context: typer.Context,
    everything: AllOption = False,
    format: ListFormatOption = "table",
) -> None:
    """List the reports that were not sent yet, and why.

    -v shows more about each report, and --format json everything.
    """
    invocation: Invocation = context.obj
    tracker, _ = _tracker_and_log(invocation, "list")
    statuses = tracker.report_history() if everything else tracker.unsent()
    print_statuses(statuses, format, now=invocation.clock(), history=everything, details=invocation.verbose)
    if statuses:
        pending = sum(status.is_pending for status in statuses)
        invocation.console.summary(f"{counted(len(statuses), 'report')} listed, {pending:,} pending")


@app.command(epilog=epilog_of("pending resolve"))
def resolve(
    context: typer.Context,
    report: ReportArgument = None,
    sent: SentOption = False,
    resend: ResendOption = False,
    recipient: RecipientOption = "",
) -> None:
    """Decide about a report in doubt: nobody knows whether it arrived.

    The decision counts for the whole message with the report. With `--recipient`, nothing more is sent to that address.
    """
    if recipient:
        _resolve_recipient(context.obj, recipient, report, sent=sent, resend=resend)
        return
    if not report:
        raise SettingsError("no report is named", hint="Name a workbook, or use --recipient.")
    if sent == resend:
        raise SettingsError("no decision is given", hint="Use either --sent or --resend.")
    invocation: Invocation = context.obj
    tracker, log = _tracker_and_log(invocation, "resolve")
    with log.acquire_sender_lock(invocation.clock()):
        resolved = resolve_doubt(tracker, log, report, "sent" if sent else "resend", invocation.clock())
    reports = [each for delivery in resolved for each in delivery.message.reports]
    print_reports(reports)
    decided = "marked as sent" if sent else "to be sent again by the next `ticketattr send` or `run`"
    invocation.console.summary(f"{counted(len(reports), 'report')} {decided}")


def _resolve_recipient(invocation: Invocation, address: str, report: str | None, *, sent: bool, resend: bool) -> None:
    if resend:
        raise SettingsError(
            "--resend cannot be used with --recipient", hint="Leave it out: the message is sent to it again anyway."
        )
    tracker, log = _tracker_and_log(invocation, "resolve")
    with log.acquire_sender_lock(invocation.clock()):
        resolved = resolve_recipient(tracker, log, address, report, "sent" if sent else "refused", invocation.clock())
    print_reports([each for delivery in resolved for each in delivery.message.reports])
    decided = "the recipient has it" if sent else "the recipient is given up"
    invocation.console.summary(f"{counted(len(resolved), 'message')} settled: {decided}")


@app.command(epilog=epilog_of("pending adopt"))
def adopt(
    context: typer.Context,
    reports: ReportsArgument = None,
) -> None:
    """Mark reports as sent, without sending them."""
    invocation: Invocation = context.obj
    tracker, log = _tracker_and_log(invocation, "adopt")
    with log.acquire_sender_lock(invocation.clock()):
        adopted = adopt_reports(tracker, log, reports or [], invocation.clock())
    print_reports(adopted)
    invocation.console.summary(f"{counted(len(adopted), 'report')} marked as sent")


@app.command("backup", epilog=epilog_of("pending backup"))
def back_up(
    context: typer.Context,
    target: BackupArgument,
    force: ReplaceOption = False,
) -> None:
    """Copy the report log into one file.

    The copy is consistent, also if another process sends meanwhile.
    """
    invocation: Invocation = context.obj
    _, log = _tracker_and_log(invocation, "backup")
    if target.exists() and not force:
        raise SettingsError(f"{target} exists and is not overwritten", hint="Name another file, or give --force.")
    log.back_up(target)
    invocation.console.summary("report log copied")
    print_path(target)


@app.command(epilog=epilog_of("pending restore"))
def restore(
    context: typer.Context,
    backup: BackupFileArgument,
    unknown: UnknownOption = "refuse",
) -> None:
    """Replace the report log by a backup.

    A copy of the former log is kept.
    """
    invocation: Invocation = context.obj
    tracker, log = _tracker_and_log(invocation, "restore")
    now = invocation.clock()
    with log.acquire_lock_only(now):
        restored = restore_log(log, read_backup(backup), tracker.folder, unknown, now)
    print_reports(restored.unknown)
    if restored.former_log:
        invocation.console.summary(f"the former report log is kept as {restored.former_log}")
    invocation.console.summary(
        f"report log restored; the backup does not know {counted(len(restored.unknown), 'report')} in the folder"
    )
    if pending := tracker.pending():
        invocation.console.problem(
            f"{counted(len(pending), 'report')} not sent according to the backup (`ticketattr pending list`). What was "
            "sent later needs `pending adopt` or `pending resolve --sent`, or else the next run sends it again"
        )


@app.command(epilog=epilog_of("pending export"))
def export(context: typer.Context) -> None:
    """Print every event of the report log.

    The output is JSON, oldest event first.
    """
    invocation: Invocation = context.obj
    _, log = _tracker_and_log(invocation, "export")
    events = log.events()
    print_events(events)
    invocation.console.summary(f"{counted(len(events), 'event')} exported")
