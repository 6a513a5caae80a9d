"""Progress, logs, summaries and errors on stderr. Results go to stdout.

On a terminal, rich prints them. Elsewhere they are plain lines or JSON, and rich is not loaded. Everything except
progress is a log record, so it is in the log file, too.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import TicketAttrError
from ...infrastructure.network.service_words import without_secrets
from ..settings.monitoring import LogSettings
from .log_lines import JSONLines, TextLines, UserMessage, plain, remove_secrets, user_message_of

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProgressBar:
    """A bar with a text before it. `update` takes the changes; without a terminal, it does nothing."""

    update: Callable[..., object] = lambda **changes: None

    def __call__(self, done: int, total: int | None) -> None:
        """Show that `done` of `total` are done; None if nobody knows how many there are."""
        self.update(completed=done, total=total)

    def describe(self, text: str) -> None:
        """Show another text. The next number belongs to it."""
        self.update(description=text)


@dataclass(frozen=True, slots=True)
class Console:
    """Output on stderr. `verbosity`: below 0 only errors, above 0 also debug logs."""

    verbosity: int

    def set_up_logging(self, settings: LogSettings) -> None:
        """Log our own records at the level of the verbosity and of the log file, and warnings of other libraries."""
        on_screen = _terminal_handler() if _is_terminal() else _stderr_handler(settings)
        on_screen.addFilter(self._shows)
        handlers = [on_screen, self._file_handler(settings.file, settings)] if settings.file else [on_screen]
        for handler in handlers:
            handler.addFilter(remove_secrets)
        logging.basicConfig(level=logging.WARNING, handlers=handlers, force=True)
        # The lowest level that any handler shows; each handler filters for itself.
        logging.getLogger("ticketattr").setLevel(min(self._level(), settings.level if settings.file else logging.INFO))

    def summary(self, text: str) -> None:
        """Print the last line of a stage, which the user can check. --quiet hides it."""
        log.info("%s", text, extra={"user_message": UserMessage()})

    def problem(self, text: str) -> None:
        """Print what the user has to deal with, even with --quiet."""
        log.warning("%s", text, extra={"user_message": UserMessage()})

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show a spinner with `text` until the block ends, on a terminal."""
        if not self._shows_progress:
            yield
            return
        with _rich().status(text):
            yield

    @contextmanager
    def progress(self, text: str) -> Iterator[ProgressBar]:
        """Show a progress bar with `text` until the block ends, on a terminal."""
        if not self._shows_progress:
            yield ProgressBar()
            return
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Bars(*columns, console=_rich(), transient=True) as bars:
            bar = bars.add_task(text, total=None)
            yield ProgressBar(partial(bars.update, bar))

    def _file_handler(self, path: Path, settings: LogSettings) -> logging.Handler:
        from ...infrastructure.monitoring.log_file import SharedLogFile

        handler = SharedLogFile(path, on_error=self.problem)
        handler.setLevel(settings.level)
        handler.setFormatter(_lines(settings, on_screen=False))
        return handler

    @property
    def _shows_progress(self) -> bool:
        return _is_terminal() and self.verbosity >= 0

    def _shows(self, record: logging.LogRecord) -> bool:
        if user_message_of(record):
            return self.verbosity >= 0 or record.levelno > logging.INFO
        return record.levelno >= self._level()

    def _level(self) -> int:
        if self.verbosity:
            return logging.DEBUG if self.verbosity > 0 else logging.ERROR
        # On a terminal, the progress bars show the same.
        return logging.WARNING if _is_terminal() else logging.INFO


def show_error(error: TicketAttrError) -> None:
    """Print an error and its hint."""
    log.error("%s", error, extra={"user_message": UserMessage("error: ", "bold red", error.hint)})


def show_bug() -> None:
    """Print the traceback of the exception that is being handled, without the secrets that its message may quote."""
    sys.stderr.write(without_secrets(traceback.format_exc()))


def _is_terminal() -> bool:
    return sys.stderr.isatty()


@cache
def _rich() -> RichConsole:
    from rich.console import Console as RichConsole

    return RichConsole(stderr=True, soft_wrap=True, highlight=False)


class _TerminalHandler(logging.Handler):
    """Prints through rich, so that lines appear above a progress bar and not inside it."""

    def emit(self, record: logging.LogRecord) -> None:
        from rich.text import Text

        message = user_message_of(record)
        if not message:
            _rich().print(Text(self.format(record)))
            return
        _rich().print(Text.assemble((message.label, message.style), plain(record.getMessage())))
        if message.hint:
            _rich().print(Text.assemble(("hint: ", "bold"), plain(message.hint)))


def _terminal_handler() -> logging.Handler:
    handler = _TerminalHandler()
    handler.setFormatter(TextLines(on_screen=True))
    return handler


def _stderr_handler(settings: LogSettings) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_lines(settings, on_screen=True))
    return handler


def _lines(settings: LogSettings, *, on_screen: bool) -> logging.Formatter:
    return JSONLines() if settings.format == "json" else TextLines(on_screen=on_screen)
