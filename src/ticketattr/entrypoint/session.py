"""What every command starts from: the options before its name, and its settings under them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..application.ports import Clock, Run
from ..domain.ticket import AttributedTicket
from ..domain.usage import Bill
from .console import Console
from .settings.environment import Environment, reading
from .settings.values import read_values
from .summaries import attribution_summary, bill_summary


class ClassifierChoice(str, Enum):
    gemini = "gemini"
    offline = "offline"
    cascade = "cascade"


@dataclass(frozen=True, slots=True)
class Session:
    """What the options before the command say."""

    console: Console
    env_file: Path | None
    clock: Clock

    @contextmanager
    def reading(self, command: str, classifier: ClassifierChoice | None = None) -> Iterator[Environment]:
        """The settings of `command`, under the flag that was given."""
        flags = {"CLASSIFIER": classifier.value} if classifier else {}
        with reading(read_values(self.env_file, flags), command) as env:
            yield env

    def new_run(self) -> Run:
        from ..domain.operation import new_run_id

        return Run(new_run_id(self.clock()), self.clock)

    def summarize(self, tickets: Sequence[AttributedTicket], bill: Bill) -> None:
        if bill.usage.calls:
            self.console.summary(bill_summary(bill))
        self.console.summary(attribution_summary(tickets))
