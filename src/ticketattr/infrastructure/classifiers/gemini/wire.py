"""What google-genai raises and returns, in our words."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from google.genai import errors, types

from ....application.ports import BatchFailed, ClassifierStopped
from ....domain.usage import Usage
from ....errors import SettingsError
from ...retries import Transient, is_transient, retry_after

MAX_BYTES = 16 * 1024 * 1024
"""The largest answer that is taken: ten times what a thousand tickets need."""

_DEFAULT_PAUSE = 1.0
"""How long everybody waits after a 429 that does not say how long, in seconds."""


class UnknownModel(Exception):
    """404: there is no such model."""


class Rejected(Exception):
    """400: the service does not accept the question."""


class ServerFailed(Transient):
    """5xx: the service failed over this question; without some of its tickets it may not."""


class TooMany(Transient):
    """429: the service wants fewer calls."""

    @property
    def pause(self) -> float:
        return _DEFAULT_PAUSE if self.wait is None else self.wait


@contextmanager
def errors_as_ours() -> Iterator[None]:
    """Raises UnknownModel, Rejected, Transient, BatchFailed, ClassifierStopped or SettingsError instead."""
    try:
        yield
    except errors.APIError as error:
        raise _judged(error) from error
    except httpx.TimeoutException as error:
        raise Transient("Gemini did not answer in time") from error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise SettingsError("GOOGLE_GEMINI_BASE_URL is no usable URL", hint="Correct it, or leave it empty.") from error
    except httpx.HTTPError as error:
        raise Transient(f"Gemini did not answer: {error or type(error).__name__}") from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        # What google-genai lets through when a 200 holds no JSON, or JSON of a shape that it does not know.
        raise BatchFailed("bad_answer", "Gemini sent something that is no answer") from error


async def bound_answer(response: httpx.Response) -> None:
    """For httpx, before it reads an answer. Raises BatchFailed for what would unpack, or is too large."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise BatchFailed("bad_answer", "Gemini sent a compressed answer, though asked not to")
    response.stream = _Bounded(response.stream)


class _Bounded(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MAX_BYTES
        async for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise BatchFailed("bad_answer", f"Gemini sent more than {MAX_BYTES:,} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def answer_text(response: types.GenerateContentResponse) -> str:
    """The text of the answer. Raises BatchFailed when there is none, or not all of it."""
    if response.prompt_feedback and response.prompt_feedback.block_reason:
        raise BatchFailed("blocked", "Gemini blocked the question")
    if not response.candidates:
        raise BatchFailed("bad_answer", "Gemini sent an empty answer")
    candidate = response.candidates[0]
    finish = _name(candidate.finish_reason)
    if finish not in ("STOP", ""):
        detail = f"Gemini stopped before the end: {finish}"
        raise BatchFailed("bad_answer" if finish == "MAX_TOKENS" else "blocked", detail)
    parts = (candidate.content.parts if candidate.content else None) or []
    return "".join(part.text for part in parts if part.text and not part.thought)


def tokens_used(response: types.GenerateContentResponse) -> Usage:
    counted = response.usage_metadata
    if not counted:
        return Usage()
    return Usage(
        tokens_in=counted.prompt_token_count or 0,
        tokens_out=counted.candidates_token_count or 0,
        tokens_thinking=counted.thoughts_token_count or 0,
        tokens_cached=counted.cached_content_token_count or 0,
    )


def _judged(error: errors.APIError) -> Exception:
    details = json.dumps(error.details, default=str)
    message = f"Gemini answered {error.code} {error.status or ''}".rstrip()
    if error.code in (401, 403) or "API_KEY_INVALID" in details:
        return SettingsError(f"{message}: the key is refused", hint="Check LLM_API_KEY.")
    if error.code == 404:
        return UnknownModel()
    if error.code == 429 and "PerDay" in details:
        return ClassifierStopped("quota", f"{message}: the daily quota is used up")
    if error.code == 429:
        return TooMany(message, wait=wait_asked_for(error))
    if error.code >= 500:
        return ServerFailed(message, wait=wait_asked_for(error))
    if is_transient(error.code):
        return Transient(message, wait=wait_asked_for(error))
    if error.code == 400:
        return Rejected(message)
    return BatchFailed("service_error", message, lies_in_content=error.code > 400)


def wait_asked_for(error: errors.APIError) -> float | None:
    """In seconds: RetryInfo in the answer, or a Retry-After header."""
    if found := re.search(r'"retryDelay": "([0-9.]+)s"', json.dumps(error.details, default=str)):
        return float(found.group(1))
    return retry_after(error.response.headers) if error.response else None


def _name(value: Any) -> str:
    return str(getattr(value, "name", value) or "")
