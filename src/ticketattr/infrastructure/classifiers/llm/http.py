"""HTTP to the service of a model: a client with bounds, and the provider-neutral error for what goes wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from ....errors import SettingsError
from ...network.http import open_client
from ...network.retries import Transient, is_transient
from ...network.service_words import with_words
from ...network.tls import authorities_of
from .chat_model import (
    ChatModelError,
    InvalidRequest,
    RateLimited,
    ServerFailed,
    Unanswered,
    UnknownModel,
    UnusableAnswer,
)

MAX_BYTES = 16 * 1024 * 1024
"""The largest answer that is read: ten times the answer about a thousand tickets."""


def http_client(
    provider: str, *, timeout: float, connections: int, ca_file: str = "", max_bytes: int = MAX_BYTES
) -> httpx.AsyncClient:
    """Returns a client that follows no redirects and reads no compressed or endless answers.

    A redirect would take the key to another host. `timeout` bounds each step of a call, in seconds;
    `connections` is the number of connections that are kept open, `ca_file` the file of LLM_CA_FILE, and `max_bytes`
    the largest answer that is read. Raises SettingsError if a proxy or certificates are set that are not usable.
    """

    async def bound_answer(response: httpx.Response) -> None:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise UnusableAnswer(f"{provider} sent a compressed answer, although it was asked not to")
        response.stream = _BoundedStream(response.stream, provider, max_bytes)

    return open_client(
        **({"verify": authorities_of(ca_file, "LLM_CA_FILE")} if ca_file else {}),
        timeout=timeout,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=connections),
        event_hooks={"response": [bound_answer]},
    )


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, stream: Any, provider: str, max_bytes: int) -> None:
        self._stream = stream
        self._max_bytes = max_bytes
        self._provider = provider

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._max_bytes
        async for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise UnusableAnswer(f"{self._provider} sent more than {self._max_bytes:,} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


@contextmanager
def translated_transport_errors(provider: str, *, url_setting: str) -> Iterator[None]:
    """Raises Transient or SettingsError in place of httpx's errors. `url_setting` names the setting of the base URL."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
        raise Transient(with_words(f"{provider} did not answer", str(error) or type(error).__name__)) from error
    except httpx.TimeoutException as error:
        raise Unanswered(f"{provider} did not answer in time") from error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise SettingsError(f"{url_setting} is not a valid URL", hint="Correct it, or leave it empty.") from error
    except httpx.HTTPError as error:
        raise Unanswered(with_words(f"{provider} did not answer", str(error) or type(error).__name__)) from error


def status_error(message: str, status: int, *, wait: float | None) -> Exception:
    """Returns the error for an answer with the HTTP status `status`, which is not a success.

    `wait` is the number of seconds that the service asks to wait for, if it does.
    """
    if status in (401, 403):
        return refused_key(message)
    if status == 404:
        return UnknownModel(message)
    if status == 429:
        return RateLimited(message, wait=wait)
    if status >= 500:
        return ServerFailed(message, wait=wait)
    if is_transient(status):
        return Transient(message, wait=wait)
    if status == 400:
        return InvalidRequest(message)
    return ChatModelError(message, lies_in_content=status > 400)


def refused_key(message: str) -> SettingsError:
    """Returns the error for a key that the service does not accept."""
    return SettingsError(f"{message}: the service refuses the key", hint="Check LLM_API_KEY.")
