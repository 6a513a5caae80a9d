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


def request(endpoint: Endpoint, policy: HTTPPolicy, *, body: Any = None) -> bytes:
    """GET, or POST of `body` as JSON. Raises SettingsError, InputError or ServiceError."""
    return anyio.run(_request, endpoint, policy, body)


def shown(url: str) -> str:
    """`url` without what may be secret in it: user, password, query. Only for a URL that can be used."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


async def _request(endpoint: Endpoint, policy: HTTPPolicy, body: Any) -> bytes:
    async for attempt in retrying(policy.max_retries, policy.backoff_factor):
        with attempt:
            return await _try_once(endpoint, policy.timeout, body)
    raise AssertionError("stamina makes at least one attempt")


async def _try_once(endpoint: Endpoint, timeout: float, body: Any) -> bytes:
    # httpx bounds each read, not their sum: a server that drips bytes would hold it for ever.
    try:
        with anyio.fail_after(timeout):
            async with _client(timeout) as client:
                return await _exchange(client, endpoint, body)
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


async def _exchange(client: httpx.AsyncClient, endpoint: Endpoint, body: Any) -> bytes:
    url = _parsed(endpoint.url, endpoint)
    for _ in range(endpoint.max_redirects + 1):
        call = client.build_request("GET", url) if body is None else client.build_request("POST", url, json=body)
        response = await client.send(call, stream=True)
        try:
            if not response.has_redirect_location:
                return await _content(response, endpoint)
            url = _next_url(response, endpoint)
        finally:
            await response.aclose()
    raise SettingsError(
        f"{endpoint.what} redirects more than {endpoint.max_redirects} times", hint=f"Check {endpoint.url_setting}."
    )


def _next_url(response: httpx.Response, endpoint: Endpoint) -> httpx.URL:
    try:
        target = _parsed(response.headers["Location"], endpoint, base=response.url)
    except SettingsError as error:
        raise SettingsError(
            f"{endpoint.what} redirects to an unsafe address", hint=f"Check {endpoint.url_setting}."
        ) from error
    hint = f"If you trust that address, set {endpoint.url_setting} to it."
    if endpoint.max_redirects == 0:
        raise SettingsError(f"{endpoint.what} redirects to {shown(str(target))}, which is not followed", hint=hint)
    if target.scheme not in ("http", "https") or (response.url.scheme == "https" and target.scheme == "http"):
        raise SettingsError(f"{endpoint.what} redirects to an unsafe address, {shown(str(target))}", hint=hint)
    return target


async def _content(response: httpx.Response, endpoint: Endpoint) -> bytes:
    if not response.is_success:
        raise refusal(endpoint, response.status_code, wait=retry_after(response.headers))
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise InputError(f"{endpoint.what} sent a compressed answer, though asked not to")
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > MAX_BYTES:
            raise InputError(f"{endpoint.what} sent more than {MAX_BYTES:,} bytes, which is refused")
    return bytes(content)


def refusal(endpoint: Endpoint, status: int, *, wait: float | None = None) -> SettingsError | Transient:
    """The error that an HTTP status other than success means."""
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    message = f"{endpoint.what} answered {status} {phrase}".rstrip()
    if is_transient(status):
        return Transient(message, wait=wait)
    if status in (401, 403) and endpoint.credentials:
        return SettingsError(message, hint=f"Check {endpoint.credentials}.")
    return SettingsError(f"{message} at {shown(endpoint.url)}", hint=f"Check {endpoint.url_setting}.")
