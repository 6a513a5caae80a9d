"""`ticketattr pending …`: what was sent, what was not, and what a person decides about it."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ...application.pending import Mailroom
from ...errors import SettingsError
from .. import wiring
from ..outcome import print_path, print_reports
from ..session import Session
from ..settings.folders import FolderSettings
from ..settings.mail import read_doubt, read_transport
from ..summaries import counted
from .options import ListFormat

app = typer.Typer(help="The reports that were not sent yet.", no_args_is_help=True, rich_markup_mode=None)


class UnknownChoice(str, Enum):
    refuse = "refuse"
    sent = "sent"
    pending = "pending"


def _mailroom(session: Session, command: str) -> Mailroom:
    with session.reading(f"pending {command}") as env:
        folders, transport, doubt = FolderSettings.read(env), read_transport(env), read_doubt(env)
    return wiring.mailroom(folders, transport, doubt)


@app.command("list")
def list_reports(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="What was sent too.")] = False,
    format: Annotated[ListFormat, typer.Option(help="How to print it.")] = ListFormat.table,
) -> None:
    """List the reports that were not sent yet, and why."""
    from ...application.pending import audit_reports
    from ..listing import print_statuses

    session: Session = context.obj
    mailroom = _mailroom(session, "list")
    statuses = audit_reports(mailroom.folder, mailroom.log, mailroom.records()) if everything else mailroom.unsent()
    print_statuses(statuses, format.value, now=session.clock(), history=everything)


@app.command()
def resolve(
    context: typer.Context,
    report: Annotated[str, typer.Argument(help="A workbook, its name, or the start of its SHA-256.")],
    sent: Annotated[bool, typer.Option("--sent", help="It arrived: it counts as sent.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="It goes again, as the same message.")] = False,
) -> None:
    """Decide about a report of which nobody knows whether it arrived.

    The decision is for the whole message that it went in.
    """
    from ...application.pending import resolve_doubt

    if sent == resend:
        raise SettingsError("say either --sent or --resend")
    session: Session = context.obj
    mailroom = _mailroom(session, "resolve")
    with mailroom.log.hold(session.clock()):
        resolved = resolve_doubt(mailroom, report, "sent" if sent else "resend", session.clock())
    print_reports([carried for delivery in resolved for carried in delivery.message.reports])
    session.console.summary("counts as sent" if sent else "goes again with the next `ticketattr send` or `run`")


@app.command()
def adopt(
    context: typer.Context,
    reports: Annotated[
        list[Path] | None, typer.Argument(help="Workbooks. [default: all, where the report log is gone]")
    ] = None,
) -> None:
    """Mark reports as sent, without sending them."""
    from ...application.pending import adopt_reports, to_adopt

    session: Session = context.obj
    mailroom = _mailroom(session, "adopt")
    with mailroom.log.hold(session.clock()):
        adopted = adopt_reports(mailroom.log, to_adopt(mailroom, reports or []), session.clock())
    print_reports(adopted)
    session.console.summary(f"{len(adopted)} marked as sent")


@app.command("backup")
def back_up(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(help="The file to write; one that is there is replaced.")],
) -> None:
    """Copy the report log into one file, whatever is at work meanwhile."""
    session: Session = context.obj
    _mailroom(session, "backup").log.back_up(target)
    print_path(target)


@app.command()
def restore(
    context: typer.Context,
    copy: Annotated[Path, typer.Argument(help="What `ticketattr pending backup` wrote.")],
    unknown: Annotated[
        UnknownChoice, typer.Option(help="What reports are that the backup does not know: sent, or pending.")
    ] = UnknownChoice.refuse,
) -> None:
    """Put a backup in the place of the report log; the old one is kept beside it."""
    from ...application.restore import restore_log

    session: Session = context.obj
    mailroom = _mailroom(session, "restore")
    now = session.clock()
    with mailroom.log.hold_unread(now), wiring.copy_of_report_log(copy) as copied:
        restored = restore_log(mailroom.log, copied, mailroom.folder, unknown.value, now)
    print_reports(restored.unknown)
    if restored.aside:
        session.console.summary(f"the log that was there is {restored.aside} now")
    session.console.summary(f"restored; {counted(len(restored.unknown), 'report')} that it does not know")


@app.command()
def export(context: typer.Context) -> None:
    """Print everything that ever happened to a message, as JSON, oldest first."""
    from ..listing import print_events

    session: Session = context.obj
    print_events(_mailroom(session, "export").log.events())
