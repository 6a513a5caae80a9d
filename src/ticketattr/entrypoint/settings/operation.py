"""What an operator is told: logs, figures, alerts."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .environment import Environment

LogFormat = Literal["text", "json"]

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


@dataclass(frozen=True, slots=True)
class LogSettings:
    """`format` is that of the file, and of stderr where that is no terminal; `level` that of the file alone."""

    file: Path | None = None
    format: LogFormat = "text"
    level: int = logging.INFO
    max_bytes: int = 0
    backups: int = 0

    @classmethod
    def read(cls, env: Environment) -> LogSettings:
        file = env.text("LOG_FILE")
        return cls(
            file=Path(file) if file else None,
            format="json" if env.choice("LOG_FORMAT", "text", ("text", "json")) == "json" else "text",
            level=_LEVELS.get(env.choice("LOG_LEVEL", "info", tuple(_LEVELS)), logging.INFO),
            max_bytes=env.whole("LOG_MAX_BYTES", 10_485_760, least=0),
            backups=env.whole("LOG_BACKUP_COUNT", 5, least=1, most=1000),
        )
