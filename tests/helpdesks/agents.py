"""What an agent sees and does in a real helpdesk, over its own API and not over a profile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from .servers import Desk

Pair = tuple[str, str]


@dataclass(frozen=True)
class Agent:
    """An agent of the helpdesk behind `client`."""

    client: httpx.Client
    profile: str

    def pair(self, ticket_id: str) -> Pair:
        """Category and request type of a ticket."""
        if self.profile == "rt":
            fields = self._get(f"/REST/2.0/ticket/{ticket_id}")["CustomFields"]
            found = {field["name"]: (field["values"] or [""])[0] or "" for field in fields}
            return found["Category"], found["RequestType"]
        if self.profile == "roundup":
            found = self._get(f"/rest/data/issue/{ticket_id}")["data"]["attributes"]
            return found["category"] or "", found["request_type"] or ""
        found = self._get(f"/api/tickets/{ticket_id}/")
        return found["custom_category"] or "", found["custom_request_type"] or ""

    def choose(self, ticket_id: str, pair: Pair) -> None:
        """Set category and request type."""
        category, request_type = pair
        if self.profile == "rt":
            body: dict[str, Any] = {"CustomFields": {"Category": category, "RequestType": request_type}}
            self.client.put(f"/REST/2.0/ticket/{ticket_id}", json=body).raise_for_status()
        elif self.profile == "roundup":
            path = f"/rest/data/issue/{ticket_id}"
            headers = {"If-Match": self._get(path)["data"]["@etag"]}
            body = {"category": category, "request_type": request_type}
            self.client.patch(path, json=body, headers=headers).raise_for_status()
        else:
            body = {"custom_category": category, "custom_request_type": request_type}
            self.client.patch(f"/api/tickets/{ticket_id}/", json=body).raise_for_status()

    def internal_notes(self, ticket_id: str) -> list[str]:
        """The notes of this program. Fails if somebody outside the desk could see one."""
        if self.profile == "rt":
            query = {"fields": "Content,TransactionId", "per_page": 100}
            items = self._get(f"/REST/2.0/ticket/{ticket_id}/attachments", query)["items"]
            notes = [item for item in items if "[ticketattr:" in item["Content"]]
            for note in notes:
                assert self._get(f"/REST/2.0/transaction/{_id_of(note['TransactionId'])}")["Type"] == "Comment"
            return [note["Content"] for note in notes]
        if self.profile == "roundup":
            found = self._get(f"/rest/data/issue/{ticket_id}")["data"]["attributes"]
            assert len(found["messages"]) == 1, "a message would be mailed"
            return [found["triage_note"]] if found["triage_note"] else []
        followups = self._get(f"/api/tickets/{ticket_id}/")["followup_set"]
        notes = [each for each in followups if "[ticketattr:" in (each["comment"] or "")]
        assert not any(note["public"] for note in notes)
        return [note["comment"] for note in notes]

    def title(self, ticket_id: str) -> str:
        """The title of a ticket, which a note must not change."""
        if self.profile == "rt":
            return str(self._get(f"/REST/2.0/ticket/{ticket_id}")["Subject"])
        if self.profile == "roundup":
            return str(self._get(f"/rest/data/issue/{ticket_id}")["data"]["attributes"]["title"])
        return str(self._get(f"/api/tickets/{ticket_id}/")["title"])

    def _get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        return self.client.get(path, params=query).raise_for_status().json()


def _id_of(value: Any) -> Any:
    return value["id"] if isinstance(value, dict) else value


@contextmanager
def agent_of(desk: Desk) -> Iterator[Agent]:
    """An agent who is logged in."""
    headers = {"X-Requested-With": "rest", "Origin": desk.url} if desk.profile == "roundup" else {}
    with httpx.Client(base_url=desk.url, auth=(desk.user, desk.password), headers=headers, timeout=60.0) as client:
        yield Agent(client, desk.profile)
