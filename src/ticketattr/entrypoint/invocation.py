"""What a command starts with: the options of the program, and the settings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..application.ports import Clock, Run
from ..application.run_progress import RunProgress, current_run, current_stage
from ..domain.run_id import new_run_id
from ..domain.ticket import AttributedTicket
from ..domain.usage import Bill
from ..errors import SettingsError
from ..infrastructure.network.service_words import forget_secrets
from .presentation.console import Console
from .presentation.summaries import attribution_summary, bill_summary
from .settings.classifier import ClassifierName
from .settings.environment import Environment, reading
from .settings.monitoring import LogSettings, MonitoringSettings
from .settings.unknown_settings import cut_settings, unknown_settings
from .settings.values import Values, read_values

log = logging.getLogger(__name__)

MONITORED = ("run", "send")
"""Commands whose outcome is recorded, published as metrics and reported as alerts.

The same as `domain.run_history.Command`, which is not imported here because it is not needed for most commands.
"""


@dataclass(slots=True)
class Invocation:
    """One call of the program: its options, and the progress of its command.

    `monitoring` is set once a monitored command has read its settings, even if some of them are wrong.
    """

    clock: Clock
    run_progress: RunProgress
    monitoring: MonitoringSettings | None = None
    env_files: tuple[Path, ...] = ()
    verbose: bool = False
    quiet: bool = False
    console: Console = field(default=Console(0), init=False)
    _warned_about: set[str] = field(default_factory=set, init=False, repr=False)

    def add_options(self, *, env_file: Sequence[Path | str] = (), verbose: bool = False, quiet: bool = False) -> None:
        """Take over options of the program, which may stand before and after the command. Raises SettingsError."""
        # Options that follow the command are still strings in Typer 0.26.
        self.env_files = (*self.env_files, *map(Path, env_file))
        self.verbose |= verbose
        self.quiet |= quiet
        self.console = Console(verbosity=self.verbose - self.quiet)
        self.console.set_up_logging(LogSettings())
        if self.verbose and self.quiet:
            raise SettingsError("-v and -q exclude each other", hint="Leave one of them out.")

    @contextmanager
    def reading(self, command: str, classifier: ClassifierName | None = None) -> Iterator[Environment]:
        """The settings of `command`. Logging follows them from now on; `classifier` overrides CLASSIFIER.

        Raises SettingsError when the block ends, for everything that is missing or wrong.
        """
        with reading(self.values(classifier), command) as env:
            self.console.set_up_logging(LogSettings.read(env))
            if command in MONITORED:
                self.monitoring = MonitoringSettings.read(env)
            yield env

    def values(self, classifier: ClassifierName | None = None) -> Values:
        """The values of all settings. Logs one warning for each unknown name that looks like a setting."""
        values = self.unwarned_values(classifier)
        for warning in map(str, (*unknown_settings(values), *cut_settings(values))):
            if warning not in self._warned_about:
                self._warned_about.add(warning)
                log.warning("%s", warning)
        return values

    def unwarned_values(self, classifier: ClassifierName | None = None) -> Values:
        """The values of all settings, without any warning."""
        return read_values(self.env_files, {"CLASSIFIER": classifier} if classifier else {})

    def new_run(self) -> Run:
        """A new run; every log line from now on carries its id."""
        run = Run(new_run_id(self.clock()), self.clock)
        current_run.set(run.id)
        return run

    def summarize(self, tickets: Sequence[AttributedTicket], bill: Bill) -> None:
        """Print how many tickets were attributed, and what the model cost if it was called."""
        if bill.usage.calls:
            self.console.summary(bill_summary(bill))
        self.console.summary(attribution_summary(tickets))


def begin(command: str, clock: Clock, timer: Callable[[], float]) -> Invocation:
    """A new invocation, which knows nothing of those before it in the same process."""
    forget_secrets()
    current_run.set("")
    current_stage.set(command)
    return Invocation(clock, RunProgress(timer))
