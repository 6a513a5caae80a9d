"""The last lines that a command prints, and exit code 5 for work that was done in part."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..application.incoming_corrections import TakenOver
from ..application.send import sent_reports
from ..domain.delivery import Delivery, ReportFile
from ..domain.report_status import ReportStatus
from ..domain.run_history import change_reasons, failure_reason, partial_reasons
from ..domain.ticket import AttributedTicket
from ..domain.wording import counted
from ..domain.write_back import OPEN_STATES, count_changes
from ..errors import ExitCode
from ..infrastructure.files import STREAM
from .invocation import Invocation
from .presentation.log_lines import plain
from .presentation.summaries import decided

if TYPE_CHECKING:
    from ..application.apply import Applied

_MOST_REASONS = 10


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


def print_places(invocation: Invocation, deliveries: Sequence[Delivery]) -> None:
    """Say where each mail is that was written to a file."""
    for delivery in deliveries:
        if delivery.state == "sent" and delivery.message.transport == "file":
            invocation.console.summary(f"mail {plain(delivery.detail)}")


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
    incoming: Sequence[TakenOver] = (),
    applied: Applied | None = None,
) -> None:
    """Exit with 5 if tickets stayed unattributed because of a failure, or a report did not reach every recipient.

    The same if a workbook with corrections needs a person, or a change in the helpdesk was not made.
    """
    if applied:
        print_problems(invocation, applied)
    for status in left:
        invocation.console.problem(f"not sent: {status.report.path}: {_state(status)}")
    results = (result for delivery in deliveries for result in delivery.results)
    for reply in dict.fromkeys(result.reply for result in results if result.state == "refused"):
        invocation.console.problem(f"refused for a recipient: {reply}")
    refused = sum(workbook.needs_person for workbook in incoming)
    if partial_reasons(*(tickets, deliveries, left), refused_workbooks=refused, changes=reasons_of(applied)):
        raise typer.Exit(ExitCode.PARTIAL)


def tell_incoming(invocation: Invocation, incoming: Sequence[TakenOver]) -> None:
    """Print what became of each workbook with corrections."""
    console = invocation.console
    for workbook in incoming:
        name = workbook.name
        if workbook.new or workbook.result == "done":
            console.summary(f"{name}: {decided(workbook.new)} taken over")
        for conflict in workbook.conflicts:
            console.summary(f"{name}: {conflict}")
        if workbook.result == "left" and workbook.reason:
            console.problem(f"{name}: left for the next run: {workbook.reason}")
        elif workbook.result == "refused":
            why = workbook.reason or f"{counted(workbook.refused_rows, 'row')} not taken over"
            beside = f"; see {workbook.moved_to}.txt" if workbook.moved_to else ""
            console.problem(f"{name}: refused: {why}{beside}")
        if workbook.problem:
            console.problem(f"{f'{name}: not moved: ' if name else ''}{workbook.problem}")


def reasons_of(applied: Applied | None) -> tuple[str, ...]:
    """Why writing into the helpdesk was done only in part; empty if it was not."""
    if applied is None:
        return ()
    stopped = failure_reason(applied.stopped) if applied.stopped else ""
    open_still = [change for change in applied.settled if change.state in OPEN_STATES]
    return change_reasons(count_changes((*open_still, *applied.changes)), left=applied.left, stopped=stopped)


def print_problems(invocation: Invocation, applied: Applied) -> None:
    """Print why changes were not made, each reason once."""
    failed = [change for change in applied.changes if change.state in ("refused", "in_doubt")]
    reasons = dict.fromkeys(f"{change.state.replace('_', ' ')}: {change.detail}" for change in failed)
    for reason in list(reasons)[:_MOST_REASONS]:
        invocation.console.problem(f"not written: {reason}")
    if applied.stopped:
        invocation.console.problem(f"writing into the helpdesk stopped: {applied.stopped}")
    if applied.left:
        invocation.console.problem(f"{counted(applied.left, 'change')} left for the next run")


def _state(status: ReportStatus) -> str:
    if status.state == "sent" and status.delivery:
        return f"sent, but {counted(len(status.delivery.outstanding), 'recipient')} deferred"
    return f"{status.state} {status.detail}".rstrip()
