"""Clients that are slow or ask for strange things, and a service whose disk or database fails."""

from __future__ import annotations

import socket
import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from ticketattr.entrypoint.web.app import build_app
from ticketattr.entrypoint.web.slow_clients import LimitedProtocol
from ticketattr.errors import ServiceError
from ticketattr.infrastructure.service.state_db import SQLiteServiceState
from ticketattr.infrastructure.store.object_store import open_store

from .conftest import NEVER, Web, await_no_downloads, listening, parts_in, serving
from .test_api import RUN, put_report


def connected(url: str) -> socket.socket:
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname or "", address.port or 0))
    connection.settimeout(10)
    return connection


class Impatient(LimitedProtocol):
    head_timeout = 0.2
    read_timeout = 0.3


@contextmanager
def with_large_report(folder: Path, **options: Any) -> Iterator[tuple[Web, int]]:
    """A service whose store has a report of 8 MiB, which does not fit into the buffers of a connection."""
    store, size = open_store((folder / "store").as_uri(), {}), 8 * 1024 * 1024
    store.put_new(f"reports/2026/11/{RUN}-{'0' * 16}.xlsx", bytes(size))
    parts = replace(parts_in(folder), store=store)
    with listening(build_app(parts, interval=NEVER), **options) as url:
        yield Web(url, parts), size


def asked(url: str, token: str) -> socket.socket:
    """A connection that asked for that report and reads in small steps alone."""
    address = urlsplit(url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(30)
    connection.connect((address.hostname or "", address.port or 0))
    head = f"GET /api/v1/reports/{RUN}/workbook HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


@pytest.mark.thorough
def test_slow_readers_of_downloads_hold_neither_threads_nor_memory(tmp_path: Path) -> None:
    with with_large_report(tmp_path) as (web, size), ExitStack() as stack:
        token = web.token()
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        # More than there are threads for requests.
        slow = [stack.enter_context(closing(asked(web.url, token))) for _ in range(50)]
        assert {one.recv(12) for one in slow} == {b"HTTP/1.1 200"}
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{web.url}/api/v1/runs", headers=headers).status_code == 200
        held, _ = tracemalloc.get_traced_memory()
        assert held < 4 * size


def test_a_client_that_does_not_read_is_disconnected(tmp_path: Path) -> None:
    with with_large_report(tmp_path, http=Impatient) as (web, size), closing(asked(web.url, web.token())) as slow:
        assert slow.recv(12) == b"HTTP/1.1 200"
        await_no_downloads(web)
        received = 0
        with suppress(ConnectionResetError):
            while chunk := slow.recv(65536):
                received += len(chunk)
        assert received < size
        assert httpx.get(f"{web.url}/healthz").text == "ok\n"


@pytest.mark.parametrize("whole", [b"", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"])
@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: 127.0"])
def test_a_client_that_sends_no_whole_head_is_disconnected(tmp_path: Path, whole: bytes, begun: bytes) -> None:
    app = build_app(parts_in(tmp_path), interval=NEVER)
    with listening(app, http=Impatient, timeout_keep_alive=1) as url, connected(url) as connection:
        connection.sendall(whole)
        received = b""
        while whole and not received.endswith(b"ok\n"):
            received += connection.recv(4096)
        connection.sendall(begun)
        with suppress(ConnectionResetError):
            assert connection.recv(4096) == b""
        assert httpx.get(f"{url}/healthz").text == "ok\n"


def test_a_body_that_does_not_arrive_is_given_up(tmp_path: Path) -> None:
    parts = parts_in(tmp_path)
    with listening(build_app(parts, interval=NEVER, body_timeout=0.3)) as url, connected(url) as connection:
        token = Web(url, parts).token()
        head = f"PUT /api/v1/schedule HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        connection.sendall(f'{head}Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{{"cron"'.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 408")
        assert parts.service.state.audit() == []


@pytest.mark.parametrize("name", ["%00", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/service.db", "a%0d%0ab", "\u202e"])
@pytest.mark.parametrize("place", ["/static/", "/reports/", "/runs/", "/deliveries."])
def test_no_name_in_an_address_leads_out_or_is_a_fault(web: Web, place: str, name: str) -> None:
    with web.browser() as person:
        answer = person.get(f"{place}{name}")
        assert answer.status_code in (303, 404, 405, 422)
        assert "root:" not in answer.text


def test_a_database_that_is_locked_is_busy_and_not_a_fault(tmp_path: Path) -> None:
    parts = parts_in(tmp_path)
    state = SQLiteServiceState(tmp_path / "work" / "service.db", patience=0.1)
    parts = replace(parts, service=replace(parts.service, state=state))
    with listening(build_app(parts, interval=NEVER)) as url, Web(url, parts).client() as client:
        assert client.post("/api/v1/runs").status_code == 202
        with closing(sqlite3.connect(state.path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            refused = client.post("/api/v1/runs")
            assert client.get("/api/v1/runs").status_code == 200
            other.execute("ROLLBACK")
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert client.post("/api/v1/runs").status_code == 202


def test_a_store_that_is_down_leaves_the_reports_of_the_folder(tmp_path: Path) -> None:
    class Down:
        def read(self, key: str) -> bytes:
            raise ServiceError("the store of reports cannot be used")

        def keys(self, prefix: str) -> list[str]:
            raise ServiceError("the store of reports cannot be used")

        put_new = remove = keys

    with serving(tmp_path, store=Down()) as web, web.client("read") as client:  # type: ignore[arg-type]
        content = put_report(tmp_path).read_bytes()
        assert client.get(f"/api/v1/reports/{RUN}/workbook").content == content
        assert client.get("/api/v1/reports/20261127T120000Z-ffff/workbook").status_code == 503
