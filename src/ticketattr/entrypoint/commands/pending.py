"""`ticketattr pending …`: what was sent, what was not, and what a person decides about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...application.pending import Mailroom
from ...application.restore import Unknown
from ...errors import SettingsError
from .. import wiring
from ..outcome import print_path, print_reports
from ..presentation.summaries import counted
from ..session import Session
from ..settings.mailroom import MailroomSettings
from .examples import examples_of
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
    help="The reports that were not sent yet, and the report log.",
    epilog=examples_of("pending"),
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _mailroom(session: Session, command: str) -> Mailroom:
    with session.reading(f"pending {command}") as env:
        settings = MailroomSettings.read(env)
    return wiring.mailroom(settings)


@app.command("list", epilog=examples_of("pending list"))
def list_reports(
    context: typer.Context,
    everything: AllOption = False,
    format: ListFormatOption = "table",
) -> None:
    """List the reports that were not sent yet, and why."""
    from ..presentation.listing import print_statuses

    session: Session = context.obj
    mailroom = _mailroom(session, "list")
    statuses = mailroom.audit() if everything else mailroom.unsent()
    print_statuses(statuses, format, now=session.clock(), history=everything)
    if statuses:
        pending = sum(status.is_pending for status in statuses)
        session.console.summary(f"{counted(len(statuses), 'report')} listed, {pending:,} pending")


@app.command(epilog=examples_of("pending resolve"))
def resolve(
    context: typer.Context,
    report: ReportArgument,
    sent: SentOption = False,
    resend: ResendOption = False,
) -> None:
    """Decide about a report of which nobody knows whether it arrived.

    The decision is for the whole message that it went in.
    """
    from ...application.pending import resolve_doubt

    if sent == resend:
        raise SettingsError("nothing is decided", hint="Say either --sent or --resend.")
    session: Session = context.obj
    mailroom = _mailroom(session, "resolve")
    with mailroom.log.hold(session.clock()):
        resolved = resolve_doubt(mailroom, report, "sent" if sent else "resend", session.clock())
    reports = [carried for delivery in resolved for carried in delivery.message.reports]
    print_reports(reports)
    decided = "marked as sent" if sent else "to go again, with the next `ticketattr send` or `run`"
    session.console.summary(f"{counted(len(reports), 'report')} {decided}")


@app.command(epilog=examples_of("pending adopt"))
def adopt(
    context: typer.Context,
    reports: ReportsArgument = None,
) -> None:
    """Mark reports as sent, without sending them."""
    from ...application.pending import adopt_reports, to_adopt

    session: Session = context.obj
    mailroom = _mailroom(session, "adopt")
    with mailroom.log.hold(session.clock()):
        adopted = adopt_reports(mailroom.log, to_adopt(mailroom, reports or []), session.clock())
    print_reports(adopted)
    session.console.summary(f"{counted(len(adopted), 'report')} marked as sent")


@app.command("backup", epilog=examples_of("pending backup"))
def back_up(
    context: typer.Context,
    target: BackupArgument,
) -> None:
    """Copy the report log into one file.

    Whatever is at work meanwhile: the copy is whole.
    """
    session: Session = context.obj
    _mailroom(session, "backup").log.back_up(target)
    session.console.summary("report log copied")
    print_path(target)


@app.command(epilog=examples_of("pending restore"))
def restore(
    context: typer.Context,
    copy: CopyArgument,
    unknown: UnknownOption = "refuse",
) -> None:
    """Put a backup in the place of the report log.

    The one that was there is kept beside it.
    """
    from ...application.restore import restore_log

    session: Session = context.obj
    mailroom = _mailroom(session, "restore")
    now = session.clock()
    with mailroom.log.hold_unread(now), wiring.copy_of_report_log(copy) as copied:
        restored = restore_log(mailroom.log, copied, mailroom.folder, unknown, now)
    print_reports(restored.unknown)
    if restored.aside:
        session.console.summary(f"the report log that was there is {restored.aside} now")
    session.console.summary(f"report log restored; it does not know {counted(len(restored.unknown), 'report')}")


@app.command(epilog=examples_of("pending export"))
def export(context: typer.Context) -> None:
    """Print everything that ever happened to a message.

    As JSON, oldest first.
    """
    from ..presentation.listing import print_events

    session: Session = context.obj
    events = _mailroom(session, "export").log.events()
    print_events(events)
    session.console.summary(f"{counted(len(events), 'event')} exported")
