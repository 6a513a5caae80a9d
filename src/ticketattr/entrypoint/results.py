"""The last lines that a command prints, and exit code 5 for work that was done in part."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from ..application.send import sent_reports
from ..domain.delivery import Delivery, RecipientResult, ReportFile
from ..domain.report_status import ReportStatus
from ..domain.run_history import partial_reasons
from ..domain.ticket import AttributedTicket
from ..domain.wording import counted
from ..errors import ExitCode
from ..infrastructure.files import STREAM
from .invocation import Invocation
from .presentation.log_lines import plain


def print_path(path: Path) -> None:
    """Print the path of a result, unless the result itself went to stdout."""
    if path != STREAM:
        typer.echo(path)


def print_reports(reports: Sequence[ReportFile]) -> None:
    """Print the path of each report."""
    for report in reports:
        typer.echo(plain(str(report.path)))


def sent(deliveries: Sequence[Delivery]) -> str:
    """The number of reports that were sent, such as `2 reports`."""
    return counted(len(sent_reports(deliveries)), "report")


def nothing_to_send(statuses: Sequence[ReportStatus]) -> str:
    """Why nothing was sent."""
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
    """Exit with 5 if tickets stayed unattributed because of a failure, or a report did not reach every recipient."""
    for status in left:
        invocation.console.problem(f"not sent: {status.report.path}: {_state(status)}")
    for reply in dict.fromkeys(result.reply for result in _refusals(deliveries)):
        invocation.console.problem(f"refused for a recipient: {reply}")
    if partial_reasons(tickets, deliveries, left):
        raise typer.Exit(ExitCode.PARTIAL)


def _refusals(deliveries: Sequence[Delivery]) -> list[RecipientResult]:
    return [result for delivery in deliveries for result in delivery.results if result.state == "refused"]


def _state(status: ReportStatus) -> str:
    if status.state == "sent" and status.delivery:
        return f"sent, but {counted(len(status.delivery.outstanding), 'recipient')} put off"
    return f"{status.state} {status.detail}".rstrip()
