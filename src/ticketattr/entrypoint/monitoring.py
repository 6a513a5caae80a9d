"""The one place that sees how `run` and `send` end, whatever ends them."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from ..application.monitoring import record_overlap, record_run
from ..application.run_progress import RunProgress, current_run
from ..domain.run_history import Command, RunRecord, cause_of, count_outcomes, count_slas, shortfalls
from ..errors import BusyError, ExitCode, TicketAttrError
from . import wiring
from .invocation import Invocation
from .presentation.log_lines import plain

log = logging.getLogger(__name__)


class MonitoredCommand(TyperCommand):
    """A command of which it is remembered, published and told how it ended, unless it was a dry run.

    What is wrong with the words of the command line was never begun, and is not recorded; nor is anything when the
    settings cannot even be read: then nobody knows where.
    """

    def invoke(self, ctx: Any) -> Any:
        if ctx.params["dry_run"]:
            return super().invoke(ctx)
        with _recorded(ctx.obj, "run" if self.name == "run" else "send"):
            return super().invoke(ctx)


@contextmanager
def _recorded(invocation: Invocation, command: Command) -> Iterator[None]:
    started = invocation.clock()
    error: BaseException | None = None
    try:
        yield
    except BaseException as caught:
        error = caught
        raise
    finally:
        _record(invocation, command, started, error)


def _record(invocation: Invocation, command: Command, started: datetime, error: BaseException | None) -> None:
    if not (invocation.monitoring and invocation.monitoring.is_watched):
        return
    end = _end_of(error, invocation.run_progress)
    if end.exit_code == ExitCode.BUG:
        log.critical("%s", end.reason)
    record = _run_record(invocation, command, started, end)
    monitoring = wiring.monitoring(invocation.monitoring)
    if isinstance(error, BusyError):
        record_overlap(record, monitoring)
    else:
        record_run(record, monitoring)


def _run_record(invocation: Invocation, command: Command, started: datetime, end: _End) -> RunRecord:
    run_progress = invocation.run_progress
    return RunRecord(
        run_id=current_run.get(),
        command=command,
        started=started,
        ended=invocation.clock(),
        exit_code=int(end.exit_code),
        causes=end.causes,
        reason=end.reason,
        hint=end.hint,
        seconds=dict(run_progress.seconds),
        tickets=count_outcomes(run_progress.tickets),
        by_sla=count_slas(run_progress.tickets),
        bill=run_progress.bill(),
    )


@dataclass(frozen=True, slots=True)
class _End:
    exit_code: int
    causes: tuple[str, ...] = ()
    reason: str = ""
    hint: str = ""


def _end_of(error: BaseException | None, run_progress: RunProgress) -> _End:
    match error:
        case None:
            return _End(ExitCode.DONE)
        case TicketAttrError():
            return _End(error.exit_code, (cause_of(error),), plain(str(error)), plain(error.hint))
        case typer.Exit():
            causes = shortfalls(run_progress.tickets, run_progress.deliveries, run_progress.left)
            return _End(error.exit_code, causes, "; ".join(causes))
        case KeyboardInterrupt() | SystemExit(code=ExitCode.INTERRUPTED):
            return _End(ExitCode.INTERRUPTED, reason="interrupted")
        case SystemExit(code=ExitCode.TERMINATED):
            return _End(ExitCode.TERMINATED, ("terminated",), "terminated from outside before it was done (SIGTERM)")
        case _:
            return _bug(error)


def _bug(error: BaseException) -> _End:
    """Without its message, which may quote whatever was at hand: tickets, addresses, secrets."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
    where = f"a bug: {type(error).__name__} at {place}"
    return _End(ExitCode.BUG, (where,), where, "Its traceback is on the stderr of that run.")
