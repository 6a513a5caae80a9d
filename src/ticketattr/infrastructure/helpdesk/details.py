"""The second request for each ticket, at most so many at once; one that fails costs its own ticket its description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from ...errors import TicketAttrError
from .connection import Connection
from .mapping import plain_text
from .profile import Alternatives, DetailPart


@dataclass(frozen=True, slots=True)
class DetailedItems:
    """The items with the answers of their detail requests under `detail`, and what went wrong, by position."""

    items: Sequence[Mapping[str, Any]]
    failures: Mapping[int, TicketAttrError]


async def with_details(
    detail: DetailPart, ids: Alternatives, connection: Connection, items: Sequence[Mapping[str, Any]]
) -> DetailedItems:
    """Ask for the details of `items`, in which `ids` find the id of a ticket."""
    answers: dict[int, Any] = {}
    failures: dict[int, TicketAttrError] = {}
    limiter = anyio.CapacityLimiter(detail.at_most)

    async def ask(position: int, item: Mapping[str, Any]) -> None:
        values = _placeholders(detail, ids, item)
        if not all(values.values()):
            return
        async with limiter:
            try:
                answers[position] = (await connection.ask(detail.request, values, error=detail.error)).body
            except TicketAttrError as error:
                failures[position] = error

    async with anyio.create_task_group() as tasks:
        for position, item in enumerate(items):
            tasks.start_soon(ask, position, item)
    detailed = [{**item, "detail": answers.get(position)} for position, item in enumerate(items)]
    return DetailedItems(detailed, failures)


def _placeholders(detail: DetailPart, ids: Alternatives, item: Mapping[str, Any]) -> dict[str, str]:
    ticket_id = next((text for each in ids if (text := plain_text(each.search(item)))), "")
    return {"id": ticket_id, **{name: plain_text(found.search(item)) for name, found in detail.values.items()}}
