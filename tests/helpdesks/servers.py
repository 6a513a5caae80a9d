"""Starts and stops real helpdesk servers, and puts tickets into them over their own APIs."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from .given_tickets import GivenTicket

_HERE = Path(__file__).parent
_SECONDS = 120.0
_PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)


@dataclass(frozen=True)
class Desk:
    """A running helpdesk: the name of its profile, its base URL, user and password."""

    profile: str
    url: str
    user: str
    password: str
    put: Callable[[httpx.Client, Sequence[GivenTicket]], None]

    def fill(self, tickets: Sequence[GivenTicket]) -> None:
        """Put `tickets` into the helpdesk, in their order."""
        with httpx.Client(base_url=self.url, auth=(self.user, self.password), timeout=60.0) as client:
            self.put(client, tickets)


@contextmanager
def request_tracker(folder: Path) -> Iterator[Desk]:
    """RT 5 of Debian with a database and settings of its own."""
    assert shutil.which("rt-setup-database-5"), "install request-tracker5, rt5-db-sqlite and rt5-standalone of Debian"
    port = _free_port()
    (folder / "settings").mkdir()
    (folder / "RT_SiteConfig.pm").write_text(
        f"""
        Set($rtname, 'desk.example'); Set($Organization, 'desk.example');
        Set($DatabaseType, 'SQLite'); Set($DatabaseName, '{folder}/rt.sqlite');
        Set($WebPath, ''); Set($WebDomain, '127.0.0.1'); Set($WebPort, {port});
        Set($WebBaseURL, 'http://127.0.0.1:{port}');
        Set($MailCommand, 'testfile'); Set($LogToSyslog, undef); Set($LogToSTDERR, 'error');
        1;
        """
    )
    (folder / "fields").write_text(
        "our @CustomFields = map { { Name => $_, Type => 'Freeform', MaxValues => 1, Queue => 'General',"
        " LookupType => 'RT::Queue-RT::Ticket' } } qw(Category RequestType); 1;"
    )
    settings = {"RT_SITE_CONFIG": f"{folder}/RT_SiteConfig.pm", "RT_SITE_CONFIG_DIR": f"{folder}/settings"}
    environment = {**os.environ, **settings}
    setup = ("rt-setup-database-5", "--skip-create", "--action")
    for action in (("init",), ("insert", "--datafile", f"{folder}/fields")):
        subprocess.run([*setup, *action], env=environment, input=b"\n", check=True, capture_output=True)
    server = "/usr/share/request-tracker5/libexec/rt-server"
    command = (server, "--host", "127.0.0.1", "--port", str(port), "--max-workers", "2")
    with _running(command, folder, f"http://127.0.0.1:{port}", settings) as url:
        yield Desk("rt", url, "root", "password", _put_into_request_tracker)


@contextmanager
def roundup(folder: Path) -> Iterator[Desk]:
    """Roundup's classic tracker with the properties category and request_type."""
    port = _free_port()
    command = (sys.executable, str(_HERE / "roundup_desk.py"), str(port), str(folder))
    with _running(command, folder, f"http://127.0.0.1:{port}") as url:
        yield Desk("roundup", url, "admin", "admin", _put_into_roundup)


@contextmanager
def django_helpdesk(folder: Path) -> Iterator[Desk]:
    """django-helpdesk with the custom fields category and request_type."""
    port = _free_port()
    command = (sys.executable, str(_HERE / "django_desk.py"), str(port), str(folder))
    with _running(command, folder, f"http://127.0.0.1:{port}") as url:
        yield Desk("django-helpdesk", url, "admin", "admin", _put_into_django_helpdesk)


def _put_into_request_tracker(client: httpx.Client, tickets: Sequence[GivenTicket]) -> None:
    for ticket in tickets:
        picture = {"FileName": "a.png", "FileType": "image/png", "FileContent": base64.b64encode(_PICTURE).decode()}
        body = {
            "Queue": "General",
            "Subject": ticket.subject,
            "Requestor": "anna@example.com",
            "Content": ticket.markup if ticket.is_html else ticket.text,
            "ContentType": "text/html" if ticket.is_html else "text/plain",
            **({"Attachments": [picture]} if ticket.has_attachment else {}),
            "CustomFields": {"Category": ticket.category, "RequestType": ticket.request_type},
        }
        made = client.post("/REST/2.0/ticket", json=body).raise_for_status().json()
        if ticket.is_closed:
            client.put(f"/REST/2.0/ticket/{made['id']}", json={"Status": "resolved"}).raise_for_status()


def _put_into_roundup(client: httpx.Client, tickets: Sequence[GivenTicket]) -> None:
    client.headers.update({"X-Requested-With": "rest", "Origin": str(client.base_url).rstrip("/")})
    states = client.get("/rest/data/status", params={"@verbose": 2}).raise_for_status().json()["data"]["collection"]
    resolved = next(state["id"] for state in states if state["name"] == "resolved")
    for ticket in tickets:
        message = {"content": ticket.markup if ticket.is_html else ticket.text, "author": "1"}
        made = client.post("/rest/data/msg", json=message).raise_for_status().json()["data"]
        pair = {"category": ticket.category, "request_type": ticket.request_type} if ticket.category else {}
        attached = {"name": "a.txt", "content": "attached", "type": "text/plain"}
        files = [client.post("/rest/data/file", json=attached).raise_for_status()] if ticket.has_attachment else []
        issue = {
            "title": ticket.subject,
            "messages": [made["id"]],
            "files": [file.json()["data"]["id"] for file in files],
            "status": resolved if ticket.is_closed else "1",
            **pair,
        }
        client.post("/rest/data/issue", json=issue).raise_for_status()


def _put_into_django_helpdesk(client: httpx.Client, tickets: Sequence[GivenTicket]) -> None:
    for ticket in tickets:
        pair = {"custom_category": ticket.category, "custom_request_type": ticket.request_type}
        body = {
            "queue": 1,
            "title": ticket.subject,
            "description": ticket.text,  # its descriptions are plain text
            "submitter_email": "anna@example.com",
            "priority": 3,
            "status": 1,
            **(pair if ticket.category else {}),
        }
        made = client.post("/api/tickets/", json=body).raise_for_status().json()
        if ticket.has_attachment:
            followup = {
                "ticket": made["id"],
                "title": ticket.subject,
                "comment": "attached",
                "public": False,
                "user": 1,
            }
            client.post("/api/followups/", json=followup).raise_for_status()
        if ticket.is_closed:
            client.patch(f"/api/tickets/{made['id']}/", json={"status": 4}).raise_for_status()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def _running(
    command: Sequence[str], folder: Path, url: str, settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The URL of a server while its process runs, which then is stopped with all that it started."""
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(settings or {})},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_for(url, server, folder / "server.log")
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while True:
        assert server.poll() is None, log.read_text(errors="replace")[-2_000:]
        try:
            httpx.get(url, timeout=30.0)
        except httpx.TransportError:
            assert time.monotonic() < end, f"{url} does not answer: {log.read_text(errors='replace')[-2_000:]}"
            time.sleep(0.2)
        else:
            return
