"""Log records as lines of text or JSON, with run and stage. Exceptions appear without their messages.

JSON: {"time": "…Z", "level", "logger", "message", "run_id", "stage"}. Errors may have a "hint". The end of a stage has
"duration" (seconds) and "counts".
"""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, TypeAlias

from ...application.run_progress import current_run, current_stage
from ...domain.sanitizing import truncate
from ...infrastructure.network.service_words import without_secrets

_LONGEST = 10_000
"""The longest message, in UTF-16 units. A very long one from outside would push everything else out of the log."""

# Control characters, and characters that change the direction of text. Text from outside must not control a terminal.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

ExceptionInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


@dataclass(frozen=True, slots=True)
class UserMessage:
    """Marks a log record as a message for the user. On the screen it appears after `label`, without time and logger.

    `style` is the rich style of the label, on a terminal.
    """

    label: str = ""
    style: str = ""
    hint: str = ""


def remove_secrets(record: logging.LogRecord) -> bool:
    """Filter that takes the secrets of the settings out of `record`, whoever wrote them there; it drops no record."""
    try:
        text = record.getMessage()
    except (TypeError, ValueError, KeyError):  # a mistake of who wrote the record, which the handler reports
        return True
    record.msg, record.args = without_secrets(text), None
    if message := user_message_of(record):
        record.user_message = replace(message, hint=without_secrets(message.hint))
    return True


def user_message_of(record: logging.LogRecord) -> UserMessage | None:
    """The mark of a record that is a message for the user; None for any other record.

    Adapters do not know how messages look: they mark a record with `for_user`.
    """
    return getattr(record, "user_message", UserMessage() if getattr(record, "for_user", False) else None)


def plain(text: str) -> str:
    """`text` with escape sequences in place of characters that could control a terminal or forge a log line."""
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape", "surrogatepass").decode(), text)


class _Lines(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def message(self, record: logging.LogRecord) -> str:
        """The message of the record, cut if it is too long."""
        return truncate(record.getMessage(), _LONGEST)

    def formatException(self, ei: ExceptionInfo) -> str:
        """The type of the exception and where it was raised. Its message may quote tickets, addresses or secrets."""
        kind, _, trace = ei
        frames = "; ".join(f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(trace))
        return plain(f"{kind.__name__ if kind else 'exception'} at {frames}")


class TextLines(_Lines):
    """Lines of text, for people and for `grep`."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = ""

    def __init__(self, *, on_screen: bool) -> None:
        """`on_screen`: show messages for the user as they are, without time and logger."""
        super().__init__()
        self._on_screen = on_screen

    def format(self, record: logging.LogRecord) -> str:
        text, message = self.message(record), user_message_of(record)
        if message and self._on_screen:
            return "\n".join([message.label + plain(text), *([f"hint: {plain(message.hint)}"] if message.hint else [])])
        if message and message.hint:
            text = f"{text} ({message.hint})"
        if record.exc_info:
            text = f"{text}: {self.formatException(record.exc_info)}"
        place = " ".join(filter(None, (current_run.get(), current_stage.get())))
        where = f"{record.name} [{place}]" if place else record.name
        return plain(f"{self.formatTime(record)}Z {record.levelname} {where}: {text}")


class JSONLines(_Lines):
    """Lines of JSON, for programs."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self.message(record),
            "run_id": current_run.get(),
            "stage": current_stage.get(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if message := user_message_of(record):
            line |= {"hint": message.hint} if message.hint else {}
        line |= {name: vars(record)[name] for name in ("duration", "counts") if name in vars(record)}
        return json.dumps(line)
