"""Settings of the log file, the metrics and the alerts."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from .environment import Environment
from .report_tracker import ReportTrackerSettings

LogFormat = Literal["text", "json"]

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
# Between two URLs. A comma may also be a part of a URL.
_BETWEEN_URLS = re.compile(r"[,\s]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """`format` holds for the file, and for stderr unless it is a terminal. `level` holds for the file only."""

    file: Path | None = None
    format: LogFormat = "text"
    level: int = logging.INFO

    @classmethod
    def read(cls, env: Environment) -> LogSettings:
        """Read the settings; `env` collects those that are wrong."""
        file = env.written_or_read_file("LOG_FILE")
        return cls(
            file=Path(file) if file else None,
            format="json" if env.choice("LOG_FORMAT", "text", ("text", "json")) == "json" else "text",
            level=_LEVELS.get(env.choice("LOG_LEVEL", "info", tuple(_LEVELS)), logging.INFO),
        )


@dataclass(frozen=True, slots=True)
class MonitoringSettings:
    """Where the run history is kept, where metrics are published and where alerts are sent."""

    tracker: ReportTrackerSettings
    textfile: Path | None
    push_url: str = field(repr=False)
    alert_urls: tuple[str, ...] = field(repr=False)

    @property
    def is_enabled(self) -> bool:
        """Whether metrics or alerts are set. Otherwise no run history is kept."""
        return bool(self.textfile or self.push_url or self.alert_urls)

    @classmethod
    def read(cls, env: Environment) -> MonitoringSettings:
        """Read the settings; `env` collects those that are wrong."""
        return cls(
            tracker=ReportTrackerSettings.read(env),
            textfile=_textfile(env),
            push_url=_push_url(env),
            alert_urls=_alert_urls(env),
        )


def _textfile(env: Environment) -> Path | None:
    path = env.text("METRICS_TEXTFILE", may_be_path=True)
    if path and not path.endswith(".prom"):
        env.wrong.append("METRICS_TEXTFILE does not end in .prom, and node_exporter only reads such files")
    return Path(path) if path else None


def _push_url(env: Environment) -> str:
    url = env.optional_secret("METRICS_PUSH_URL")
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if url and not is_valid:
        env.wrong.append("METRICS_PUSH_URL is not an http(s) URL")
    return url if is_valid else ""


def _alert_urls(env: Environment) -> tuple[str, ...]:
    text = env.optional_secret("ALERT_URLS")
    parts = [part for part in _BETWEEN_URLS.split(text) if part]
    urls = tuple(part for part in parts if _URL.fullmatch(part))
    if len(urls) < len(parts):
        # The text itself is not shown, because it may be a token.
        number = next(number for number, part in enumerate(parts, start=1) if part not in urls)
        env.wrong.append(f"ALERT_URLS: number {number} is not a URL")
    return urls if not urls or env.has_extra("alerts", "apprise", "ALERT_URLS") else ()
