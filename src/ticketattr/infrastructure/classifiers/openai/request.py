"""The body of a request for a chat completion, in the dialect that the server turned out to speak."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..llm.chat_model import ChatRequest, JSONSchema
from ..llm.parameters import Parameter

PARAMETERS: Mapping[Parameter, str] = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "thinking_level": "reasoning_effort",
}
"""The parameters that the protocol has, and their names in it."""


_LEAST = 256
_TOO_MANY = re.compile(r"too large|too big|too high|at most|less than or equal|maximum|exceed", re.IGNORECASE)
_AT_MOST = re.compile(r"(?:at most|less than or equal to|<=) ?(\d{2,7})", re.IGNORECASE)
_NO_SYSTEM = re.compile(r"system (role|message|prompt)|role.{0,20}system|roles must alternate", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between servers: the name of the limit of an answer, its highest value, and system messages."""

    limit: str = "max_tokens"
    most: int | None = None
    has_system: bool = True

    def corrected(self, words: str, request: ChatRequest) -> Dialect | None:
        """Returns the dialect after a refusal of `request` with these `words`; None if they do not speak of it."""
        if request.max_tokens is not None and self.limit in words:
            return self._with_another_limit(words, self.limit_of(request) or 0)
        if self.has_system and _NO_SYSTEM.search(words):
            return replace(self, has_system=False)
        return None

    def limit_of(self, request: ChatRequest) -> int | None:
        """Returns the limit of the answer to `request`, in tokens."""
        return min(filter(None, (request.max_tokens, self.most)), default=None)

    def _with_another_limit(self, words: str, sent: int) -> Dialect | None:
        if _TOO_MANY.search(words):
            named = [int(number) for number in _AT_MOST.findall(words) if _LEAST <= int(number) < sent]
            most = max(named, default=sent // 2)
            return replace(self, most=most) if most >= _LEAST else None
        return replace(self, limit=_OTHER_LIMIT[self.limit])


_OTHER_LIMIT = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}


def body_of(request: ChatRequest, dialect: Dialect) -> dict[str, Any]:
    """Returns the body of `request`, to be sent as JSON."""
    body: dict[str, Any] = {"model": request.model, "messages": _messages(request, dialect), "stream": False}
    if response_format := _response_format(request):
        body["response_format"] = response_format
    if limit := dialect.limit_of(request):
        body[dialect.limit] = limit
    return body | {PARAMETERS[name]: value for name, value in request.parameters.items()}


def _messages(request: ChatRequest, dialect: Dialect) -> list[dict[str, str]]:
    if not dialect.has_system:
        return [{"role": "user", "content": f"{request.system}\n\n{request.user}"}]
    return [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}]


def _response_format(request: ChatRequest) -> dict[str, Any] | None:
    if request.format == "text":
        return None
    if request.format == "object":
        return {"type": "json_object"}
    schema = {"name": "attributions", "strict": True, "schema": strict_schema(request.schema)}
    return {"type": "json_schema", "json_schema": schema}


def strict_schema(schema: JSONSchema) -> dict[str, Any]:
    """Returns `schema` in the form that OpenAI's strict mode wants.

    Every property is required, those that were not may be null, and there are no others. Ranges of numbers are left
    out, because some servers refuse them.
    """
    made = {name: value for name, value in schema.items() if name not in ("minimum", "maximum")}
    if "items" in made:
        made["items"] = strict_schema(made["items"])
    if "properties" in made:
        required = set(schema.get("required", ()))
        made["properties"] = {
            name: strict_schema(part) if name in required else _nullable(strict_schema(part))
            for name, part in schema["properties"].items()
        }
        made["required"] = list(schema["properties"])
        made["additionalProperties"] = False
    return made


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    made = {**schema, "type": [schema["type"], "null"]}
    return {**made, "enum": [*schema["enum"], None]} if "enum" in schema else made
