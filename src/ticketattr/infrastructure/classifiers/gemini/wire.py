"""Requests to Gemini as JSON, and its answers and refusals as what a ChatModel returns and raises."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from ....domain.numbers import read_seconds
from ....domain.sanitizing import unless_repeated
from ....domain.usage import Usage
from ....errors import InputError, SettingsError
from ...json_text import parse_json
from ...network.retries import retry_after
from ...network.service_words import service_words, with_words
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
from ..llm.http import refused_key, status_error
from ..llm.refusals import refused_parameters, says_model_is_unknown

PROVIDER = "Gemini"

_LONGEST_NAME = 60
_FORMAT = "Gemini's answer does not have the format of Gemini's API"
_IN_JSON = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "thinking_budget": "thinkingBudget",
    "thinking_level": "thinkingLevel",
}


def request_body(request: ChatRequest) -> dict[str, Any]:
    """Returns the body of a request to generateContent. What is not set is left to the model."""
    config: dict[str, Any] = {"responseMimeType": "application/json", "responseJsonSchema": request.schema}
    if request.max_tokens is not None:
        config["maxOutputTokens"] = request.max_tokens
    for name, value in request.parameters.items():
        place = config.setdefault("thinkingConfig", {}) if name.startswith("thinking") else config
        place[_IN_JSON[name]] = value
    return {
        "systemInstruction": {"parts": [{"text": request.system}]},
        "contents": [{"role": "user", "parts": [{"text": request.user}]}],
        "generationConfig": config,
    }


def answer_of(content: bytes, request: ChatRequest) -> ChatAnswer:
    """Returns the answer in the response to `request`. Raises ChatModelError when there is none, or not all of it."""
    return answer_in(response_in(content), request.model)


def answer_in(response: Mapping[str, Any], asked: str) -> ChatAnswer:
    """Returns the answer of the model that was `asked`. Raises ChatModelError when there is none, or not all of it."""
    model = _model_name(response.get("modelVersion"))
    billed: dict[str, Any] = {"usage": _tokens_used(response), "model": model}
    if object_of(response.get("promptFeedback")).get("blockReason"):
        raise ContentBlocked("Gemini blocked the request", **billed)
    candidates = objects_of(response.get("candidates"))
    if not candidates:
        raise UnusableAnswer("Gemini sent an empty answer", **billed)
    finish = str(candidates[0].get("finishReason") or "")
    if finish not in ("STOP", ""):
        cause: type[ChatModelError] = UnusableAnswer if finish == "MAX_TOKENS" else ContentBlocked
        raise cause(f"Gemini stopped before the end: {_shown_name(finish)}", **billed)
    parts = objects_of(object_of(candidates[0].get("content")).get("parts"))
    text = "".join(str(part.get("text") or "") for part in parts if not part.get("thought"))
    return ChatAnswer(text, billed["usage"], model or asked)


def models_of(content: bytes) -> tuple[list[str], str]:
    """Returns the names of the models in a page of the list, and the token of the next page; empty on the last one."""
    page = response_in(content)
    names = [_model_name(model.get("name")) for model in objects_of(page.get("models"))]
    return names, str(page.get("nextPageToken") or "")


def response_in(content: bytes) -> Mapping[str, Any]:
    """Returns the JSON object in an answer of the service. Raises UnusableAnswer for anything else."""
    try:
        value = parse_json(content, "the answer")
    except InputError as error:
        raise UnusableAnswer(_FORMAT) from error
    if not isinstance(value, dict):
        raise UnusableAnswer(_FORMAT)
    return value


def object_of(value: Any) -> Mapping[str, Any]:
    """Returns an object; an empty one for None. Raises UnusableAnswer for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnusableAnswer(_FORMAT)
    return value


def objects_of(value: Any) -> list[Mapping[str, Any]]:
    """Returns a list of objects; an empty one for None. Raises UnusableAnswer for anything else."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnusableAnswer(_FORMAT)
    return list(map(object_of, value))


def _tokens_used(response: Mapping[str, Any]) -> Usage:
    """Returns the tokens that the response counts; all of them 0 when it counts none."""
    counted = object_of(response.get("usageMetadata"))
    return Usage(
        tokens_in=token_count(counted.get("promptTokenCount")),
        tokens_out=token_count(counted.get("candidatesTokenCount")),
        tokens_thinking=token_count(counted.get("thoughtsTokenCount")),
        tokens_cached=token_count(counted.get("cachedContentTokenCount")),
    )


def _model_name(name: Any) -> str:
    return _shown_name(str(name or "").removeprefix("models/"))


def _shown_name(name: str) -> str:
    """A name that the service gave to a model, a status or a reason, for messages."""
    return service_words(name, _LONGEST_NAME)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not a success. `details` is the whole body, as the JSON that Python writes."""

    code: int
    headers: Mapping[str, str]
    status: str
    message: str
    details: str


def refusal_of(response: httpx.Response) -> Refusal:
    """Returns what the response says. A body that is not JSON is the message."""
    try:
        body = parse_json(response.content, "the answer")
    except InputError:
        body = {"message": response.content.decode("utf-8", "replace"), "status": response.reason_phrase}
    if isinstance(body, list) and len(body) == 1:
        (body,) = body
    outer = body if isinstance(body, dict) else {}
    said = {**(outer["error"] if isinstance(outer.get("error"), dict) else {}), **outer}
    status, message = (str(said.get(name) or "") for name in ("status", "message"))
    return Refusal(response.status_code, response.headers, status, message, json.dumps(body))


def wait_asked_for(refusal: Refusal) -> float | None:
    """Returns the seconds that RetryInfo in the answer, or else its Retry-After header, asks to wait for."""
    found = re.search(r'"retryDelay": "([0-9.]{1,40}s)"', refusal.details)
    seconds = read_seconds(found[1]) if found else None
    return retry_after(refusal.headers) if seconds is None else seconds


def error_of(response: httpx.Response, request: ChatRequest | None) -> Exception:
    """Returns what a ChatModel raises for a response that is not a success. A reason that repeats `request` is cut."""
    refusal = refusal_of(response)
    answered = f"Gemini answered {refusal.code} {_shown_name(refusal.status)}".rstrip()
    words = unless_repeated(refusal.message, _texts(request) if request else "")
    message = with_words(answered, words)
    if hint := _hint_of_setting(refusal):
        return SettingsError(message, hint=hint)
    if "API_KEY_INVALID" in refusal.details:
        return refused_key(message)
    if refusal.code == 429 and "PerDay" in refusal.details:
        return QuotaExhausted(with_words(f"{answered}: the daily quota is used up", words))
    if request and refusal.code in (400, 403, 404):
        reason = _reason(refusal)
        if named := refused_parameters(reason, request.parameters) if refusal.code == 400 else frozenset():
            return RefusedParameters(message, named)
        if says_model_is_unknown(reason, request.model):
            return UnknownModel(message)
    return status_error(message, refusal.code, wait=wait_asked_for(refusal))


def _texts(request: ChatRequest) -> str:
    """Returns what a message may repeat of the request: its texts, and the user text as it stands in JSON."""
    return request.system + json.dumps(request.user)[1:-1] + request.user


def _reason(refusal: Refusal) -> str:
    """Returns what Gemini says about the request: its message, and the fields that it names."""
    named = re.findall(r'"(?:field|description)": "((?:[^"\\]|\\.)*)"', refusal.details)
    return " ".join([refusal.message, *named])


def _hint_of_setting(refusal: Refusal) -> str:
    """What to do about a refusal that is a matter of the account or the place, and not of the key; empty for others."""
    if refusal.code == 400 and refusal.status == "FAILED_PRECONDITION":
        return "Check that Gemini may be used where this program runs, and that billing is enabled for the project."
    if "SERVICE_DISABLED" in refusal.details:
        found = re.search(r'"service": "([a-z.]{1,80})"', refusal.details)
        service = found[1] if found else "generativelanguage.googleapis.com"
        return f"Enable the service {service} in the project of LLM_API_KEY, in the Google Cloud console."
    if "BILLING_DISABLED" in refusal.details:
        return "Enable billing for the project of LLM_API_KEY, in the Google Cloud console."
    if re.search('"API_KEY_[A-Z_]+_BLOCKED"', refusal.details):
        return "Check the restrictions of LLM_API_KEY in the Google Cloud console: they do not allow this use of it."
    return ""
