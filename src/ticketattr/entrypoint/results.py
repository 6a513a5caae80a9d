"""How a command ends: the paths of what it made, and exit 5 for what was done in part."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from ..domain.delivery import Delivery, RecipientResult, ReportFile
from ..domain.report_status import ReportStatus
from ..domain.ticket import AttributedTicket
from ..errors import ExitCode
from ..infrastructure.files import STREAM
from .invocation import Invocation
from .presentation.log_lines import plain
from .presentation.summaries import counted


def report_name(run_id: str, format: str = "xlsx") -> str:
    return f"ticket-attribution-{run_id}.{format}"


def print_path(path: Path) -> None:
    """Where the result is; nothing when it went to stdout itself."""
    if path != STREAM:
        typer.echo(path)


def print_reports(reports: Sequence[ReportFile]) -> None:
    for report in reports:
        typer.echo(plain(str(report.path)))


def sent_reports(deliveries: Sequence[Delivery]) -> list[ReportFile]:
    return [report for delivery in deliveries if delivery.state == "sent" for report in delivery.message.reports]


def sent(deliveries: Sequence[Delivery]) -> str:
    return counted(len(sent_reports(deliveries)), "report")


def nothing_to_send(statuses: Sequence[ReportStatus]) -> str:
    for status in statuses:
        if status.state == "sent" and status.sent_at:
            return f"nothing sent: {status.report.path} was sent at {status.sent_at:%Y-%m-%d %H:%M:%S} UTC"
    return "nothing to send"


def exit_if_partial(
    invocation: Invocation,
    *,
    tickets: Sequence[AttributedTicket] = (),
    deliveries: Sequence[Delivery] = (),
    left: Sequence[ReportStatus] = (),
) -> None:
    """Exit 5 when tickets stayed unattributed because something failed, or a report did not reach every reader."""
    from ..domain.run_history import partial_reasons

    for status in left:
        invocation.console.problem(f"not sent: {status.report.path}: {_standing(status)}")
    for reply in dict.fromkeys(result.reply for result in _refusals(deliveries)):
        invocation.console.problem(f"refused for a recipient: {reply}")
    if partial_reasons(tickets, deliveries, left):
        raise typer.Exit(ExitCode.PARTIAL)


def _refusals(deliveries: Sequence[Delivery]) -> list[RecipientResult]:
    return [result for delivery in deliveries for result in delivery.results if result.state == "refused"]


def _standing(status: ReportStatus) -> str:
    if status.state == "sent" and status.delivery:
        return f"sent, but {counted(len(status.delivery.outstanding), 'recipient')} put off"
    return f"{status.state} {status.detail}".rstrip()
