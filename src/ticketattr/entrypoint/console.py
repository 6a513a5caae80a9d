"""What a person or a log sees on stderr: progress, log lines, summaries, errors. Results go to stdout.

On a terminal all of it goes through rich; elsewhere it is plain lines, and rich is not even loaded.
"""

from __future__ import annotations

import getpass
import logging
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ..application.ports import Progress
from ..errors import TicketAttrError

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

# Control characters, and those that turn the direction of text: what a stranger wrote must not steer a terminal.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Console:
    """`verbosity`: below 0 only errors, above 0 debugging too."""

    verbosity: int

    def set_up_logging(self) -> None:
        """Ours at the level of the verbosity, other libraries' from warnings up."""
        handler = _terminal_handler() if _is_terminal() else logging.StreamHandler(sys.stderr)
        handler.setFormatter(_LineFormatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s"))
        logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
        logging.getLogger("ticketattr").setLevel(self._level())
        # Its warnings quote what a model answered.
        logging.getLogger("google_genai").setLevel(logging.ERROR)

    def summary(self, text: str) -> None:
        """The line at the end of a stage that a person can check."""
        if self.verbosity >= 0:
            _print(text)

    def problem(self, text: str) -> None:
        """What somebody has to see to, however quiet the program is to be."""
        _print(text)

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

    @property
    def _shows_progress(self) -> bool:
        return _is_terminal() and self.verbosity >= 0

    def _level(self) -> int:
        if self.verbosity:
            return logging.DEBUG if self.verbosity > 0 else logging.ERROR
        # On a terminal the bars tell the same.
        return logging.WARNING if _is_terminal() else logging.INFO


def show_error(error: TicketAttrError) -> None:
    _print(str(error), label="error: ", style="bold red")
    if error.hint:
        _print(error.hint, label="hint: ", style="bold")


def login_name() -> str:
    """Who runs the program, as far as the system says."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def plain(text: str) -> str:
    """`text` with whatever could steer a terminal or forge a log line spelled out."""
    return _STEERING.sub(lambda match: match.group().encode("unicode_escape", "surrogatepass").decode(), text)


def _print(text: str, *, label: str = "", style: str = "") -> None:
    if not _is_terminal():
        print(label + plain(text), file=sys.stderr)
        return
    from rich.text import Text

    _rich().print(Text.assemble((label, style), plain(text)))


def _is_terminal() -> bool:
    return sys.stderr.isatty()


@cache
def _rich() -> RichConsole:
    from rich.console import Console as RichConsole

    return RichConsole(stderr=True, soft_wrap=True, highlight=False)


def _terminal_handler() -> logging.Handler:
    from rich.highlighter import NullHighlighter
    from rich.logging import RichHandler

    # Through rich, so that lines appear above a bar and not in it.
    return RichHandler(
        console=_rich(),
        show_time=False,
        show_level=False,
        show_path=False,
        highlighter=NullHighlighter(),
        keywords=[],
    )


class _LineFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = ""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return plain(super().formatMessage(record))
