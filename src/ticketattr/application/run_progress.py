"""A run under way: what it has come to so far, whatever may end it."""

from __future__ import annotations

import logging
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

log = logging.getLogger(__name__)

current_run: ContextVar[str] = ContextVar("current_run", default="")
"""The id of the run that whatever happens belongs to; empty outside of one."""

current_stage: ContextVar[str] = ContextVar("current_stage", default="")
"""The stage of that run, or the command."""


class RunProgress:
    """Told by the stages what they do. `timer` counts seconds, from anywhere, and never backwards."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self.seconds: dict[Stage, float] = {}
        self.tickets: Sequence[AttributedTicket] = ()
        self.deliveries: Sequence[Delivery] = ()
        self.left: Sequence[ReportStatus] = ()
        self.bill: Callable[[], Bill] = Bill
        """What a model took until now: a run that is broken off was not for free."""

    @contextmanager
    def stage(self, name: Stage) -> Iterator[dict[str, int]]:
        """What happens meanwhile belongs to that stage. It is told its counts; its end is logged, with the time."""
        counts: dict[str, int] = {}
        token, began = current_stage.set(name), self._timer()
        ended = "broken off"
        try:
            yield counts
            ended = "done"
        finally:
            seconds = self._timer() - began
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds
            told = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in counts.items())
            log.info(
                "%s %s in %.2f s%s", name, ended, seconds, f": {told}" if told else "",
                extra={"duration": round(seconds, 3), "counts": counts},
            )  # fmt: skip
            current_stage.reset(token)
