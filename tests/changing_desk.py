"""A helpdesk on loopback that is written: it counts, refuses stale writes, and misbehaves on demand."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ticketattr.application.ports import Run
from ticketattr.domain.catalog import RequestType
from ticketattr.domain.ticket import AttributedTicket, Attribution, Source, Ticket, Unattributed
from ticketattr.domain.usage import Bill
from ticketattr.infrastructure.stage_files.work_folder import WorkFolder

from .conftest import CLI
from .fakes import MIDNIGHT, PASSWORD
from .servers import HTTPServer, Request, Response

RUN = "20261123T000000Z-0001"
PROFILE = """\
name: Desk
verified: documentation
headers: {X-Token: "${key}"}
tickets:
  request: {path: /tickets}
  items: tickets
  open: state != 'closed'
  keep: [open]
  fields: {id: id, short_description: title, request_category: category, request_type: type, status: state}
update:
  read:
    request: {path: "/tickets/${id}"}
    version_header: ETag
  set:
    request:
      method: PUT
      path: /tickets/${id}
      headers: {If-Match: "${version}"}
      json: {category: "${request_category}", type: "${request_type}"}
  note:
    request: {method: POST, path: "/tickets/${id}/notes", json: {text: "${note}", internal: true}}
    texts: notes
"""

Hook = Callable[[str, "Held"], Response | None]


@dataclass
class Held:
    """A ticket in the helpdesk."""

    category: str = ""
    type: str = ""
    state: str = "open"
    version: int = 1
    notes: list[str] = field(default_factory=list)
    writes: int = 0
    by_person: tuple[str, str] | None = None

    @property
    def pair(self) -> tuple[str, str]:
        return self.category, self.type

    def person_sets(self, category: str, type: str) -> None:
        """A person chooses a pair on a page of the helpdesk."""
        self.category, self.type, self.by_person = category, type, (category, type)
        self.version += 1


def nothing(id: str, held: Held) -> Response | None:
    return None


@dataclass
class ChangingDesk:
    """`before_read` to `after_note` may change a ticket, and answer in place of the helpdesk, after it has acted."""

    server: HTTPServer
    tickets: dict[str, Held] = field(default_factory=dict)
    before_read: Hook = nothing
    after_read: Hook = nothing
    before_write: Hook = nothing
    after_write: Hook = nothing
    before_note: Hook = nothing
    after_note: Hook = nothing
    is_guarded: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.server.routes["/tickets"] = self.answer

    @property
    def asked(self) -> list[str]:
        """Method and path of each request."""
        return [f"{request.method} {request.path}" for request in self.server.requests]

    def count(self, method: str) -> int:
        return sum(request.method == method for request in self.server.requests)

    def answer(self, request: Request) -> Response:
        with self.lock:
            if request.path == "/tickets":
                return Response(body={"tickets": [self.shown(name) for name in self.tickets]})
            found = re.fullmatch(r"/tickets/([^/]+)(/notes)?", request.path)
            held = self.tickets.get(found[1]) if found else None
            if found is None or held is None:
                return Response(404, {"message": "no such ticket"})
            if request.method == "GET":
                return self.read(found[1], held)
            return self.note(found[1], held, request) if found[2] else self.write(found[1], held, request)

    def shown(self, id: str) -> dict[str, Any]:
        held = self.tickets[id]
        return {
            "id": id,
            "title": f"ticket {id}",
            "category": held.category,
            "type": held.type,
            "state": held.state,
            "notes": held.notes,
        }

    def read(self, id: str, held: Held) -> Response:
        if response := self.before_read(id, held):
            return response
        answer = Response(body=json.dumps(self.shown(id)).encode(), headers={"ETag": f'"{held.version}"'})
        return self.after_read(id, held) or answer

    def write(self, id: str, held: Held, request: Request) -> Response:
        if response := self.before_write(id, held):
            return response
        if self.is_guarded and request.headers.get("If-Match") != f'"{held.version}"':
            return Response(412, {"message": "Precondition Failed"})
        for name, value in request.json.items():
            setattr(held, name, value)
        held.version += 1
        held.writes += 1
        return self.after_write(id, held) or Response(body=self.shown(id))

    def note(self, id: str, held: Held, request: Request) -> Response:
        if response := self.before_note(id, held):
            return response
        assert request.json["internal"] is True
        held.notes.append(request.json["text"])
        held.version += 1
        return self.after_note(id, held) or Response(201, {"id": len(held.notes)})


def attributed(
    id: str, entry: RequestType | None = PASSWORD, confidence: float | None = 0.95, source: Source = "model"
) -> AttributedTicket:
    """A ticket that has no pair yet, with its attribution."""
    outcome = Attribution(entry, source, confidence) if entry else Unattributed("no_match")
    return AttributedTicket(Ticket(id, f"ticket {id}"), outcome)


def prepare(cli: CLI, desk: ChangingDesk, tickets: Iterable[AttributedTicket], run_id: str = RUN) -> None:
    """Put the tickets into the helpdesk, where they are not there yet, and their attributions into the work folder."""
    tickets = list(tickets)
    for one in tickets:
        ticket = one.ticket
        if ticket.id:
            desk.tickets.setdefault(ticket.id, Held(ticket.request_category, ticket.request_type))
    WorkFolder(cli.folder / "work").save_attributions(tickets, Run(run_id, lambda: MIDNIGHT), Bill())
    use(cli, desk.server.url)


def use(cli: CLI, url: str, profile: str = PROFILE) -> None:
    (cli.folder / "desk.yaml").write_text(profile, encoding="utf-8")
    cli.settings |= {"HELPDESK_PROFILE": "./desk.yaml", "HELPDESK_API_URL": url, "HELPDESK_API_KEY": "the-secret-key"}


def listed(cli: CLI) -> list[dict[str, Any]]:
    """The changes of the ledger."""
    changes: list[dict[str, Any]] = json.loads(cli.ok("changes", "list", "--format", "json").stdout)
    return changes


def states(cli: CLI) -> Counter[str]:
    return Counter(f"{change['mode']} {change['state']}" for change in listed(cli))


def applied_file(cli: CLI, run_id: str = RUN) -> Path:
    return cli.folder / "work" / run_id / "applied.json"
