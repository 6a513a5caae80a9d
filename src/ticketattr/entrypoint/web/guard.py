"""What every request passes before anything else: where it comes from, and whether it may be what it claims to be."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from math import inf
from urllib.parse import parse_qs, urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import problem_response

MAX_BODY = 64 * 1024
"""The largest body of a request, in bytes. No call of ours needs more than a line."""

BODY_TIMEOUT = 30.0
"""Seconds in which a client sends the body of a request."""

_SAFE = ("GET", "HEAD", "OPTIONS")
_TOKEN_PARAMETERS = {"token", "access_token", "api_key", "apikey", "key"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """Refuses requests that no client of ours sends, and adds the headers that bind a browser.

    `hosts`: the values that the header Host may have, without a port (`*`: any). `proxies`: the addresses whose
    X-Forwarded headers are believed. `root_path`: the path under which a proxy shows the service, whether or not the
    proxy removes it from the address. `count` is told the path and the status of each answer.
    """

    app: ASGIApp
    hosts: frozenset[str]
    proxies: tuple[str, ...]
    root_path: str
    count: Callable[[str, int], None]
    body_timeout: float = BODY_TIMEOUT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope["root_path"] = self.root_path
        self._note_origin(scope, headers)
        with_headers = self._with_headers(scope, send)
        refusal = self._refusal(scope, headers)
        if refusal:
            await problem_response(*refusal)(scope, receive, with_headers)
            return
        await self.app(scope, _bounded(receive, self.body_timeout), with_headers)

    def _note_origin(self, scope: Scope, headers: Headers) -> None:
        """Set `client` and `scheme` to what a trusted proxy says, and `state.by_proxy` to whether there is one."""
        peer = scope["client"][0] if scope.get("client") else ""
        trusted = is_among(peer, self.proxies)
        scope.setdefault("state", {})["by_proxy"] = trusted
        if not trusted:
            return
        # The last address is the one that the proxy itself added.
        if forwarded := headers.get("x-forwarded-for", "").rpartition(",")[2].strip():
            scope["client"] = (forwarded[:100], 0)
        if headers.get("x-forwarded-proto") in ("http", "https"):
            scope["scheme"] = headers["x-forwarded-proto"]

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        path = scope["path"]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.count(path.removeprefix(self.root_path), message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return sending

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if "*" not in self.hosts and host_name(host) not in self.hosts:
            return 400, "the header Host is not one of the hosts of this service (SERVE_ALLOWED_HOSTS)"
        if _TOKEN_PARAMETERS & {name.lower() for name in parse_qs(scope["query_string"].decode("latin-1"))}:
            return 400, "a token must not be part of a URL: send it in the header Authorization"
        if scope["method"] not in _SAFE and "authorization" not in headers and is_cross_site(headers, host):
            return 403, "a page of another site sent this request"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 9 or int(length) > MAX_BODY:
            return 413, "the body of the request is too large"
        return None


@dataclass(slots=True)
class FailureLimit:
    """Counts failed attempts to sign in, and says when an address has to wait.

    `clock` returns seconds and never goes back. After MAX failures within WINDOW seconds, an address waits until the
    oldest of them is older than that.
    """

    MAX = 10
    WINDOW = 300.0
    _MOST_ADDRESSES = 10_000

    clock: Callable[[], float] = time.monotonic
    _failures: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def add(self, origin: str) -> None:
        """Count a failure of the address `origin`."""
        if len(self._failures) >= self._MOST_ADDRESSES:
            self._failures.clear()
        self._failures[origin].append(self.clock())

    def wait(self, origin: str) -> float:
        """The seconds that `origin` has to wait; 0 for none."""
        failures, now = self._failures.get(origin), self.clock()
        while failures and now - failures[0] >= self.WINDOW:
            failures.popleft()
        if not failures or len(failures) < self.MAX:
            return 0.0
        return self.WINDOW - (now - failures[0])


def host_name(host: str) -> str:
    """The name in a header Host, in lower case, without port and brackets."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def is_cross_site(headers: Headers, host: str) -> bool:
    """Whether a page of another site sent the request, by Sec-Fetch-Site, or by Origin where a browser has no such."""
    site = headers.get("sec-fetch-site")
    if site:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    if not origin:
        return False
    return urlsplit(origin).netloc.lower() != host.lower()


def is_among(address: str, networks: Iterable[str]) -> bool:
    """Whether the IP address is in one of the networks."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in ip_network(network) for network in networks)


def _bounded(receive: Receive, seconds: float) -> Receive:
    """`receive` that refuses a body which is too large, or does not arrive within `seconds`."""
    size, deadline = 0, anyio.current_time() + seconds

    async def receiving() -> Message:
        nonlocal size, deadline
        with anyio.CancelScope(deadline=deadline) as waiting:
            message = await receive()
        if waiting.cancelled_caught:
            raise HTTPException(408, "the body of the request did not arrive in time", {"Connection": "close"})
        if not message.get("more_body"):
            deadline = inf  # what follows is the end of the connection, which may take as long as a download
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            # The connection is closed, so that the rest is not read.
            raise HTTPException(413, "the body of the request is too large", {"Connection": "close"})
        return message

    return receiving
