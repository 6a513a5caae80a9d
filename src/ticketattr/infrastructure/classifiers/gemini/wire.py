"""What google-genai raises and returns, as what a ChatModel raises and returns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ....domain.usage import Usage
from ....errors import SettingsError
from ...retries import retry_after
from ...service_words import service_words, unless_repeated, with_words
from ..llm.chat_model import ChatModelError, ContentBlocked, QuotaExhausted, UnusableAnswer
from ..llm.http import refused_key, status_error, translated_transport_errors

if TYPE_CHECKING:
    from google.genai import errors, types

PROVIDER = "Gemini"

_LONGEST_NAME = 60


def shown_name(name: str) -> str:
    """A name that the service gave to a model, a status or a reason, for messages."""
    return service_words(name, _LONGEST_NAME)


@contextmanager
def translated_errors(sent: str = "") -> Iterator[None]:
    """Raises what a ChatModel may raise in place of the errors of google-genai. A reason that repeats `sent` is cut."""
    from google.genai import errors

    try:
        with translated_transport_errors(PROVIDER, url_setting="GOOGLE_GEMINI_BASE_URL"):
            yield
    except errors.APIError as error:
        raise _translated(error, sent) from error
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
        raise cause(f"Gemini stopped before the end: {shown_name(finish)}", usage=tokens_used(response))
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


def _translated(error: errors.APIError, sent: str) -> Exception:
    details = json.dumps(error.details, default=str)
    answered = f"Gemini answered {error.code} {shown_name(error.status or '')}".rstrip()
    words = unless_repeated(error.message or "", sent)
    message = with_words(answered, words)
    if hint := _hint_of_setting(error, details):
        return SettingsError(message, hint=hint)
    if "API_KEY_INVALID" in details:
        return refused_key(message)
    if error.code == 429 and "PerDay" in details:
        return QuotaExhausted(with_words(f"{answered}: the daily quota is used up", words))
    return status_error(message, error.code, wait=wait_asked_for(error))


def _hint_of_setting(error: errors.APIError, details: str) -> str:
    """What to do about a refusal that is a matter of the account or the place, and not of the key; empty for others."""
    if error.code == 400 and error.status == "FAILED_PRECONDITION":
        return "Check that Gemini may be used where this program runs, and that billing is enabled for the project."
    if "SERVICE_DISABLED" in details:
        found = re.search(r'"service": "([a-z.]{1,80})"', details)
        service = found[1] if found else "generativelanguage.googleapis.com"
        return f"Enable the service {service} in the project of LLM_API_KEY, in the Google Cloud console."
    if "BILLING_DISABLED" in details:
        return "Enable billing for the project of LLM_API_KEY, in the Google Cloud console."
    if re.search('"API_KEY_[A-Z_]+_BLOCKED"', details):
        return "Check the restrictions of LLM_API_KEY in the Google Cloud console: they do not allow this use of it."
    return ""


def _name(value: Any) -> str:
    return str(getattr(value, "name", value) or "")
