"""The JSON schema of an answer: closed over the names of the catalog, or open when the service rejects that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import anyio

from ....domain.catalog import ServiceCatalog
from .chat_model import ChatAnswer, InvalidRequest, JSONSchema

_Call: TypeAlias = Callable[[JSONSchema], Awaitable[ChatAnswer]]


class AnswerSchema:
    """Chooses the schema of each call: the closed one, unless the service has rejected it.

    A catalog can have more names than the service accepts. So while no call has succeeded, one rejected request
    is sent once more with the open schema. If that helps, all later calls use the open schema, too.
    """

    def __init__(self) -> None:
        self._is_closed = True
        self._is_proven = False
        self._tried_open = False
        self._deciding = anyio.Lock()

    async def ask(self, call: _Call, catalog: ServiceCatalog) -> ChatAnswer:
        """Returns what `call` answers under the schema that suits the service. Raises what `call` raises."""
        try:
            answer = await call(closed_schema(catalog) if self._is_closed else open_schema())
        except InvalidRequest as rejection:
            if self._is_proven:
                raise
            answer = await self._ask_openly(call, rejection)
        self._is_proven = True
        return answer

    async def _ask_openly(self, call: _Call, rejection: InvalidRequest) -> ChatAnswer:
        async with self._deciding:
            if self._is_closed and self._tried_open:
                raise rejection
            self._tried_open = True
            answer = await call(open_schema())
            self._is_closed = False
            return answer


def closed_schema(catalog: ServiceCatalog) -> JSONSchema:
    """Returns a schema that allows the names of the catalog only, so that an answer outside it is hard to express."""
    categories = dict.fromkeys(entry.category for entry in catalog.entries)
    request_types = dict.fromkeys(entry.name for entry in catalog.entries)
    return _schema(list(categories), list(request_types))


def open_schema() -> JSONSchema:
    """Returns a schema that allows any name, for a catalog with more names than the service accepts."""
    return _schema(None, None)


def _schema(categories: list[str] | None, request_types: list[str] | None) -> JSONSchema:
    return {
        "type": "object",
        "properties": {
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "integer"},
                        "request_category": _name(categories),
                        "request_type": _name(request_types),
                        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                        "evidence": {"type": "string"},
                    },
                    "required": ["id", "confidence", "evidence"],
                },
            }
        },
        "required": ["items"],
    }


def _name(allowed: list[str] | None) -> dict[str, Any]:
    return {"type": "string", "enum": allowed} if allowed else {"type": "string"}
