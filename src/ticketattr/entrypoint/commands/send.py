"""`ticketattr send`: send all pending reports, or one report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...application.send import Outgoing, send_pending, send_report, sent_reports
from ...domain.report_status import ReportStatus
from ...domain.wording import counted
from ...errors import SettingsError
from .. import wiring
from ..invocation import Invocation
from ..monitoring import MonitoredCommand
from ..results import exit_if_partial, nothing_to_send, print_places, print_reports, sent
from ..settings.folders import FolderSettings
from ..settings.mail import MailSettings
from .help_examples import epilog_of
from .options import SendOldOption, WaitOption

ReportOption = Annotated[
    Path | None,
    typer.Option("--report", metavar="PATH", help="Send only this workbook, unless its content was sent before."),
]
AgainOption = Annotated[bool, typer.Option("--again", help="With --report: send it even if it was sent before.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=MonitoredCommand, epilog=epilog_of("send"))
def send(
    context: typer.Context,
    report: ReportOption = None,
    again: AgainOption = False,
    dry_run: DryRunOption = False,
    wait: WaitOption = 0.0,
    send_old: SendOldOption = False,
) -> None:
    """Send every report that was not sent yet.

    One message carries them all, oldest first, unless the mail server does not accept a message of that size.
    """
    if again and not report:
        raise SettingsError(
            "--again needs --report", hint="Name the workbook: `ticketattr send --report PATH --again`."
        )
    invocation: Invocation = context.obj
    invocation.new_run()
    with invocation.reading("send") as env:
        folders, mail = FolderSettings.read(env), MailSettings.read(env)
    outgoing = wiring.outgoing(folders, mail, invocation.clock, send_old=send_old)
    if dry_run:
        _show(invocation, outgoing, report, again=again)
        return
    with outgoing.log.acquire_sender_lock(invocation.clock(), wait=wait):
        wiring.remove_leftovers(folders, mail)
        statuses = _send(invocation, outgoing, report, again=again)
    run_progress = invocation.run_progress
    print_reports(sent_reports(run_progress.deliveries))
    invocation.console.summary(
        f"{sent(run_progress.deliveries)} sent" if run_progress.deliveries else nothing_to_send(statuses)
    )
    print_places(invocation, run_progress.deliveries)
    exit_if_partial(invocation, deliveries=run_progress.deliveries, left=run_progress.left)


def _show(invocation: Invocation, outgoing: Outgoing, report: Path | None, *, again: bool) -> None:
    outgoing_messages = outgoing.messages(report)
    messages = outgoing_messages.for_report(report, again=again) if report else outgoing_messages.pending()
    reports = [report for message in messages for report in message.reports]
    print_reports(reports)
    invocation.console.summary(f"dry run: {counted(len(reports), 'report')} would be sent, nothing was")


def _send(invocation: Invocation, outgoing: Outgoing, report: Path | None, *, again: bool) -> list[ReportStatus]:
    """Send. Returns the status of the report, or of all pending reports, afterwards."""
    run_progress = invocation.run_progress
    with invocation.console.waiting("Sending"), run_progress.stage("send") as counts:
        run_progress.deliveries = send_report(outgoing, report, again=again) if report else send_pending(outgoing)
        counts["messages"] = len(run_progress.deliveries)
    statuses = [outgoing.tracker.status(report)] if report else outgoing.tracker.pending()
    run_progress.left = [status for status in statuses if status.is_pending]
    return statuses
