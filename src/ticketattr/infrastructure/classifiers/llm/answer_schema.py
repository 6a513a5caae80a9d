"""The form of an answer: the schema that it must have, and what the service is asked to keep it to.

A schema is closed over the names of the catalog, or open when the service rejects that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import anyio

from ....domain.catalog import ServiceCatalog
from .chat_model import ChatAnswer, Format, InvalidRequest, JSONSchema


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """The schema of an answer, and the format that the service is asked for."""

    schema: JSONSchema
    format: Format


_Call: TypeAlias = Callable[[AnswerForm], Awaitable[ChatAnswer]]


class AnswerForms:
    """Chooses the form of each call: the first one of a list that the service does not reject.

    A catalog can have more names than the service accepts, and a service may know no schemas. So while no call has
    succeeded, one rejected request is sent again in the other forms: with the open schema, then in the other `formats`.
    All later calls have the form that succeeded. `schema` makes the closed one of a catalog, and the open one of None.
    """

    def __init__(self, formats: Sequence[Format], schema: Callable[[ServiceCatalog | None], JSONSchema]) -> None:
        self._schema = schema
        self._steps: list[tuple[bool, Format]] = [(True, formats[0]), *((False, one) for one in formats)]
        self._step = 0
        self._is_proven = False
        self._tried_all = False
        self._deciding = anyio.Lock()

    async def ask(self, call: _Call, catalog: ServiceCatalog) -> ChatAnswer:
        """Returns what `call` answers in the form that suits the service. Raises what `call` raises."""
        step = self._step
        try:
            answer = await call(self.form(catalog, step))
        except InvalidRequest as rejection:
            if self._is_proven and step == self._step:
                raise
            answer = await self._ask_otherwise(call, catalog, step, rejection)
        self._is_proven = True
        return answer

    async def _ask_otherwise(
        self, call: _Call, catalog: ServiceCatalog, rejected: int, rejection: InvalidRequest
    ) -> ChatAnswer:
        async with self._deciding:
            if self._step == rejected:
                if self._tried_all:
                    raise rejection
                return await self._find_step(call, catalog, rejection)
        return await call(self.form(catalog))

    async def _find_step(self, call: _Call, catalog: ServiceCatalog, rejection: InvalidRequest) -> ChatAnswer:
        self._tried_all = True
        for step in range(self._step + 1, len(self._steps)):
            answer = await _answer_or_rejection(call, self.form(catalog, step))
            if isinstance(answer, ChatAnswer):
                self._step = step
                return answer
            rejection = answer
        raise rejection

    def form(self, catalog: ServiceCatalog, step: int | None = None) -> AnswerForm:
        """Returns the form of a step; without one, that of the next call."""
        is_closed, wanted = self._steps[self._step if step is None else step]
        return AnswerForm(self._schema(catalog if is_closed else None), wanted)


async def _answer_or_rejection(call: _Call, form: AnswerForm) -> ChatAnswer | InvalidRequest:
    try:
        return await call(form)
    except InvalidRequest as rejection:
        return rejection


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
