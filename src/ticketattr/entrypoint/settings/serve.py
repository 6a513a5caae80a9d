"""Settings of the service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from ipaddress import ip_network

from ...domain.time_zones import time_zone
from .environment import Environment
from .report_tracker import ReportTrackerSettings

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Where the service listens, who may reach it, and when it starts runs.

    `hosts` are the names that the header Host may have; `root_path` is the path under which a reverse proxy shows the
    service (empty: none). From `proxies` (addresses), `user_header` is believed (empty: no header is). `cron` is the
    schedule until somebody changes it (empty: none). Metrics have a listener of their own (port 0: none).
    """

    tracker: ReportTrackerSettings
    host: str
    port: int
    hosts: tuple[str, ...]
    root_path: str
    proxies: tuple[str, ...]
    user_header: str
    cron: str
    time_zone: tzinfo
    metrics_host: str
    metrics_port: int

    @classmethod
    def read(cls, env: Environment) -> ServeSettings:
        """The settings, with everything missing or wrong recorded in `env`."""
        host = env.text("SERVE_HOST", "127.0.0.1")
        return cls(
            tracker=ReportTrackerSettings.read(env),
            host=host,
            port=env.whole("SERVE_PORT", 8765, least=1, most=65535),
            hosts=tuple(dict.fromkeys((*_LOOPBACK, host, *_words(env.text("SERVE_ALLOWED_HOSTS"))))),
            root_path=_root_path(env),
            proxies=_proxies(env),
            user_header=env.text("SERVE_USER_HEADER"),
            cron=env.text("RUN_SCHEDULE"),
            time_zone=time_zone(env.time_zone("TIME_ZONE", "UTC")),
            metrics_host=env.text("METRICS_HOST", "127.0.0.1"),
            metrics_port=env.whole("METRICS_PORT", 9765, least=0, most=65535),
        )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip().lower() for word in text.split(",") if word.strip())


def _root_path(env: Environment) -> str:
    path = env.text("SERVE_ROOT_PATH").rstrip("/")
    if path and not path.startswith("/"):
        env.wrong.append(f"SERVE_ROOT_PATH does not begin with a slash: {path}")
    return path


def _proxies(env: Environment) -> tuple[str, ...]:
    addresses = _words(env.text("SERVE_TRUSTED_PROXIES"))
    for address in addresses:
        if not _is_network(address):
            env.wrong.append(f"SERVE_TRUSTED_PROXIES contains something that is not an address: {address}")
    if env.text("SERVE_USER_HEADER") and not addresses:
        env.wrong.append("SERVE_USER_HEADER needs SERVE_TRUSTED_PROXIES: the addresses from which it is believed")
    return addresses


def _is_network(address: str) -> bool:
    try:
        ip_network(address)
    except ValueError:
        return False
    return True
