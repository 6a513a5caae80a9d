"""The one place that sees how `run` and `send` end, whatever ends them."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from ..application.watch import Watch, current_run
from ..errors import BusyError, ExitCode, TicketAttrError
from . import wiring
from .presentation.log_lines import plain
from .session import Session

if TYPE_CHECKING:
    from ..domain.operation import Command, RunRecord

log = logging.getLogger(__name__)


class RecordedCommand(TyperCommand):
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
def _recorded(session: Session, command: Command) -> Iterator[None]:
    started = session.clock()
    error: BaseException | None = None
    try:
        yield
    except BaseException as caught:
        error = caught
        raise
    finally:
        _record(session, command, started, error)


def _record(session: Session, command: Command, started: datetime, error: BaseException | None) -> None:
    if not (session.operation and session.operation.is_watched):
        return
    # Not before: whoever finds another one at work is to know at once.
    from ..application.record import record_overlap, record_run

    end = _end_of(error, session.watch)
    if end.exit_code == ExitCode.BUG:
        log.critical("%s", end.reason)
    record = _run_record(session, command, started, end)
    recording = wiring.recording(session.operation)
    if isinstance(error, BusyError):
        record_overlap(record, recording)
    else:
        record_run(record, recording)


def _run_record(session: Session, command: Command, started: datetime, end: _End) -> RunRecord:
    from ..domain.operation import RunRecord, count_outcomes, count_slas

    watch = session.watch
    return RunRecord(
        run_id=current_run.get(),
        command=command,
        started=started,
        ended=session.clock(),
        exit_code=int(end.exit_code),
        causes=end.causes,
        reason=end.reason,
        hint=end.hint,
        seconds=dict(watch.seconds),
        tickets=count_outcomes(watch.tickets),
        by_sla=count_slas(watch.tickets),
        bill=watch.bill(),
    )


@dataclass(frozen=True, slots=True)
class _End:
    exit_code: int
    causes: tuple[str, ...] = ()
    reason: str = ""
    hint: str = ""


def _end_of(error: BaseException | None, watch: Watch) -> _End:
    from ..domain.operation import cause_of, shortfalls

    match error:
        case None:
            return _End(ExitCode.DONE)
        case TicketAttrError():
            return _End(error.exit_code, (cause_of(error),), plain(str(error)), plain(error.hint))
        case typer.Exit():
            causes = shortfalls(watch.tickets, watch.deliveries, watch.left)
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
