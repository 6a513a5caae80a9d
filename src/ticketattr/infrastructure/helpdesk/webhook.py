"""The helpdesk webhook: POST {api_key, api_secret}, which has a response in one of three shapes.

    [...]    {"data": [...]}    {"response_code": 200, "data": {"requests": [...]}}    one object a line

An item is {id | ticket_id, short_description | subject, long_description | description_text | description | body,
requester_email, created_at, request_category, request_type, sla: {unit, value}}; every field may be missing. Other
fields are kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import anyio

from ...domain.ticket import Ticket
from ...errors import InputError
from ..http import HTTPRequest, HTTPService, open_session, refusal
from ..json_text import parse_foreign_json
from ..locations import is_remote, read_file
from ..options import HelpdeskAccess, HTTPPolicy
from .ticket_fields import FieldNames, read_text, read_ticket

_FIELD_NAMES: FieldNames = {
    "id": ("id", "ticket_id"),
    "short_description": ("short_description", "subject"),
    "long_description": ("long_description", "description_text", "description", "body"),
    "requester_email": ("requester_email",),
    "created_at": ("created_at",),
    "request_category": ("request_category",),
    "request_type": ("request_type",),
}


@dataclass(frozen=True, slots=True)
class WebhookHelpdesk:
    """Reads the queue from the webhook, or from a file with a response of it."""

    access: HelpdeskAccess
    http: HTTPPolicy

    def fetch_tickets(self) -> list[Ticket]:
        content = anyio.run(self._request) if is_remote(self.access.location) else read_file(self._service)
        hint = f"Check {self._service.url_setting}, and what answers there."
        is_lines = self.access.location.lower().endswith((".jsonl", ".ndjson"))
        answer = parse_foreign_json(content, "the answer of the helpdesk", is_lines=is_lines, hint=hint)
        items = _items(answer, self._service)
        return [read_ticket(item, position, _FIELD_NAMES, hint=hint) for position, item in enumerate(items, start=1)]

    async def _request(self) -> bytes:
        credentials = {"api_key": self.access.api_key, "api_secret": self.access.api_secret}
        async with open_session(self._service, self.http) as session:
            response = await session.send(HTTPRequest("POST", body=credentials))
        return response.content

    @property
    def _service(self) -> HTTPService:
        return HTTPService(
            "the helpdesk",
            self.access.location,
            url_setting="HELPDESK_API_URL",
            credentials="HELPDESK_API_KEY and HELPDESK_API_SECRET",
        )


def _items(answer: Any, service: HTTPService) -> list[Any]:
    if isinstance(answer, dict):
        status = read_text(answer.get("response_code"))
        if re.fullmatch("[4-9][0-9]{2}", status):
            raise refusal(service, int(status))
        answer = answer.get("data")
    if isinstance(answer, dict):
        answer = answer.get("requests")
    if not isinstance(answer, list):
        raise InputError(
            "the answer of the helpdesk does not hold a list of tickets",
            hint='Expected [...], {"data": [...]} or {"response_code": 200, "data": {"requests": [...]}}.',
        )
    return answer
