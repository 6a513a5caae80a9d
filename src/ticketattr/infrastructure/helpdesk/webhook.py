"""The helpdesk webhook: POST {api_key, api_secret}, which has a response in one of three shapes.

    [...]    {"data": [...]}    {"response_code": 200, "data": {"requests": [...]}}

An item is {id | ticket_id, short_description | subject, long_description | description_text | description | body,
requester_email, created_at, request_category, request_type, sla: {unit, value}}; every field may be missing. Other
fields are kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import anyio

from ...application.ports import QueuePreview, TicketPreview
from ...domain.ticket import Ticket
from ...errors import InputError
from ..json_text import parse_foreign_json
from ..network.http import HTTPRequest, HTTPResponse, HTTPService, open_session, refusal
from ..network.service_words import reason_of
from ..options import HelpdeskAccess, HTTPPolicy
from .completeness import refuse_missing_text, refuse_part_of_queue
from .mapping import field_names
from .ticket_fields import FieldNames, read_field, read_text, read_ticket

FIELD_NAMES: FieldNames = {
    "id": ("id", "ticket_id"),
    "short_description": ("short_description", "subject"),
    "long_description": ("long_description", "description_text", "description", "body"),
    "requester_email": ("requester_email",),
    "created_at": ("created_at",),
    "request_category": ("request_category",),
    "request_type": ("request_type",),
}
_TEXTS = ("short_description", "long_description")


@dataclass(frozen=True, slots=True)
class WebhookHelpdesk:
    """Reads the queue from the webhook."""

    access: HelpdeskAccess
    http: HTTPPolicy

    def fetch_tickets(self) -> list[Ticket]:
        items, tickets = self._read(is_whole=True)
        refuse_missing_text(
            tickets,
            next(iter(items), None),
            has_text_fields=any(name in item for item in items for field in _TEXTS for name in FIELD_NAMES[field]),
        )
        return tickets

    def preview(self, count: int) -> QueuePreview:
        """The first `count` tickets, each with the names of the fields that were taken."""
        items, tickets = self._read(is_whole=False)
        shown = [TicketPreview(ticket, _origins(item, ticket)) for item, ticket in zip(items, tickets, strict=True)]
        return QueuePreview(shown[:count], field_names(next(iter(items), None)))

    def _read(self, *, is_whole: bool) -> tuple[list[Any], list[Ticket]]:
        """The items of the answer, and the ticket of each; one that `is_whole` must not say that there are more."""
        response = anyio.run(self._request)
        hint = f"Check {self._service.url_setting}, and what answers there."
        answer = parse_foreign_json(response.content, "the answer of the helpdesk", hint=hint)
        items = _items(answer, self._service)
        if is_whole:
            refuse_part_of_queue(answer, len(items), response.headers)
        return items, [
            read_ticket(item, position, FIELD_NAMES, hint=hint) for position, item in enumerate(items, start=1)
        ]

    async def _request(self) -> HTTPResponse:
        credentials = {"api_key": self.access.api_key, "api_secret": self.access.api_secret}
        async with open_session(self._service, self.http) as session:
            return await session.send(HTTPRequest("POST", body=credentials))

    @property
    def _service(self) -> HTTPService:
        return webhook_service(self.access)


def webhook_service(access: HelpdeskAccess) -> HTTPService:
    """The webhook as a service, for messages about it."""
    return HTTPService(
        "the helpdesk",
        access.location,
        url_setting="HELPDESK_API_URL",
        credentials="HELPDESK_API_KEY and HELPDESK_API_SECRET",
        signs_in="api_key and api_secret in the body",
    )


def _origins(item: dict[str, Any], ticket: Ticket) -> dict[str, str]:
    """For each field of `ticket` that is not empty, the name that it has in `item`."""
    return {
        field: name
        for field, names in FIELD_NAMES.items()
        for name in reversed(names)
        if getattr(ticket, field) and read_field(field, item.get(name)) == getattr(ticket, field)
    }


def refuse_failure(answer: Any, service: HTTPService) -> None:
    """Raises what a status within an answer stands for, where it is a failure."""
    if isinstance(answer, dict):
        status = read_text(answer.get("response_code"))
        if re.fullmatch("[4-9][0-9]{2}", status):
            raise refusal(service, int(status), words=reason_of(answer))


def _items(answer: Any, service: HTTPService) -> list[Any]:
    """The list of tickets in an answer. Raises InputError, and what a status within the answer stands for."""
    refuse_failure(answer, service)
    if isinstance(answer, dict):
        answer = answer.get("data")
    if isinstance(answer, dict):
        answer = answer.get("requests")
    if not isinstance(answer, list):
        raise InputError(
            "the answer of the helpdesk does not hold a list of tickets",
            hint='Expected [...], {"data": [...]} or {"response_code": 200, "data": {"requests": [...]}}.',
        )
    return answer
