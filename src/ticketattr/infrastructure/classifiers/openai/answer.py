"""What a server answers to a request for a chat completion: the text, or the error that it stands for.

    {"model", "choices": [{"message": {"content", "refusal"}, "finish_reason"}],
     "usage": {"prompt_tokens", "completion_tokens", …}}
    {"error": {"message", "type", "param", "code"}}

Servers differ: `content` may be a list of parts, `error` may be a text or come with status 200, `usage` may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ....domain.sanitizing import unless_repeated
from ....domain.usage import Usage
from ....errors import InputError, SettingsError
from ...json_text import parse_json
from ...network.retries import retry_after
from ...network.service_words import reason_in, service_words, with_words
from ..llm.chat_model import (
    ChatAnswer,
    ChatModelError,
    ChatRequest,
    ContentBlocked,
    InvalidRequest,
    QuotaExhausted,
    RefusedParameters,
    UnknownModel,
    UnusableAnswer,
    token_count,
)
from ..llm.http import refused_key, status_error
from ..llm.refusals import refused_parameters, says_model_is_unknown

_LONGEST_NAME = 100
_LONGEST_READ = 8_000
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FILTERED = re.compile(r"content_filter|content management policy|moderation|flagged", re.IGNORECASE)
_TOO_LONG = re.compile(r"context[ _]length|context window|context size|maximum context|too many tokens", re.IGNORECASE)
_NO_MONEY = re.compile(
    r"insufficient_quota|insufficient (balance|credits?|funds)|exceeded your current quota|"
    r"per day|\b[RT]PD\b|daily limit",
    re.IGNORECASE,
)
_FORMAT = re.compile(r"response_format|json_schema|json_object|grammar|structured output", re.IGNORECASE)
_MODEL = re.compile(r"\b(model|deployment)", re.IGNORECASE)
_STOPPED_EARLY = ("length", "max_tokens", "model_length", "tool_calls", "function_call")
_DURATION = re.compile(
    r"(?:(\d{1,4})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,8}(?:\.\d{1,9})?)s)?(?:(\d{1,8}(?:\.\d{1,9})?)ms)?"
)


class AnsweredError(Exception):
    """The server refuses the request with `status` and these `words`."""

    def __init__(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.headers = headers
        self.said = reason_in(content)
        # Names of parameters and codes stand beside the message.
        self.words = f"{self.said} {content[:_LONGEST_READ].decode('utf-8', 'replace')}"


def answer_in(content: bytes, headers: Mapping[str, str], request: ChatRequest, provider: str) -> ChatAnswer:
    """Returns the answer in the body `content`, which is one to `request`.

    Raises AnsweredError when the body is an error, and ChatModelError when it is no answer or not all of it.
    """
    body = _json(content, provider)
    if not isinstance(body, dict):
        raise UnusableAnswer(f"{provider}'s answer does not have the format of OpenAI's API")
    if body.get("error"):
        raise AnsweredError(_status_in(body["error"]), content, headers)
    model = service_words(body["model"], _LONGEST_NAME) if isinstance(body.get("model"), str) else ""
    billed: dict[str, Any] = {"usage": usage_in(body), "model": model}
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        raise UnusableAnswer(f"{provider} sent an answer without a message", **billed)
    if choice.get("error"):
        raise AnsweredError(_status_in(choice["error"]), content, headers)
    text = _text(choice, provider, billed)
    return ChatAnswer(text, billed["usage"], model or request.model, wait=wait_in(headers))


def _json(content: bytes, provider: str) -> Any:
    try:
        return parse_json(content, f"the answer of {provider}")
    except InputError as error:
        raise UnusableAnswer(f"{provider}'s answer is not JSON") from error


def _text(choice: Mapping[str, Any], provider: str, billed: Mapping[str, Any]) -> str:
    message, finish = choice["message"], str(choice.get("finish_reason") or "")
    if finish == "content_filter" or message.get("refusal"):
        raise ContentBlocked(f"{provider} refused to answer", **billed)
    if finish in _STOPPED_EARLY:
        raise UnusableAnswer(f"{provider} stopped before the end: {finish}", **billed)
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if _is_text(part))
    if not isinstance(content, str) or not content.strip():
        raise UnusableAnswer(f"{provider} sent an empty answer", **billed)
    return _THOUGHTS.sub("", content)


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type", "text") == "text"


def usage_in(body: Mapping[str, Any]) -> Usage:
    """Returns the tokens that the answer counts; all of them 0 when it counts none."""
    counted = _dict(body.get("usage"))
    written = token_count(counted.get("completion_tokens"))
    thinking = min(written, token_count(_dict(counted.get("completion_tokens_details")).get("reasoning_tokens")))
    tokens_in = token_count(counted.get("prompt_tokens"))
    return Usage(
        tokens_in=tokens_in,
        tokens_out=written - thinking,
        tokens_thinking=thinking,
        tokens_cached=min(tokens_in, token_count(_dict(counted.get("prompt_tokens_details")).get("cached_tokens"))),
    )


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _status_in(error: Any) -> int:
    """Returns the status that an error in an answer with status 200 names; 500 if it names none."""
    codes = [_dict(error).get(name) for name in ("code", "status")]
    return next((int(str(code)) for code in codes if re.fullmatch(r"[45]\d\d", str(code), re.ASCII)), 500)


def error_of(error: AnsweredError, request: ChatRequest | None, provider: str, *, has_key: bool) -> Exception:
    """Returns what a ChatModel raises for a refusal. `request`: what was asked, unless it was the list of models."""
    status, words = error.status, error.words
    sent = request.system + request.user if request else ""
    answered = f"{provider} answered {status}"
    message = with_words(answered, unless_repeated(error.said, sent))
    if status == 402 or (status == 429 and _NO_MONEY.search(words)):
        return QuotaExhausted(message)
    is_about_model = request and says_model_is_unknown(words, request.model)
    if status in (401, 403) and not _FILTERED.search(words) and not is_about_model:
        if has_key:
            return refused_key(message)
        return SettingsError(f"{message}: the server wants a key", hint="Set LLM_API_KEY.")
    if request and (named := _refusal_of(status, words, message, request)):
        return named
    if status == 404:
        return SettingsError(message, hint="Check LLM_BASE_URL, which usually ends with /v1, and LLM_MODEL_NAME.")
    return status_error(message, status, wait=_wait(error))


def _refusal_of(status: int, words: str, message: str, request: ChatRequest) -> ChatModelError | None:
    """Returns the error for a refusal whose words say what it is about; None for others."""
    if status == 404 and (_MODEL.search(words) or request.model in words):
        return UnknownModel(message)
    if status in (400, 403, 422):
        if _FILTERED.search(words):
            return ContentBlocked(message)
        if says_model_is_unknown(words, request.model):
            return UnknownModel(message)
        if _TOO_LONG.search(words):
            return ChatModelError(message)
        if named := refused_parameters(words, request.parameters):
            return RefusedParameters(message, named)
        return InvalidRequest(message)
    # Some servers call it a failure of their own that they do not know a format.
    return InvalidRequest(message) if status in (500, 501) and _FORMAT.search(words) else None


def _wait(error: AnsweredError) -> float | None:
    asked = retry_after(error.headers)
    return asked if asked is not None else wait_in(error.headers)


def wait_in(headers: Mapping[str, str]) -> float | None:
    """Returns the seconds until a limit that is used up begins anew; None if no limit is used up."""
    if milliseconds := _seconds(f"{headers.get('retry-after-ms', '')}ms"):
        return milliseconds
    used_up = [
        _seconds(headers.get(f"x-ratelimit-reset-{kind}", ""))
        for kind in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{kind}", "").strip() == "0"
    ]
    return max((wait for wait in used_up if wait is not None), default=None)


def _seconds(text: str) -> float | None:
    """Returns the seconds of a duration such as `1.5s`, `6m0s` or `20ms`; a number alone counts seconds."""
    text = text.strip()
    if re.fullmatch(r"\d{1,8}(\.\d{1,9})?", text, re.ASCII):
        return float(text)
    found = _DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        return None
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def names_in(content: bytes, provider: str) -> list[str]:
    """Returns the names in a list of models. Raises UnusableAnswer for something else."""
    rows = _dict(_json(content, provider)).get("data")
    if not isinstance(rows, list):
        raise UnusableAnswer(f"{provider} does not list its models")
    names = [_dict(row).get("id") for row in rows]
    return [service_words(name, _LONGEST_NAME) for name in names if isinstance(name, str)]
