"""What google-genai raises and returns, as what a ChatModel raises and returns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ....domain.usage import Usage
from ...retries import retry_after
from ..llm.chat_model import ChatModelError, ContentBlocked, QuotaExhausted, UnusableAnswer
from ..llm.http import refused_key, status_error, translated_transport_errors

if TYPE_CHECKING:
    from google.genai import errors, types

PROVIDER = "Gemini"


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raises what a ChatModel may raise in place of the errors of google-genai."""
    from google.genai import errors

    try:
        with translated_transport_errors(PROVIDER, url_setting="GOOGLE_GEMINI_BASE_URL"):
            yield
    except errors.APIError as error:
        raise _translated(error) from error
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        # google-genai lets these through when the answer is not JSON, has a form that it does not know, or is nested
        # too deeply for its parser, which also reads the text of the model.
        raise UnusableAnswer("Gemini's answer does not have the format of Gemini's API") from error


def answer_text(response: types.GenerateContentResponse) -> str:
    """Returns the text of the answer. Raises ChatModelError when there is none, or not all of it."""
    if response.prompt_feedback and response.prompt_feedback.block_reason:
        raise ContentBlocked("Gemini blocked the request", usage=tokens_used(response))
    if not response.candidates:
        raise UnusableAnswer("Gemini sent an empty answer", usage=tokens_used(response))
    candidate = response.candidates[0]
    finish = _name(candidate.finish_reason)
    if finish not in ("STOP", ""):
        cause: type[ChatModelError] = UnusableAnswer if finish == "MAX_TOKENS" else ContentBlocked
        raise cause(f"Gemini stopped before the end: {finish}", usage=tokens_used(response))
    parts = (candidate.content.parts if candidate.content else None) or []
    return "".join(part.text for part in parts if part.text and not part.thought)


def tokens_used(response: types.GenerateContentResponse) -> Usage:
    """Returns the tokens that the response counts; all of them 0 when it counts none."""
    counted = response.usage_metadata
    if not counted:
        return Usage()
    return Usage(
        tokens_in=counted.prompt_token_count or 0,
        tokens_out=counted.candidates_token_count or 0,
        tokens_thinking=counted.thoughts_token_count or 0,
        tokens_cached=counted.cached_content_token_count or 0,
    )


def wait_asked_for(error: errors.APIError) -> float | None:
    """Returns the seconds that RetryInfo in the answer, or else its Retry-After header, asks to wait for."""
    if found := re.search(r'"retryDelay": "([0-9.]+)s"', json.dumps(error.details, default=str)):
        return float(found.group(1))
    return retry_after(error.response.headers) if error.response else None


def _translated(error: errors.APIError) -> Exception:
    details = json.dumps(error.details, default=str)
    message = f"Gemini answered {error.code} {error.status or ''}".rstrip()
    if "API_KEY_INVALID" in details:
        return refused_key(message)
    if error.code == 429 and "PerDay" in details:
        return QuotaExhausted(f"{message}: the daily quota is used up")
    return status_error(message, error.code, wait=wait_asked_for(error))


def _name(value: Any) -> str:
    return str(getattr(value, "name", value) or "")
