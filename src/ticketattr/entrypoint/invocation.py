"""What every command starts from: the options before its name, and its settings under them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..application.ports import Clock, Run
from ..application.run_progress import RunProgress, current_run
from ..domain.run_id import new_run_id
from ..domain.ticket import AttributedTicket
from ..domain.usage import Bill
from .presentation.console import Console
from .presentation.summaries import attribution_summary, bill_summary
from .settings.classifier import ClassifierName
from .settings.environment import Environment, reading
from .settings.monitoring import LogSettings, MonitoringSettings
from .settings.unknown_settings import unknown_settings
from .settings.values import Values, read_values

log = logging.getLogger(__name__)

MONITORED = ("run", "send")
"""Commands whose outcome is recorded, published as metrics and reported as alerts.

The same as `domain.run_history.Command`, which is not imported here because it is not needed for most commands.
"""


@dataclass(slots=True)
class Invocation:
    """What the options before the command say, and what the command does under them.

    `monitoring` is set once a monitored command has read its settings, even if some of them are wrong.
    """

    console: Console
    env_files: tuple[Path, ...]
    clock: Clock
    run_progress: RunProgress
    monitoring: MonitoringSettings | None = None
    _told: set[str] = field(default_factory=set, init=False, repr=False)

    @contextmanager
    def reading(self, command: str, classifier: ClassifierName | None = None) -> Iterator[Environment]:
        """The settings of `command`, under the flag that was given; from here on, its log is what they say."""
        with reading(self.values(classifier), command) as env:
            self.console.set_up_logging(LogSettings.read(env))
            if command in MONITORED:
                self.monitoring = MonitoringSettings.read(env)
            yield env

    def values(self, classifier: ClassifierName | None = None) -> Values:
        """All that is set anywhere, with one warning of each name that looks like a setting and is none."""
        values = self.unwarned_values(classifier)
        for remark in map(str, unknown_settings(values)):
            if remark not in self._told:
                self._told.add(remark)
                log.warning("%s", remark)
        return values

    def unwarned_values(self, classifier: ClassifierName | None = None) -> Values:
        return read_values(self.env_files, {"CLASSIFIER": classifier} if classifier else {})

    def new_run(self) -> Run:
        """Whatever is logged from here on belongs to it."""
        run = Run(new_run_id(self.clock()), self.clock)
        current_run.set(run.id)
        return run

    def summarize(self, tickets: Sequence[AttributedTicket], bill: Bill) -> None:
        if bill.usage.calls:
            self.console.summary(bill_summary(bill))
        self.console.summary(attribution_summary(tickets))
