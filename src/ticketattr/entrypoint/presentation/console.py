"""What a person or a log sees on stderr: progress, log lines, summaries, errors. Results go to stdout.

On a terminal all of it goes through rich; elsewhere it is plain lines, or JSON, and rich is not even loaded. All but
progress are log records, so that a log file has them too.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...application.ports import Progress
from ...errors import TicketAttrError
from ..settings.monitoring import LogSettings
from .log_lines import JSONLines, Said, TextLines, plain, said

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Console:
    """`verbosity`: below 0 only errors, above 0 debugging too."""

    verbosity: int

    def set_up_logging(self, settings: LogSettings) -> None:
        """Ours at the level of the verbosity (and of the log file), other libraries' from warnings up."""
        on_screen = _terminal_handler() if _is_terminal() else _stderr_handler(settings)
        on_screen.addFilter(self._shows)
        handlers = [on_screen, self._file_handler(settings.file, settings)] if settings.file else [on_screen]
        logging.basicConfig(level=logging.WARNING, handlers=handlers, force=True)
        # What nobody shows, its handler keeps back.
        logging.getLogger("ticketattr").setLevel(min(self._level(), settings.level if settings.file else logging.INFO))
        # Its warnings quote what a model answered.
        logging.getLogger("google_genai").setLevel(logging.ERROR)

    def summary(self, text: str) -> None:
        """The line at the end of a stage that a person can check."""
        log.info("%s", text, extra={"said": Said()})

    def problem(self, text: str) -> None:
        """What somebody has to see to, however quiet the program is to be."""
        log.warning("%s", text, extra={"said": Said()})

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """A spinner, on a terminal."""
        if not self._shows_progress:
            yield
            return
        with _rich().status(text):
            yield

    @contextmanager
    def progress(self, text: str) -> Iterator[Progress]:
        """A bar over batches, on a terminal."""
        if not self._shows_progress:
            yield lambda done, total: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Bars(*columns, console=_rich(), transient=True) as bars:
            bar = bars.add_task(text, total=None)
            yield lambda done, total: bars.update(bar, completed=done, total=total)

    def _file_handler(self, path: Path, settings: LogSettings) -> logging.Handler:
        from ...infrastructure.monitoring.log_file import SharedLogFile

        handler = SharedLogFile(path, max_bytes=settings.max_bytes, backups=settings.backups, on_error=self.problem)
        handler.setLevel(settings.level)
        handler.setFormatter(_lines(settings, says_bare=False))
        return handler

    @property
    def _shows_progress(self) -> bool:
        return _is_terminal() and self.verbosity >= 0

    def _shows(self, record: logging.LogRecord) -> bool:
        if said(record):
            return self.verbosity >= 0 or record.levelno > logging.INFO
        return record.levelno >= self._level()

    def _level(self) -> int:
        if self.verbosity:
            return logging.DEBUG if self.verbosity > 0 else logging.ERROR
        # On a terminal the bars tell the same.
        return logging.WARNING if _is_terminal() else logging.INFO


def show_error(error: TicketAttrError) -> None:
    log.error("%s", error, extra={"said": Said("error: ", "bold red", error.hint)})


def _is_terminal() -> bool:
    return sys.stderr.isatty()


@cache
def _rich() -> RichConsole:
    from rich.console import Console as RichConsole

    return RichConsole(stderr=True, soft_wrap=True, highlight=False)


class _TerminalHandler(logging.Handler):
    """Through rich, so that lines appear above a bar and not in it."""

    def emit(self, record: logging.LogRecord) -> None:
        from rich.text import Text

        told = said(record)
        if not told:
            _rich().print(Text(self.format(record)))
            return
        _rich().print(Text.assemble((told.label, told.style), plain(record.getMessage())))
        if told.hint:
            _rich().print(Text.assemble(("hint: ", "bold"), plain(told.hint)))


def _terminal_handler() -> logging.Handler:
    handler = _TerminalHandler()
    handler.setFormatter(TextLines(says_bare=True))
    return handler


def _stderr_handler(settings: LogSettings) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_lines(settings, says_bare=True))
    return handler


def _lines(settings: LogSettings, *, says_bare: bool) -> logging.Formatter:
    return JSONLines() if settings.format == "json" else TextLines(says_bare=says_bare)
