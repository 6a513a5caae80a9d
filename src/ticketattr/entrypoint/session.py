"""What every command starts from: the options before its name, and its settings under them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from ..application.ports import Clock, Run
from ..domain.ticket import AttributedTicket
from ..domain.usage import Bill
from .console import Console
from .settings.environment import Environment, reading
from .settings.names import strange_names
from .settings.values import Values, read_values
from .summaries import attribution_summary, bill_summary

log = logging.getLogger(__name__)


class ClassifierChoice(str, Enum):
    gemini = "gemini"
    offline = "offline"
    cascade = "cascade"


@dataclass(frozen=True, slots=True)
class Session:
    """What the options before the command say."""

    console: Console
    env_files: tuple[Path, ...]
    clock: Clock
    _told: set[str] = field(default_factory=set, init=False, repr=False)

    @contextmanager
    def reading(self, command: str, classifier: ClassifierChoice | None = None) -> Iterator[Environment]:
        """The settings of `command`, under the flag that was given."""
        with reading(self.values(classifier), command) as env:
            yield env

    def values(self, classifier: ClassifierChoice | None = None) -> Values:
        """All that is set anywhere, with one warning of each name that looks like a setting and is none."""
        values = self.unwarned_values(classifier)
        for remark in map(str, strange_names(values)):
            if remark not in self._told:
                self._told.add(remark)
                log.warning("%s", remark)
        return values

    def unwarned_values(self, classifier: ClassifierChoice | None = None) -> Values:
        return read_values(self.env_files, {"CLASSIFIER": classifier.value} if classifier else {})

    def new_run(self) -> Run:
        from ..infrastructure.artifacts import new_run_id

        return Run(new_run_id(self.clock()), self.clock)

    def summarize(self, tickets: Sequence[AttributedTicket], bill: Bill) -> None:
        if bill.usage.calls:
            self.console.summary(bill_summary(bill))
        self.console.summary(attribution_summary(tickets))
