"""The one place that sees how `run` and `send` end: normally, with an error, a signal or a bug."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import typer
from typer.core import TyperCommand

from ..application.monitoring import record_overlap, record_run
from ..application.run_progress import RunProgress, current_run, current_stage
from ..domain.run_history import Command, RunRecord, Stage, count_outcomes, count_slas, failure_reason, partial_reasons
from ..domain.service_run import RunStatus
from ..domain.write_back import count_changes
from ..errors import BusyError, ExitCode, TicketAttrError
from ..infrastructure.network.service_words import without_secrets
from . import wiring
from .invocation import Invocation
from .presentation.log_lines import plain
from .results import reasons_of

log = logging.getLogger(__name__)


class ReportingCommand(TyperCommand):
    """A command that tells the service, if it started this process, about each step and about the end."""

    def invoke(self, ctx: Any) -> Any:
        with _reporting_status(ctx.obj):
            return super().invoke(ctx)


class MonitoredCommand(ReportingCommand):
    """A command whose outcome is recorded, published as metrics and reported as alerts, unless it is a dry run.

    Nothing is recorded if the command line is wrong, because no run was started, or if the settings cannot be read,
    because they say where to record it.
    """

    def invoke(self, ctx: Any) -> Any:
        is_recorded = not ctx.params["dry_run"]
        command: Command = "run" if self.name == "run" else "send"
        with _recording(ctx.obj, command) if is_recorded else nullcontext():
            return super().invoke(ctx)


@contextmanager
def _reporting_status(invocation: Invocation) -> Iterator[None]:
    """Tell the service, if it started this process, about each step and about the end."""
    file = wiring.status_file()
    if file is None:
        yield
        return
    progress = invocation.run_progress

    stage = ""

    def report(ending: _Ending | None = None) -> None:
        nonlocal stage
        # Outside of the stages, it is the name of the command.
        if current_stage.get() in get_args(Stage):
            stage = current_stage.get()
        status = RunStatus(current_run.get(), stage, progress.done, progress.total)
        if ending:
            figures = {str(name): count for name, count in count_outcomes(progress.tickets).items()}
            status = replace(
                status, exit_code=int(ending.exit_code), message=ending.message, hint=ending.hint, figures=figures
            )
        try:
            file.write(status)
        except TicketAttrError as error:
            # The run itself matters more than what the service knows about it.
            log.warning("%s", error)

    progress.observer = report
    report()
    with ExitStack() as at_end:
        at_end.push(lambda _, error, __: report(_ending_of(error, progress)))
        yield


@contextmanager
def _recording(invocation: Invocation, command: Command) -> Iterator[None]:
    started = invocation.clock()
    with ExitStack() as at_end:
        at_end.push(lambda _, error, __: _record(invocation, command, started, error))
        yield


def _record(invocation: Invocation, command: Command, started: datetime, error: BaseException | None) -> None:
    # The service that started the run publishes metrics, too.
    is_needed = invocation.monitoring and (invocation.monitoring.is_enabled or wiring.status_file())
    if not invocation.monitoring or not is_needed:
        return
    ending = _ending_of(error, invocation.run_progress)
    if ending.exit_code == ExitCode.BUG:
        log.critical("%s", ending.message)
    record = _run_record(invocation, command, started, ending)
    monitoring = wiring.monitoring(invocation.monitoring)
    if isinstance(error, BusyError):
        record_overlap(record, monitoring)
    else:
        record_run(record, monitoring)


def _run_record(invocation: Invocation, command: Command, started: datetime, ending: _Ending) -> RunRecord:
    run_progress = invocation.run_progress
    return RunRecord(
        run_id=current_run.get(),
        command=command,
        started=started,
        ended=invocation.clock(),
        exit_code=int(ending.exit_code),
        reasons=ending.reasons,
        message=ending.message,
        hint=ending.hint,
        seconds=dict(run_progress.seconds),
        tickets=count_outcomes(run_progress.tickets),
        by_sla=count_slas(run_progress.tickets),
        bill=run_progress.bill(),
        changes=count_changes(run_progress.applied.changes) if run_progress.applied else {},
    )


@dataclass(frozen=True, slots=True)
class _Ending:
    exit_code: int
    reasons: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""


def _ending_of(error: BaseException | None, run_progress: RunProgress) -> _Ending:
    match error:
        case None:
            return _Ending(ExitCode.DONE)
        case TicketAttrError():
            texts = (str(error), error.hint, failure_reason(error))
            message, hint, reason = (plain(without_secrets(text)) for text in texts)
            return _Ending(error.exit_code, (reason,), message, hint)
        case typer.Exit():
            reasons = partial_reasons(
                *(run_progress.tickets, run_progress.deliveries, run_progress.left),
                refused_workbooks=sum(workbook.needs_person for workbook in run_progress.incoming),
                changes=reasons_of(run_progress.applied),
            )
            return _Ending(error.exit_code, reasons, "; ".join(reasons))
        case KeyboardInterrupt() | SystemExit(code=ExitCode.INTERRUPTED):
            return _Ending(ExitCode.INTERRUPTED, message="interrupted")
        case SystemExit(code=ExitCode.TERMINATED):
            return _Ending(ExitCode.TERMINATED, ("terminated",), "stopped by SIGTERM before it was done")
        case _:
            return _bug(error)


def _bug(error: BaseException) -> _Ending:
    """The type and place of an unexpected exception. Its message may quote tickets, addresses or secrets."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
    where = f"a bug: {type(error).__name__} at {place}"
    return _Ending(ExitCode.BUG, (where,), where, "The traceback is in the stderr of that run.")
