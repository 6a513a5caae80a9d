"""`ticketattr send`: what is pending, or one report, to its readers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...application.send import Outgoing
from ...domain.standing import ReportStatus
from ...errors import SettingsError
from .. import wiring
from ..outcome import exit_if_partial, nothing_to_send, print_reports, sent, sent_reports
from ..presentation.summaries import counted
from ..session import Session
from ..settings.folders import FolderSettings
from ..settings.mail import MailSettings
from .options import SendOldOption, WaitOption

ReportOption = Annotated[
    Path | None,
    typer.Option("--report", metavar="PATH", help="This workbook alone, unless its content was sent before."),
]
AgainOption = Annotated[bool, typer.Option("--again", help="With --report: even if it was sent before.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")]


def send(
    context: typer.Context,
    report: ReportOption = None,
    again: AgainOption = False,
    dry_run: DryRunOption = False,
    wait: WaitOption = 0.0,
    send_old: SendOldOption = False,
) -> None:
    """Send every report that was not sent yet.

    The oldest comes first, and all go in one message, unless the server takes none that large.
    """
    if again and not report:
        raise SettingsError(
            "--again needs --report", hint="Name the workbook: `ticketattr send --report PATH --again`."
        )
    session: Session = context.obj
    session.new_run()
    with session.reading("send") as env:
        folders, mail = FolderSettings.read(env), MailSettings.read(env)
    outgoing = wiring.outgoing(folders, mail, session.clock, send_old=send_old)
    if dry_run:
        _show(session, outgoing, report, again=again)
        return
    with outgoing.mailroom.log.hold(session.clock(), wait=wait):
        statuses = _send(session, outgoing, report, again=again)
    watch = session.watch
    print_reports(sent_reports(watch.deliveries))
    session.console.summary(f"{sent(watch.deliveries)} sent" if watch.deliveries else nothing_to_send(statuses))
    exit_if_partial(session, deliveries=watch.deliveries, left=watch.left)


def _show(session: Session, outgoing: Outgoing, report: Path | None, *, again: bool) -> None:
    planner = outgoing.planner(report)
    messages = planner.report(report, again=again) if report else planner.pending()
    reports = [report for message in messages for report in message.reports]
    print_reports(reports)
    session.console.summary(f"dry run: {counted(len(reports), 'report')} would be sent, nothing was")


def _send(session: Session, outgoing: Outgoing, report: Path | None, *, again: bool) -> list[ReportStatus]:
    """Where the report, or all that still have to reach somebody, stand afterwards."""
    from ...application.send import send_pending, send_report

    watch = session.watch
    with session.console.waiting("Sending"), watch.stage("send") as counts:
        watch.deliveries = send_report(outgoing, report, again=again) if report else send_pending(outgoing)
        counts["messages"] = len(watch.deliveries)
    statuses = [outgoing.mailroom.status(report)] if report else outgoing.mailroom.pending()
    watch.left = [status for status in statuses if status.is_pending]
    return statuses
