"""HTTP requests to one service, with bounds on time, size, tries and redirects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import anyio
import httpx

from ... import __version__
from ...errors import InputError, SettingsError
from ..options import HTTPPolicy
from ..picture_cutter import MAX_FED, PictureCutter
from .retries import Patience, Transient, is_transient, retry_after, retrying
from .service_words import LONGEST_ANSWER, reason_in, service_words, with_words
from .tls import trusted_authorities

MAX_BYTES = 32 * 1024 * 1024
"""The size of the largest response, without the pictures in it; a larger one is refused before it is in memory."""

_CONDITIONAL = ("If-None-Match", "If-Modified-Since")
_LONGEST_REASON_TIME = 5.0
"""How long the words of a refusal are waited for, in seconds."""


@dataclass(frozen=True, slots=True)
class HTTPService:
    """A service that is asked over HTTP, and the settings to check when it refuses.

    Messages call it `name`. `url_setting` names the setting that holds `url`, and `credentials` names those that hold
    the credentials; `signs_in` says how they are sent, as the end of "signed in with". `max_redirects` counts for GET
    requests without a body; other requests are never redirected.
    """

    name: str
    url: str = field(repr=False)
    url_setting: str
    credentials: str = ""
    signs_in: str = ""
    max_redirects: int = 0


@dataclass(frozen=True, slots=True)
class HTTPRequest:
    """One request.

    `url` is relative to the URL of the service (RFC 3986); an empty one is that URL, and that of a next page may be
    absolute. `query` is added to the query of the URL. A `body` of bytes is sent as it is, any other as JSON.
    """

    method: str = "GET"
    url: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)


GET = HTTPRequest()


@dataclass(frozen=True, slots=True)
class HTTPResponse:
    """What a service answered. The names of `headers` ignore case; the status is a success, or 304 for no change."""

    content: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HTTPSession:
    """Requests to one service with one client: connections, cookies and `patience` are shared between them."""

    service: HTTPService
    policy: HTTPPolicy
    client: httpx.AsyncClient = field(repr=False)
    patience: Patience = field(default_factory=Patience)

    async def send(self, request: HTTPRequest = GET) -> HTTPResponse:
        """The response to `request`, which is tried again after a failure that may pass.

        Raises SettingsError, InputError or ServiceError.
        """
        async for attempt in retrying(self.policy.max_retries, self.policy.backoff_factor, self.patience):
            with attempt:
                return await self._try_once(request)
        raise AssertionError("stamina makes at least one attempt")

    async def send_once(self, request: HTTPRequest) -> HTTPResponse:
        """The response to `request`, whatever its status, after a single try: for requests that change something.

        A redirect is not followed. Raises NotSent if the service certainly did not get the request, NoAnswer if it may
        have got it, and SettingsError or InputError.
        """
        name, timeout = self.service.name, self.policy.timeout
        built = _built(self.client, request, _url_of(request, self.service), request.headers)
        try:
            with anyio.fail_after(timeout):
                response = await self.client.send(built, stream=True)
                try:
                    content = await _bounded_content(response, self.service)
                finally:
                    await response.aclose()
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise invalid_url(self.service) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise NotSent(f"{name} cannot be reached: {error or type(error).__name__}") from error
        except (TimeoutError, httpx.TimeoutException):
            raise NoAnswer(f"{name} did not answer within {timeout:g} s") from None
        except (httpx.HTTPError, OSError) as error:
            raise NoAnswer(f"{name} did not answer: {error or type(error).__name__}") from error
        return HTTPResponse(content, response.status_code, response.headers)

    async def _try_once(self, request: HTTPRequest) -> HTTPResponse:
        name, timeout = self.service.name, self.policy.timeout
        # httpx bounds each read, but not their sum: a server that sends single bytes would hold it for ever.
        try:
            with anyio.fail_after(timeout):
                return await self._exchange(request)
        except (TimeoutError, httpx.TimeoutException):
            raise Transient(f"{name} did not answer within {timeout:g} s") from None
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise invalid_url(self.service) from error
        except (httpx.HTTPError, OSError, UnicodeError) as error:  # UnicodeError: from idna, for the host of a redirect
            raise Transient(with_words(f"{name} did not answer", str(error) or type(error).__name__)) from error

    async def _exchange(self, request: HTTPRequest) -> HTTPResponse:
        service = self.service
        url, headers = _url_of(request, service), dict(request.headers)
        redirects = service.max_redirects if request.method == "GET" and request.body is None else 0
        for _ in range(redirects + 1):
            response = await self.client.send(_built(self.client, request, url, headers), stream=True)
            try:
                if not response.has_redirect_location:
                    return await _read(response, service, is_conditional=any(name in headers for name in _CONDITIONAL))
                target = _redirect_target(response, service, redirects)
            finally:
                await response.aclose()
            if _origin(target) != _origin(url):
                # Any other header may hold credentials.
                headers = {name: value for name, value in headers.items() if name in _CONDITIONAL}
            url = target
        raise SettingsError(
            f"{service.name} redirects more than {redirects} times", hint=f"Check {service.url_setting}."
        )


class NotSent(Transient):
    """The service certainly did not get a request."""


class NoAnswer(Transient):
    """The service may have got a request, and did not answer."""


class RefusedRequest(SettingsError):
    """The service answered with a `status` that the same request will get again."""

    def __init__(self, message: str, *, status: int, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.status = status


@asynccontextmanager
async def open_session(service: HTTPService, policy: HTTPPolicy) -> AsyncIterator[HTTPSession]:
    """A session with `service`. Raises SettingsError if a proxy or certificates are set that are not usable."""
    async with open_client(timeout=policy.timeout) as client:
        yield HTTPSession(service, policy, client)


def send_once(service: HTTPService, policy: HTTPPolicy, request: HTTPRequest = GET) -> HTTPResponse:
    """The response to a single request, for callers without an event loop. Raises what `HTTPSession.send` raises."""

    async def send() -> HTTPResponse:
        async with open_session(service, policy) as session:
            return await session.send(request)

    return anyio.run(send)


def shown_url(url: str) -> str:
    """A valid `url` without the parts that may be secret: user, password and query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def invalid_url(service: HTTPService) -> SettingsError:
    """The error that says which setting is not a valid URL."""
    # The message does not show the URL: if it is split at the wrong place, a password looks like a host or a path.
    return SettingsError(
        f"{service.url_setting} is not a valid URL",
        hint="Use an http, https or file URL, or a path; in the user name and the password, write %2F for / and so on.",
    )


def refusal(
    service: HTTPService, status: int, *, url: str = "", wait: float | None = None, words: str = ""
) -> SettingsError | Transient:
    """The error that a `status` other than success stands for.

    `url` was asked (empty: that of the service); `wait`: the seconds that the service asks to wait; `words`: the reason
    that it gives.
    """
    message = f"{service.name} answered {status} {_phrase(status)}".rstrip()
    if is_transient(status):
        return Transient(with_words(message, words), wait=wait)
    if status in (401, 403) and service.url.lower().startswith("http"):  # an answer that says so may be in a file
        message = f"{message} ({_sign_in(service)})"
    if status in (401, 403) and service.credentials:
        return RefusedRequest(with_words(message, words), status=status, hint=f"Check {service.credentials}.")
    place = service_words(shown_url(url or service.url))
    return RefusedRequest(
        with_words(f"{message} at {place}", words), status=status, hint=f"Check {service.url_setting}."
    )


def _sign_in(service: HTTPService) -> str:
    ways = [service.signs_in] if service.signs_in else []
    if urlsplit(service.url).username:
        ways.append(f"basic authentication, by the user in {service.url_setting}")
    return f"signed in with {' and '.join(ways)}" if ways else "nothing was sent to sign in with"


def open_client(**options: Any) -> httpx.AsyncClient:
    """A client that follows no redirect and takes nothing compressed. `options` are those of httpx.

    Raises SettingsError if a proxy or certificates are set that are not usable.
    """
    # No compression: a small response could unpack to more than memory holds.
    headers = {"Accept-Encoding": "identity", "User-Agent": f"ticketattr/{__version__}"}
    try:
        verify = options.pop("verify", None) or trusted_authorities()
        return httpx.AsyncClient(headers=headers, follow_redirects=False, verify=verify, **options)
    except (ImportError, ValueError, httpx.InvalidURL):
        # Without its cause, which may contain the password of the proxy.
        raise SettingsError(
            "the proxy in the environment is not usable",
            hint="Check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY. A SOCKS proxy needs the package socksio.",
        ) from None


def _url_of(request: HTTPRequest, service: HTTPService) -> httpx.URL:
    base = _parsed(service.url, service)
    url = base
    if request.url:
        url = _joined(base, request.url, service)
        if _origin(url) != _origin(base):
            # The credentials are for the server that the setting names, and for no other.
            raise SettingsError(
                f"{service.name} leads to another server, {_shown(url)}, which is not asked",
                hint=f"Check {service.url_setting}: it must begin like the addresses that the server gives.",
            )
        url = url.copy_with(userinfo=base.userinfo)
    return url.copy_merge_params(dict(request.query)) if request.query else url


def _built(
    client: httpx.AsyncClient, request: HTTPRequest, url: httpx.URL, headers: Mapping[str, str]
) -> httpx.Request:
    if request.body is None or isinstance(request.body, bytes):
        return client.build_request(request.method, url, headers=headers, content=request.body)
    return client.build_request(request.method, url, headers=headers, json=request.body)


def _redirect_target(response: httpx.Response, service: HTTPService, redirects: int) -> httpx.URL:
    target = _joined(response.url, response.headers["Location"], service)
    hint = f"If you trust that address, set {service.url_setting} to it."
    if redirects == 0:
        raise SettingsError(f"{service.name} redirects to {_shown(target)}, which is not followed", hint=hint)
    if target.scheme not in ("http", "https") or (response.url.scheme == "https" and target.scheme == "http"):
        raise SettingsError(f"{service.name} redirects to an unsafe address, {_shown(target)}", hint=hint)
    return target


def _joined(base: httpx.URL, location: str, service: HTTPService) -> httpx.URL:
    try:
        return _parsed(location, service, base)
    except SettingsError as error:
        raise SettingsError(
            f"{service.name} leads to an unsafe address", hint=f"Check {service.url_setting}."
        ) from error


def _parsed(url: str, service: HTTPService, base: httpx.URL | None = None) -> httpx.URL:
    try:
        parsed = base.join(url) if base else httpx.URL(url)
        is_valid = bool(parsed.host) and 0 <= (parsed.port or 0) <= 65_535
    except (httpx.InvalidURL, ValueError) as error:  # ValueError: from urllib, idna and the codecs
        raise invalid_url(service) from error
    if not is_valid:
        raise invalid_url(service)
    return parsed


def _shown(url: httpx.URL) -> str:
    return service_words(shown_url(str(url)))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


async def _read(response: httpx.Response, service: HTTPService, *, is_conditional: bool) -> HTTPResponse:
    if response.status_code == HTTPStatus.NOT_MODIFIED and is_conditional:
        return HTTPResponse(b"", response.status_code, response.headers)
    if not response.is_success:
        wait, words = retry_after(response.headers), await _reason(response)
        raise refusal(service, response.status_code, url=str(response.url), wait=wait, words=words)
    content = await _bounded_content(response, service)
    return HTTPResponse(content, response.status_code, response.headers)


async def _bounded_content(response: httpx.Response, service: HTTPService) -> bytes:
    hint = f"Check {service.url_setting}, and what answers there."
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise InputError(f"{service.name} sent a compressed response, although it was asked not to", hint=hint)
    content, pictures = bytearray(), PictureCutter()
    async for chunk in response.aiter_raw():
        content += pictures.feed(chunk)
        if len(content) + pictures.held > MAX_BYTES or pictures.fed > MAX_FED:
            raise InputError(f"{service.name} sent more than {MAX_BYTES:,} bytes, which is refused", hint=hint)
    content += pictures.finish()
    return bytes(content)


async def _reason(response: httpx.Response) -> str:
    """Why the service refuses, in its own words: those of the body, or a reason phrase of its own; or none."""
    content = bytearray()
    if response.headers.get("Content-Encoding", "identity") == "identity":
        with anyio.move_on_after(_LONGEST_REASON_TIME), suppress(httpx.HTTPError):
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > LONGEST_ANSWER:
                    break
    is_usual = response.reason_phrase == _phrase(response.status_code)
    return reason_in(bytes(content)) or ("" if is_usual else response.reason_phrase)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
