"""What google-genai raises and returns, as what a ChatModel raises and returns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ....domain.numbers import read_seconds
from ....domain.usage import Usage
from ....errors import SettingsError
from ...retries import retry_after
from ...service_words import service_words, unless_repeated, with_words
from ..llm.chat_model import (
    ChatAnswer,
    ChatModelError,
    ChatRequest,
    ContentBlocked,
    QuotaExhausted,
    RefusedParameters,
    UnknownModel,
    UnusableAnswer,
    token_count,
)
from ..llm.http import refused_key, status_error, translated_transport_errors
from ..llm.refusals import refused_parameters, says_model_is_unknown

if TYPE_CHECKING:
    from google.genai import errors, types

PROVIDER = "Gemini"

_LONGEST_NAME = 60


def shown_name(name: str) -> str:
    """A name that the service gave to a model, a status or a reason, for messages."""
    return service_words(name, _LONGEST_NAME)


@contextmanager
def translated_errors(request: ChatRequest | None = None) -> Iterator[None]:
    """Raises what a ChatModel may raise in place of the errors of google-genai.

    A reason that repeats the texts of `request` is cut.
    """
    from google.genai import errors

    try:
        with translated_transport_errors(PROVIDER, url_setting="GOOGLE_GEMINI_BASE_URL"):
            yield
    except errors.APIError as error:
        raise _translated(error, request) from error
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        # google-genai lets these through when the answer is not JSON, has a form that it does not know, or is nested
        # too deeply for its parser, which also reads the text of the model.
        raise UnusableAnswer("Gemini's answer does not have the format of Gemini's API") from error


def answer_of(response: types.GenerateContentResponse, request: ChatRequest) -> ChatAnswer:
    """Returns the answer in the response to `request`. Raises ChatModelError when there is none, or not all of it."""
    model = shown_name((response.model_version or "").removeprefix("models/"))
    billed: dict[str, Any] = {"usage": tokens_used(response), "model": model}
    if response.prompt_feedback and response.prompt_feedback.block_reason:
        raise ContentBlocked("Gemini blocked the request", **billed)
    if not response.candidates:
        raise UnusableAnswer("Gemini sent an empty answer", **billed)
    candidate = response.candidates[0]
    finish = _name(candidate.finish_reason)
    if finish not in ("STOP", ""):
        cause: type[ChatModelError] = UnusableAnswer if finish == "MAX_TOKENS" else ContentBlocked
        raise cause(f"Gemini stopped before the end: {shown_name(finish)}", **billed)
    parts = (candidate.content.parts if candidate.content else None) or []
    text = "".join(part.text for part in parts if part.text and not part.thought)
    return ChatAnswer(text, billed["usage"], model or request.model)


def tokens_used(response: types.GenerateContentResponse) -> Usage:
    """Returns the tokens that the response counts; all of them 0 when it counts none."""
    counted = response.usage_metadata
    if not counted:
        return Usage()
    return Usage(
        tokens_in=token_count(counted.prompt_token_count),
        tokens_out=token_count(counted.candidates_token_count),
        tokens_thinking=token_count(counted.thoughts_token_count),
        tokens_cached=token_count(counted.cached_content_token_count),
    )


def wait_asked_for(error: errors.APIError) -> float | None:
    """Returns the seconds that RetryInfo in the answer, or else its Retry-After header, asks to wait for."""
    found = re.search(r'"retryDelay": "([0-9.]{1,40}s)"', json.dumps(error.details, default=str))
    seconds = read_seconds(found[1]) if found else None
    if seconds is not None:
        return seconds
    return retry_after(error.response.headers) if error.response else None


def _translated(error: errors.APIError, request: ChatRequest | None) -> Exception:
    details = json.dumps(error.details, default=str)
    answered = f"Gemini answered {error.code} {shown_name(error.status or '')}".rstrip()
    words = unless_repeated(error.message or "", _texts(request) if request else "")
    message = with_words(answered, words)
    if hint := _hint_of_setting(error, details):
        return SettingsError(message, hint=hint)
    if "API_KEY_INVALID" in details:
        return refused_key(message)
    if error.code == 429 and "PerDay" in details:
        return QuotaExhausted(with_words(f"{answered}: the daily quota is used up", words))
    if request and error.code in (400, 403, 404):
        reason = _reason(error)
        if named := refused_parameters(reason, request.parameters) if error.code == 400 else frozenset():
            return RefusedParameters(message, named)
        if says_model_is_unknown(reason, request.model):
            return UnknownModel(message)
    return status_error(message, error.code, wait=wait_asked_for(error))


def _texts(request: ChatRequest) -> str:
    """Returns what a message may repeat of the request: its texts, and the user text as it stands in JSON."""
    return request.system + json.dumps(request.user)[1:-1] + request.user


def _reason(error: errors.APIError) -> str:
    """Returns what Gemini says about the request: its message, and the fields that it names."""
    named = re.findall(r'"(?:field|description)": "((?:[^"\\]|\\.)*)"', json.dumps(error.details, default=str))
    return " ".join([str(error.message or ""), *named])


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
