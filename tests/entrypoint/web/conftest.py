"""The service on loopback, with processes that the test starts and ends."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from ticketattr.application.report_store import ReportStore
from ticketattr.application.report_tracker import ReportTracker
from ticketattr.application.service.review import Reviewing
from ticketattr.application.service.runs import Service
from ticketattr.domain.access import Scope, Token, digest_of
from ticketattr.entrypoint.settings.environment import Environment
from ticketattr.entrypoint.settings.report import ReportSettings
from ticketattr.entrypoint.settings.serve import ServeSettings
from ticketattr.entrypoint.settings.values import Values, ValueSource
from ticketattr.entrypoint.web.app import build_app
from ticketattr.entrypoint.web.parts import Cached, Parts, downloads_of, folder_version, waiting_for_review
from ticketattr.entrypoint.wiring import page_writer
from ticketattr.infrastructure.corrections.corrections_db import SQLiteCorrections
from ticketattr.infrastructure.delivery.report_folder import OutputFolder
from ticketattr.infrastructure.delivery.report_log import SQLiteReportLog
from ticketattr.infrastructure.helpdesk.applied_db import SQLiteChangeLedger
from ticketattr.infrastructure.service.cron import CronExpressions
from ticketattr.infrastructure.service.state_db import SQLiteServiceState
from ticketattr.infrastructure.stage_files.run_files import read_reported
from ticketattr.infrastructure.stage_files.work_folder import WorkFolder

from ...application.service.test_runs import Clock, Processes

NEVER = 3600.0
"""Seconds until the next look for runs: they stay queued, so that a test sees them."""


@dataclass
class Web:
    """A service that listens, and what is behind it."""

    url: str
    parts: Parts

    @property
    def service(self) -> Service:
        return self.parts.service

    @property
    def tracker(self) -> ReportTracker:
        return self.parts.tracker

    @property
    def log(self) -> SQLiteReportLog:
        assert isinstance(self.parts.log, SQLiteReportLog)
        return self.parts.log

    @property
    def processes(self) -> Processes:
        assert isinstance(self.service.processes, Processes)
        return self.service.processes

    @property
    def clock(self) -> Clock:
        assert isinstance(self.service.clock, Clock)
        return self.service.clock

    def token(self, scope: Scope = "operate", name: str = "ann") -> str:
        now = self.clock()
        later = now + timedelta(days=30)
        secret = f"tka_random-{name}"
        self.service.state.add_token(Token(name, scope, digest_of(secret), now, later))
        return secret

    def client(self, scope: Scope | None = "operate") -> httpx.Client:
        """A program with a token of that scope, or without one."""
        headers = {"Authorization": f"Bearer {self.token(scope, scope)}"} if scope else {}
        return httpx.Client(base_url=self.url, headers=headers)

    def browser(self, scope: Scope = "operate") -> httpx.Client:
        """A person who signed in with a token of that scope."""
        headers = {"Sec-Fetch-Site": "same-origin"}
        token = {"token": self.token(scope, f"person-{scope}")}
        cookies = httpx.post(f"{self.url}/sign-in", data=token, headers=headers).cookies
        return httpx.Client(base_url=self.url, headers=headers, cookies=cookies)


def parts_in(folder: Path, **settings: str) -> Parts:
    """A service over `folder` that does not listen yet."""
    folders = {"OUTPUT_DIR": str(folder / "output"), "WORK_DIR": str(folder / "work")}
    env = Environment(Values((ValueSource("test", {"EMAIL_TRANSPORT": "file", **folders, **settings}),)))
    read = ServeSettings.read(env)
    assert not env.wrong
    clock, zone = Clock(datetime.now(timezone.utc)), ZoneInfo("UTC")
    service = Service(SQLiteServiceState(folder / "work" / "service.db"), Processes(), CronExpressions(zone), clock)
    log = SQLiteReportLog(folder / "output" / "reports.db")
    tracker = ReportTracker(OutputFolder(folder / "output"), log, "file", "hold")
    output = folder / "output"
    reports = Cached(tracker.statuses, lambda: (folder_version(output), log.version()), time.monotonic)
    work = WorkFolder(folder / "work")
    corrections = SQLiteCorrections(folder / "work" / "corrections.db")
    reviewing = Reviewing(
        corrections, work.runs, lambda run_id: read_reported(run_id, None, None, work), 0.6, "", "UTC"
    )
    ledger = SQLiteChangeLedger(folder / "work" / "applied.db")
    seconds = count()  # so that every request looks whether the ledger has changed
    changes = Cached(ledger.changes, ledger.version, lambda: float(next(seconds)))
    to_review = waiting_for_review(reviewing, clock, lambda: float(next(seconds)))
    page = page_writer(ReportSettings.read(env), read.tracker.folders)
    return Parts(service, read, tracker, log, reports, reviewing, to_review, changes, page, platforms=["telegram"])


@contextmanager
def listening(app: ASGIApp, **options: Any) -> Iterator[str]:
    """Serve `app` for the block, in a thread, with options of uvicorn. Yields its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, **options))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        # The socket listens already, so that the first request waits until the server takes it.
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def serving(folder: Path, settings: dict[str, str] | None = None, *, store: ReportStore | None = None) -> Iterator[Web]:
    """A service with settings of its own."""
    parts = replace(parts_in(folder, **settings or {}), store=store)
    with listening(build_app(parts, interval=NEVER)) as url:
        yield Web(url, parts)


def await_no_downloads(web: Web) -> None:
    """Wait until no file that was made for a download is left: it is deleted right after its last byte was sent."""
    end = time.monotonic() + 20
    while list(downloads_of(web.parts).iterdir()):
        assert time.monotonic() < end
        os.sched_yield()


@pytest.fixture(scope="session")
def default_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, str]]:
    """An application with the default settings, and its URL. Building one takes longer than most tests."""
    app = build_app(parts_in(tmp_path_factory.mktemp("service")), interval=NEVER)
    with listening(app) as url:
        yield app, url


@pytest.fixture
def web(default_app: tuple[FastAPI, str], tmp_path: Path) -> Web:
    """A service with default settings over an empty folder."""
    app, url = default_app
    app.state.parts = parts_in(tmp_path)
    return Web(url, app.state.parts)
