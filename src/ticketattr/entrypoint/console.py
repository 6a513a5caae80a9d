"""What a person or a log sees on stderr: progress, log lines, summaries, errors. Results go to stdout."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console as RichConsole
from rich.text import Text

from ..application.ports import Progress
from ..errors import TicketAttrError

# Control characters, and those that turn the direction of text: what a stranger wrote must not steer a terminal.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Console:
    """`verbosity`: below 0 only errors, above 0 debugging too."""

    verbosity: int
    _err: RichConsole = field(default_factory=lambda: RichConsole(stderr=True, soft_wrap=True, highlight=False))

    def set_up_logging(self) -> None:
        """Ours at the level of the verbosity, other libraries' from warnings up."""
        handler = self._terminal_handler() if self._err.is_terminal else logging.StreamHandler(self._err.file)
        handler.setFormatter(_LineFormatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s"))
        logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
        logging.getLogger("ticketattr").setLevel(self._level())
        # Its warnings quote what a model answered.
        logging.getLogger("google_genai").setLevel(logging.ERROR)

    def summary(self, text: str) -> None:
        """The line at the end of a stage that a person can check."""
        if self.verbosity >= 0:
            self._err.print(Text(plain(text)))

    def error(self, error: TicketAttrError) -> None:
        self._err.print(Text.assemble(("error: ", "bold red"), plain(str(error))))
        if error.hint:
            self._err.print(Text.assemble(("hint: ", "bold"), plain(error.hint)))

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """A spinner, on a terminal."""
        if not self._shows_progress:
            yield
            return
        with self._err.status(text):
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
        with Bars(*columns, console=self._err, transient=True) as bars:
            bar = bars.add_task(text, total=None)
            yield lambda done, total: bars.update(bar, completed=done, total=total)

    @property
    def _shows_progress(self) -> bool:
        return self._err.is_terminal and self.verbosity >= 0

    def _level(self) -> int:
        if self.verbosity:
            return logging.DEBUG if self.verbosity > 0 else logging.ERROR
        # On a terminal the bars tell the same.
        return logging.WARNING if self._err.is_terminal else logging.INFO

    def _terminal_handler(self) -> logging.Handler:
        from rich.highlighter import NullHighlighter
        from rich.logging import RichHandler

        # Through rich, so that lines appear above a bar and not in it.
        return RichHandler(
            console=self._err,
            show_time=False,
            show_level=False,
            show_path=False,
            highlighter=NullHighlighter(),
            keywords=[],
        )


def plain(text: str) -> str:
    """`text` with whatever could steer a terminal or forge a log line spelled out."""
    return _STEERING.sub(lambda match: match.group().encode("unicode_escape", "surrogatepass").decode(), text)


class _LineFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = ""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return plain(super().formatMessage(record))
