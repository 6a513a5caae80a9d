"""One HTTP request with bounds on everything: time, size, tries, redirects."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import anyio
import httpx

from ... import __version__
from ...errors import InputError, SettingsError
from ..options import HTTPPolicy
from ..retries import Transient, is_transient, retry_after, retrying

MAX_BYTES = 32 * 1024 * 1024
"""The largest answer that is taken; more of it is never held."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is asked, and the names of the settings that are wrong when it says no."""

    what: str
    url: str
    url_setting: str
    credentials: str = ""
    max_redirects: int = 0


@dataclass(frozen=True, slots=True)
class Validators:
    """By these a server knows again what it sent before (RFC 9110, 8.8); empty where it gave none."""

    etag: str = ""
    last_modified: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """They ask for the content only if it is another one by now."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value}


NOTHING_KNOWN = Validators()


@dataclass(frozen=True, slots=True)
class Answer:
    """`is_unchanged`: what the validators of the request stand for is still right, and no content came."""

    content: bytes
    validators: Validators = NOTHING_KNOWN
    is_unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """`body`: to be sent as JSON by POST; without one it is a GET. `known`: what is here already."""

    body: Any = None
    known: Validators = NOTHING_KNOWN


GET = Call()


def request(endpoint: Endpoint, policy: HTTPPolicy, call: Call = GET) -> Answer:
    """Raises SettingsError, InputError or ServiceError."""
    return anyio.run(_request, endpoint, policy, call)


def shown_url(url: str) -> str:
    """`url` without what may be secret in it: user, password, query. Only for a URL that can be used."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


async def _request(endpoint: Endpoint, policy: HTTPPolicy, call: Call) -> Answer:
    async for attempt in retrying(policy.max_retries, policy.backoff_factor):
        with attempt:
            return await _try_once(endpoint, policy.timeout, call)
    raise AssertionError("stamina makes at least one attempt")


async def _try_once(endpoint: Endpoint, timeout: float, call: Call) -> Answer:
    # httpx bounds each read, not their sum: a server that drips bytes would hold it for ever.
    try:
        with anyio.fail_after(timeout):
            async with _client(timeout) as client:
                return await _exchange(client, endpoint, call)
    except (TimeoutError, httpx.TimeoutException):
        raise Transient(f"{endpoint.what} did not answer within {timeout:g} s") from None
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        raise unusable(endpoint) from error
    except (httpx.HTTPError, OSError, UnicodeError) as error:  # UnicodeError: idna, over the host of a redirect
        raise Transient(f"{endpoint.what} did not answer: {error or type(error).__name__}") from error


def _client(timeout: float) -> httpx.AsyncClient:
    # No compression: a small answer could unpack to more than memory holds.
    headers = {"Accept-Encoding": "identity", "User-Agent": f"ticketattr/{__version__}"}
    try:
        return httpx.AsyncClient(timeout=timeout, headers=headers, follow_redirects=False)
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise SettingsError(
            "the proxy that the environment names cannot be used", hint="Check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY."
        ) from error
    except OSError as error:
        raise SettingsError(
            f"the certificates that the environment names cannot be read: {error.strerror or error}",
            hint="Check SSL_CERT_FILE and SSL_CERT_DIR.",
        ) from error


def unusable(endpoint: Endpoint) -> SettingsError:
    # Not shown: in a URL that is split at the wrong place, a password looks like a host or a path.
    return SettingsError(
        f"{endpoint.url_setting} is no usable URL",
        hint="Use an http, https or file URL, or a path; in user and password, write %2F for / and so on.",
    )


def _parsed(url: str, endpoint: Endpoint, base: httpx.URL | None = None) -> httpx.URL:
    try:
        parsed = base.join(url) if base else httpx.URL(url)
        is_usable = bool(parsed.host) and 0 <= (parsed.port or 0) <= 65_535
    except (httpx.InvalidURL, ValueError) as error:  # ValueError: of urllib, idna and the codecs
        raise unusable(endpoint) from error
    if not is_usable:
        raise unusable(endpoint)
    return parsed


async def _exchange(client: httpx.AsyncClient, endpoint: Endpoint, call: Call) -> Answer:
    url = _parsed(endpoint.url, endpoint)
    for _ in range(endpoint.max_redirects + 1):
        response = await client.send(_built(client, url, call), stream=True)
        try:
            if not response.has_redirect_location:
                return await _answer(response, endpoint, call)
            url = _next_url(response, endpoint)
        finally:
            await response.aclose()
    raise SettingsError(
        f"{endpoint.what} redirects more than {endpoint.max_redirects} times", hint=f"Check {endpoint.url_setting}."
    )


def _built(client: httpx.AsyncClient, url: httpx.URL, call: Call) -> httpx.Request:
    if call.body is None:
        return client.build_request("GET", url, headers=call.known.headers)
    return client.build_request("POST", url, json=call.body)


def _next_url(response: httpx.Response, endpoint: Endpoint) -> httpx.URL:
    try:
        target = _parsed(response.headers["Location"], endpoint, base=response.url)
    except SettingsError as error:
        raise SettingsError(
            f"{endpoint.what} redirects to an unsafe address", hint=f"Check {endpoint.url_setting}."
        ) from error
    hint = f"If you trust that address, set {endpoint.url_setting} to it."
    if endpoint.max_redirects == 0:
        raise SettingsError(f"{endpoint.what} redirects to {shown_url(str(target))}, which is not followed", hint=hint)
    if target.scheme not in ("http", "https") or (response.url.scheme == "https" and target.scheme == "http"):
        raise SettingsError(f"{endpoint.what} redirects to an unsafe address, {shown_url(str(target))}", hint=hint)
    return target


async def _answer(response: httpx.Response, endpoint: Endpoint, call: Call) -> Answer:
    if response.status_code == HTTPStatus.NOT_MODIFIED and call.known.headers:
        return Answer(b"", call.known, is_unchanged=True)
    headers = response.headers
    content = await _content(response, endpoint)
    return Answer(content, Validators(_sendable(headers.get("ETag", "")), _sendable(headers.get("Last-Modified", ""))))


def _sendable(value: str) -> str:
    """Empty for what no request could give back."""
    return value if value.isascii() and value.isprintable() else ""


async def _content(response: httpx.Response, endpoint: Endpoint) -> bytes:
    if not response.is_success:
        raise refusal(endpoint, response.status_code, wait=retry_after(response.headers))
    hint = f"Check {endpoint.url_setting}, and what answers there."
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise InputError(f"{endpoint.what} sent a compressed answer, though asked not to", hint=hint)
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > MAX_BYTES:
            raise InputError(f"{endpoint.what} sent more than {MAX_BYTES:,} bytes, which is refused", hint=hint)
    return bytes(content)


def refusal(endpoint: Endpoint, status: int, *, wait: float | None = None) -> SettingsError | Transient:
    """The error that an HTTP status other than success means."""
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    message = f"{endpoint.what} answered {status} {phrase}".rstrip()
    if is_transient(status):
        return Transient(message, wait=wait)
    if status in (401, 403) and endpoint.credentials:
        return SettingsError(message, hint=f"Check {endpoint.credentials}.")
    return SettingsError(f"{message} at {shown_url(endpoint.url)}", hint=f"Check {endpoint.url_setting}.")
