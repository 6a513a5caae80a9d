"""Serves the application until a signal ends it, and tells systemd how it is."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from ...application.ports import ChangeLedger, ReportLogMaintenance
from ...application.report_store import ReportStore
from ...application.report_tracker import ReportTracker
from ...application.service.chat import ChatDesk, ChatFiles, ChatPlatform
from ...application.service.review import Reviewing
from ...application.service.runs import Service
from ...domain.chat import AllowedSender
from ...domain.report_status import ReportStatus
from ...domain.run_history import RunHistory
from ...errors import ServiceError, SettingsError
from ..chat.loop import serve_chat
from ..presentation.listing import DELIVERY_FIELDS, csv_file, delivery_rows, flat
from ..settings.mail import is_loopback
from ..settings.serve import ServeSettings
from .app import build_app
from .downloads import clear_downloads
from .metrics import metrics_app
from .parts import Cached, Parts, downloads_of, folder_version, random_secret, shown_line, waiting_for_review
from .slow_clients import LimitedProtocol
from .stored_reports import StoredReports, keep_listing

_GRACE = 10
_FIRST_PASSED = 3  # sd_listen_fds(3)


@dataclass(frozen=True, slots=True)
class ChatParts:
    """The chat platforms, and who may send commands."""

    platforms: Sequence[ChatPlatform]
    allowed: Sequence[AllowedSender]


def serve(
    settings: ServeSettings,
    service: Service,
    tracker: ReportTracker,
    log: ReportLogMaintenance,
    read_history: Callable[[], RunHistory | None],
    reviewing: Reviewing,
    ledger: ChangeLedger,
    write_page: Callable[[str, Path], None],
    store: ReportStore | None,
    chat: ChatParts | None,
    ready: Callable[[], None],
) -> None:
    """Answer requests and start runs until SIGTERM or SIGINT; `ready` is called once the service listens.

    Requests in progress have 10 seconds to end, runs go on. Raises SettingsError or ServiceError if the service cannot
    listen, and SettingsError if it would listen beyond this machine while there is no token.
    """
    inherited = _inherited_listener()
    host = str(inherited.getsockname()[0]) if inherited else settings.host
    if not is_loopback(host) and not any(token.is_valid(service.clock()) for token in service.state.tokens()):
        raise SettingsError(
            f"the service does not listen on {host}, because there is no valid token",
            hint="Create one with `ticketattr token create NAME --scope operate`, or leave SERVE_HOST unset.",
        )
    reports = _reports(tracker, log, settings)
    tasks = [_chat_task(chat, service, tracker, reports, store)] if chat else []
    stored = StoredReports([])
    if store:
        tasks.append(partial(keep_listing, stored, store, service.clock))
    changes = Cached(ledger.changes, ledger.version, time.monotonic)
    platforms = [platform.name for platform in chat.platforms] if chat else []
    to_review = waiting_for_review(reviewing, service.clock, time.monotonic)
    of_runs = (tracker, log, reports, reviewing, to_review, changes, write_page)
    parts = Parts(service, settings, *of_runs, store, stored, tasks, platforms)
    clear_downloads(downloads_of(parts))
    listeners: list[tuple[ASGIApp, socket.socket]] = [
        (build_app(parts), inherited or _listener(settings.host, settings.port, "SERVE"))
    ]
    if settings.metrics_port:
        metrics = _listener(settings.metrics_host, settings.metrics_port, "METRICS")
        listeners.append((metrics_app(parts, read_history), metrics))
    asyncio.run(_serve([(_Server(_config(app)), listener) for app, listener in listeners], ready))


def _chat_task(
    chat: ChatParts,
    service: Service,
    tracker: ReportTracker,
    reports: Cached[list[ReportStatus]],
    store: ReportStore | None,
) -> Callable[[], Awaitable[None]]:
    def deliveries() -> bytes:
        rows = [flat(row) for row in delivery_rows(tracker.report_history(), service.clock())]
        return csv_file(rows, DELIVERY_FIELDS).encode("utf-8-sig")

    files = ChatFiles(reports.get, deliveries, shown_line, store)
    sizes = {platform.name: platform.max_file for platform in chat.platforms}
    desk = ChatDesk(service, chat.allowed, files, random_secret, sizes)
    return lambda: serve_chat(desk, chat.platforms)


def _reports(tracker: ReportTracker, log: ReportLogMaintenance, settings: ServeSettings) -> Cached[list[ReportStatus]]:
    """The reports, newest first."""
    output = settings.tracker.folders.output

    def newest_first() -> list[ReportStatus]:
        def age(status: ReportStatus) -> tuple[datetime, str]:
            return status.report.modified, status.report.sha256

        return sorted(tracker.statuses(), key=age, reverse=True)

    def version() -> object:
        return folder_version(output), log.version()

    return Cached(newest_first, version, time.monotonic)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=LimitedProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `guard` believes the proxies that are listed, and no others
        timeout_keep_alive=15,
        timeout_graceful_shutdown=_GRACE,
        limit_concurrency=1000,
    )


class _Server(uvicorn.Server):
    """A server that leaves signals to `_serve`, and does not raise them again when it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(servers: Sequence[tuple[_Server, socket.socket]], ready: Callable[[], None]) -> None:
    def end() -> None:
        for server, _ in servers:
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    serving = asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in servers))
    while not all(server.started for server, _ in servers) and not serving.done():
        await asyncio.sleep(0.02)
    if not serving.done():
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


def _inherited_listener() -> socket.socket | None:
    """The socket that systemd passed on; None if it passed none."""
    if os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1":
        return socket.socket(fileno=_FIRST_PASSED)
    return None


def _listener(host: str, port: int, prefix: str) -> socket.socket:
    """A socket that listens. Raises ServiceError, which names the settings that begin with `prefix`."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise ServiceError(
            f"the service cannot listen on {host}:{port}: {error.strerror or error}",
            hint=f"Set {prefix}_HOST and {prefix}_PORT, or end the program that uses the port.",
        ) from error
    return listener
