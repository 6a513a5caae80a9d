"""Serves the application until a signal ends it, and tells systemd how it is."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from ...application.ports import ReportLogMaintenance
from ...application.report_tracker import ReportTracker
from ...application.service.runs import Service
from ...domain.report_status import ReportStatus
from ...errors import ServiceError, SettingsError
from ..settings.serve import ServeSettings
from .app import build_app
from .parts import Cached, Parts, folder_version

_GRACE = 10


def serve(
    settings: ServeSettings,
    service: Service,
    tracker: ReportTracker,
    log: ReportLogMaintenance,
    ready: Callable[[], None],
) -> None:
    """Answer requests and start runs until SIGTERM or SIGINT; `ready` is called once the service listens.

    Requests in progress have 10 seconds to end, runs go on. Raises SettingsError or ServiceError if the service cannot
    listen, and SettingsError if it would listen beyond this machine while there is no token.
    """
    if not settings.is_local and not any(token.is_valid(service.clock()) for token in service.state.tokens()):
        raise SettingsError(
            f"the service does not listen on {settings.host}, because there is no valid token",
            hint="Create one with `ticketattr token create NAME --scope operate`, or leave SERVE_HOST unset.",
        )
    listener = _listener(settings)
    folders = settings.tracker.folders
    log_file = folders.report_log

    def newest_first() -> list[ReportStatus]:
        return sorted(
            tracker.statuses(), key=lambda status: (status.report.modified, status.report.sha256), reverse=True
        )

    reports = Cached(
        newest_first,
        lambda: folder_version(folders.output, log_file, log_file.with_name(f"{log_file.name}-wal")),
        time.monotonic,
    )
    app = build_app(Parts(service, settings, tracker, log, reports))
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `guard` believes the proxies that are listed, and no others
        timeout_keep_alive=15,
        timeout_graceful_shutdown=_GRACE,
        limit_concurrency=1000,
    )
    asyncio.run(_serve(_Server(config), listener, ready))


class _Server(uvicorn.Server):
    """A server that ends at SIGTERM and SIGINT, and does not raise the signal again: this is its normal end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _serve(server: uvicorn.Server, listener: socket.socket, ready: Callable[[], None]) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.02)
    if server.started:
        ready()
        notify("READY=1")
    while not serving.done():
        notify("WATCHDOG=1")
        await asyncio.wait([serving], timeout=_watchdog_interval())
    notify("STOPPING=1")
    await serving


def notify(state: str) -> None:
    """Tell systemd `state`, as sd_notify(3) does; does nothing where systemd did not start the process."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        channel.sendall(state.encode())


def _watchdog_interval() -> float:
    """Seconds between two signs of life: a third of what systemd waits for, at most 10."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return min(10.0, int(microseconds) / 3_000_000) if microseconds.isdecimal() and int(microseconds) else 10.0


def _listener(settings: ServeSettings) -> socket.socket:
    """The socket that systemd passed on, or a new one."""
    if os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1":
        return socket.socket(fileno=3)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise ServiceError(
            f"the service cannot listen on {settings.host}:{settings.port}: {error.strerror or error}",
            hint="Set SERVE_HOST and SERVE_PORT, or end the program that uses the port.",
        ) from error
    return listener
