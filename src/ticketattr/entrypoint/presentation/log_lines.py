"""Log records as lines: what happened, in which run and stage. Exceptions are told without their messages.

JSON: {"time": "…Z", "level", "logger", "message", "run_id", "stage"}, and where there are some: "hint", and
at the end of a stage "duration" (seconds) and "counts".
"""

from __future__ import annotations

import logging
import re
import time
import traceback
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeAlias

from ...application.run_progress import current_run, current_stage
from ...domain.sanitizing import truncate

_LONGEST = 10_000
"""Of a message, in UTF-16 units: what a stranger made long would push everything else out of a log."""

# Control characters, and those that turn the direction of text: what a stranger wrote must not steer a terminal.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

ExceptionInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


@dataclass(frozen=True, slots=True)
class Said:
    """Goes with a record that a person is to read as it stands. `style` is that of its label, on a terminal."""

    label: str = ""
    style: str = ""
    hint: str = ""


def said(record: logging.LogRecord) -> Said | None:
    return getattr(record, "said", None)


def plain(text: str) -> str:
    """`text` with whatever could steer a terminal or forge a log line spelled out."""
    return _STEERING.sub(lambda match: match.group().encode("unicode_escape", "surrogatepass").decode(), text)


class _Lines(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def words(self, record: logging.LogRecord) -> str:
        return truncate(record.getMessage(), _LONGEST)

    def formatException(self, ei: ExceptionInfo) -> str:
        """Where it came up. Its message may quote whatever was at hand: tickets, addresses, secrets."""
        kind, _, trace = ei
        frames = "; ".join(f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(trace))
        return plain(f"{kind.__name__ if kind else 'exception'} at {frames}")


class TextLines(_Lines):
    """For people, and for `grep`."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = ""

    def __init__(self, *, says_bare: bool) -> None:
        """`says_bare`: what a person is to read stands there as it is, without time and place."""
        super().__init__()
        self._says_bare = says_bare

    def format(self, record: logging.LogRecord) -> str:
        words, told = self.words(record), said(record)
        if told and self._says_bare:
            return "\n".join([told.label + plain(words), *([f"hint: {plain(told.hint)}"] if told.hint else [])])
        if told and told.hint:
            words = f"{words} ({told.hint})"
        if record.exc_info:
            words = f"{words}: {self.formatException(record.exc_info)}"
        place = " ".join(filter(None, (current_run.get(), current_stage.get())))
        where = f"{record.name} [{place}]" if place else record.name
        return plain(f"{self.formatTime(record)}Z {record.levelname} {where}: {words}")


class JSONLines(_Lines):
    """For machines."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        import json

        line: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self.words(record),
            "run_id": current_run.get(),
            "stage": current_stage.get(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if told := said(record):
            line |= {"hint": told.hint} if told.hint else {}
        line |= {name: vars(record)[name] for name in ("duration", "counts") if name in vars(record)}
        return json.dumps(line)
