"""The helpdesk webhook: POST {api_key, api_secret}, answered in one of three shapes.

    [...]    {"data": [...]}    {"response_code": 200, "data": {"requests": [...]}}

An item is {id | ticket_id, short_description | subject, long_description | description | body,
requester_email, created_at, request_category, request_type, sla: {unit, value}}; all may be missing.
Empty strings, and zeros in `sla`, mean "not set". Other fields are kept as they came.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import Any

from ...domain.catalog import SLA, sla_unit
from ...domain.ticket import Ticket
from ...errors import InputError
from ..json_text import parse_json
from ..options import HelpdeskAccess, HTTPPolicy
from .http import Call, Endpoint, refusal
from .locations import read_location

_HINT = "Check HELPDESK_API_URL, and what answers there."
_ALIASES = {
    "id": ("id", "ticket_id"),
    "short_description": ("short_description", "subject"),
    "long_description": ("long_description", "description", "body"),
    "requester_email": ("requester_email",),
    "created_at": ("created_at",),
    "request_category": ("request_category",),
    "request_type": ("request_type",),
}


@dataclass(frozen=True, slots=True)
class WebhookHelpdesk:
    access: HelpdeskAccess
    http: HTTPPolicy

    def fetch_tickets(self) -> list[Ticket]:
        endpoint = Endpoint(
            "the helpdesk",
            self.access.location,
            url_setting="HELPDESK_API_URL",
            credentials="HELPDESK_API_KEY and HELPDESK_API_SECRET",
        )
        credentials = {"api_key": self.access.api_key, "api_secret": self.access.api_secret}
        answer = read_location(endpoint, self.http, Call(credentials))
        items = _items(parse_json(answer.content, "the answer of the helpdesk", hint=_HINT), endpoint)
        return [_ticket(item, place) for place, item in enumerate(items, start=1)]


def _items(answer: Any, endpoint: Endpoint) -> list[Any]:
    if isinstance(answer, dict):
        status = _text(answer.get("response_code"))
        if re.fullmatch("[4-9][0-9]{2}", status):
            raise refusal(endpoint, int(status))
        answer = answer.get("data")
    if isinstance(answer, dict):
        answer = answer.get("requests")
    if not isinstance(answer, list):
        raise InputError(
            "the answer of the helpdesk holds no list of tickets",
            hint='Expected [...], {"data": [...]} or {"response_code": 200, "data": {"requests": [...]}}.',
        )
    return answer


def _ticket(item: Any, place: int) -> Ticket:
    if not isinstance(item, dict):
        # Leaving it out would lose a ticket without a word.
        raise InputError(
            f"item {place} in the answer of the helpdesk is no ticket but {type(item).__name__}", hint=_HINT
        )
    known = {name: _first(item, aliases) for name, aliases in _ALIASES.items()}
    sla = _sla(item.get("sla"))
    used = {alias for name, aliases in _ALIASES.items() for alias in aliases if _text(item.get(alias)) == known[name]}
    extra = {key: value for key, value in item.items() if key not in used and not (key == "sla" and sla)}
    return Ticket(**known, sla=sla, extra=extra)


def _first(item: dict[str, Any], aliases: tuple[str, ...]) -> str:
    return next((text for alias in aliases if (text := _text(item.get(alias)))), "")


def _text(value: Any) -> str:
    """`value` as text: nothing is empty, 17.0 is 17, and what should not be there at all is shown as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def _sla(value: Any) -> SLA | None:
    """The SLA that a ticket came with, unless it is not set or none that we know."""
    if not isinstance(value, dict):
        return None
    amount, unit = value.get("value"), sla_unit(_text(value.get("unit")))
    if unit is None or isinstance(amount, bool) or not isinstance(amount, (int, float)):
        return None
    return SLA(amount, unit) if 0 < amount <= sys.float_info.max else None
