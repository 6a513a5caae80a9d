"""What every command starts from: the options before its name, and its settings under them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..application.ports import Clock, Run
from ..application.watch import Watch, current_run
from ..domain.ticket import AttributedTicket
from ..domain.usage import Bill
from .console import Console
from .settings.environment import Environment, reading
from .settings.operation import LogSettings, OperationSettings
from .settings.values import read_values
from .summaries import attribution_summary, bill_summary

RECORDED = ("run", "send")
"""The commands of which it is remembered, published and told how they end."""


class ClassifierChoice(str, Enum):
    gemini = "gemini"
    offline = "offline"
    cascade = "cascade"


@dataclass(slots=True)
class Session:
    """What the options before the command say, and what the command does under them.

    `operation` is known once a command whose end is recorded has read its settings, be they right or wrong.
    """

    console: Console
    env_file: Path | None
    clock: Clock
    watch: Watch
    operation: OperationSettings | None = None

    @contextmanager
    def reading(self, command: str, classifier: ClassifierChoice | None = None) -> Iterator[Environment]:
        """The settings of `command`, under the flag that was given; from here on, its log is what they say."""
        flags = {"CLASSIFIER": classifier.value} if classifier else {}
        with reading(read_values(self.env_file, flags), command) as env:
            self.console.set_up_logging(LogSettings.read(env))
            if command in RECORDED:
                self.operation = OperationSettings.read(env)
            yield env

    def new_run(self) -> Run:
        """Whatever is logged from here on belongs to it."""
        from ..domain.operation import new_run_id

        run = Run(new_run_id(self.clock()), self.clock)
        current_run.set(run.id)
        return run

    def summarize(self, tickets: Sequence[AttributedTicket], bill: Bill) -> None:
        if bill.usage.calls:
            self.console.summary(bill_summary(bill))
        self.console.summary(attribution_summary(tickets))
