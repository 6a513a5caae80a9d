"""The progress of a run: what it has done so far. Monitoring reads it however the run ends."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from ..domain.delivery import Delivery
from ..domain.report_status import ReportStatus
from ..domain.ticket import AttributedTicket
from ..domain.usage import Bill

if TYPE_CHECKING:
    from ..domain.run_history import Stage
    from .apply import Applied
    from .incoming_corrections import TakenOver

log = logging.getLogger(__name__)

_PLURAL = re.compile(r"s\b")

current_run: ContextVar[str] = ContextVar("current_run", default="")
"""The id of the current run, for log lines; empty outside of a run."""

current_stage: ContextVar[str] = ContextVar("current_stage", default="")
"""The current stage of that run, or the name of the command."""


class RunProgress:
    """The results of the stages so far; each stage adds its own.

    `timer` returns seconds and never goes back; where it starts does not matter. `seconds` is the duration of each
    stage. `left` are the reports that are still pending, `incoming` the workbooks with corrections, `applied` is what
    was written into the helpdesk. `done` and `total` count the tickets of the current stage. `observer` is called
    whenever the stage or `done` changes.
    """

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self.seconds: dict[Stage, float] = {}
        self.tickets: Sequence[AttributedTicket] = ()
        self.deliveries: Sequence[Delivery] = ()
        self.applied: Applied | None = None
        self.left: Sequence[ReportStatus] = ()
        self.incoming: Sequence[TakenOver] = ()
        self.bill: Callable[[], Bill] = Bill
        """Returns what the model has cost so far. A run that fails has a cost, too."""
        self.done = self.total = 0
        self.observer: Callable[[], None] = lambda: None

    def count_tickets(self, done: int, total: int) -> None:
        """Take note that `done` of `total` tickets have an outcome."""
        self.done, self.total = done, total
        self.observer()

    @contextmanager
    def stage(self, name: Stage) -> Iterator[dict[str, int]]:
        """Run the block as that stage: set `current_stage`, measure the time, log the end.

        Yields a dict for the counts of the stage. The log line shows them, with `_` in a key as a space.
        """
        counts: dict[str, int] = {}
        token, started = current_stage.set(name), self._timer()
        result = "interrupted"
        self.done = self.total = 0
        self.observer()
        try:
            yield counts
            result = "done"
        except Exception:
            result = "failed"
            raise
        finally:
            seconds = self._timer() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds
            details = ", ".join(_counted(count, what.replace("_", " ")) for what, count in counts.items())
            log.info(
                "%s %s in %.2f s%s", name, result, seconds, f": {details}" if details else "",
                extra={"duration": round(seconds, 3), "counts": counts},
            )  # fmt: skip
            current_stage.reset(token)


def _counted(count: int, what: str) -> str:
    """The count with its noun or its state, such as `2 rows refused` or `1 row refused`."""
    return f"{count:,} {_PLURAL.sub('', what) if count == 1 else what}"
