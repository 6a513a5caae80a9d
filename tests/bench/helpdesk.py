"""Reading 50,000 tickets over 500 pages of a helpdesk on loopback, against the time of the requests alone."""

from __future__ import annotations

import json
import multiprocessing
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection
from urllib.parse import parse_qs, urlsplit

import anyio

from ticketattr.infrastructure.helpdesk.profile_helpdesk import ProfileHelpdesk
from ticketattr.infrastructure.helpdesk.profile_yaml import parse_profile
from ticketattr.infrastructure.network.http import HTTPRequest, HTTPService, open_session
from ticketattr.infrastructure.options import HelpdeskAccess, HTTPPolicy

PAGES, SIZE = 500, 100
LATENCY = 0.1
"""Seconds that the helpdesk takes for a page: real ones take more."""
MOST_RATIO, MOST_MEGABYTES = 1.2, 10.0

_PROFILE = """
name: Bench
verified: documentation
tickets:
  request: {path: /tickets, query: {page: "${page}", size: "${size}"}}
  paging: {style: page, size: 100}
  items: tickets
  total: total
  open: status != 'closed'
  keep: [open]
  fields:
    id: id
    short_description: [subject, title]
    long_description: body
    requester_email: requester.email
    created_at: created
    request_category: custom[?name=='Category'].value | [0]
    status: status
    group: group.name
"""
_BODY = "<html><body><p>Since <b>Monday</b>, the printer on the second floor is dead.</p><p>Thanks</p></body></html>"


def _page(number: int) -> bytes:
    tickets = [
        {
            "id": number * SIZE + place,
            "subject": f"Printer {place} of page {number}",
            "body": _BODY,
            "requester": {"email": "ann@example.com"},
            "created": "2026-11-20T08:00:00Z",
            "custom": [{"name": "Category", "value": ""}],
            "status": "open",
            "group": {"name": "IT"},
        }
        for place in range(SIZE)
    ]
    return json.dumps({"tickets": tickets, "total": PAGES * SIZE}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        content = _page(int(parse_qs(urlsplit(self.path).query)["page"][0]))
        time.sleep(LATENCY)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _serve(pipe: Connection) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    pipe.send(server.server_address[1])
    server.serve_forever()


@contextmanager
def _server() -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    yield f"http://127.0.0.1:{ours.recv()}"
    process.terminate()
    process.join()


async def _only_request(url: str) -> None:
    service = HTTPService("the helpdesk", url, url_setting="HELPDESK_API_URL")
    async with open_session(service, HTTPPolicy()) as session:
        for number in range(1, PAGES + 1):
            await session.send(HTTPRequest(url=f"{url}/tickets?page={number}&size={SIZE}"))


def helpdesk() -> str:
    """Returns the figures as a line. Raises AssertionError where they are worse than promised."""
    profile = parse_profile(_PROFILE.encode(), "bench.yaml")
    with _server() as url:
        started = time.perf_counter()
        anyio.run(_only_request, url)
        requests = time.perf_counter() - started
        reader = ProfileHelpdesk(profile, HelpdeskAccess(url), HTTPPolicy(), profile.tickets.keep)
        started = time.perf_counter()
        assert len(reader.fetch_tickets()) == PAGES * SIZE
        wall = time.perf_counter() - started
        tracemalloc.start()
        tickets = reader.fetch_tickets()
        held, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    megabytes = (peak - held) / 2**20
    line = (
        f"helpdesk: {len(tickets):,} tickets over {PAGES} pages in {wall:.1f} s, the requests alone {requests:.1f} s"
        f" (ratio {wall / requests:.2f}, at most {MOST_RATIO}); {megabytes:.1f} MB beside the tickets"
    )
    assert wall <= MOST_RATIO * requests, line
    assert megabytes <= MOST_MEGABYTES, line
    return line
