"""Writes into tickets as the part `update` of a profile says: one writing request at a time, each sent once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from html import escape
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from ...application.ports import TicketUnreadable, WriteResult
from ...domain.catalog import fold
from ...domain.write_back import FIELDS, MARK, ChangeMode, Pair, TicketNow
from ...errors import InputError
from ..network.http import RefusedRequest
from ..options import HelpdeskAccess, HTTPPolicy
from .connection import Connection, connect
from .mapping import HINT, items_of, plain_text
from .placeholders import placeholders
from .profile import Alternatives, Profile, Request, SetPart, UpdatePart

_GONE = (404, 410)
_MOST_PAGES = 50


class ProfileWriter:
    """A helpdesk that is written as its profile says. Usable in one event loop."""

    def __init__(self, profile: Profile, update: UpdatePart, access: HelpdeskAccess, http: HTTPPolicy) -> None:
        self._profile, self._update, self._access, self._http = profile, update, access, http
        setting = update.set
        sent = setting and setting.request
        self._is_guarded = bool(sent and "version" in _names_in([sent.headers, sent.query, sent.json, sent.form]))
        parts = urlsplit(access.location)
        self._origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._ids: dict[str, dict[str, tuple[str, Any]]] = {}
        self._stack = AsyncExitStack()
        self._connection: Connection

    async def __aenter__(self) -> ProfileWriter:
        self._connection = await self._stack.enter_async_context(connect(self._profile, self._access, self._http))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def requests_per_minute(self) -> int | None:
        return self._profile.requests_per_minute

    @property
    def can_fill(self) -> bool:
        return self._update.set is not None

    @property
    def can_note(self) -> bool:
        return self._update.note is not None

    def requests_of(self, mode: ChangeMode) -> int:
        """Reading and reading back, setting the fields, and the note with a look for an earlier one."""
        note = self._update.note
        of_note = (1 + bool(note.read)) if note else 0
        return {"shadow": 0, "suggest": 1 + of_note, "fill": 3 + of_note, "undo": 3}[mode]

    async def read(self, ticket_id: str) -> TicketNow | None:
        part = self._update.read
        try:
            answer = await self._connection.ask(part.request, {"id": ticket_id}, error=part.error)
        except RefusedRequest as refused:
            if refused.status in _GONE:
                return None
            if refused.status == 401:
                raise
            raise TicketUnreadable(str(refused)) from None
        except InputError as error:
            raise TicketUnreadable(str(error)) from None
        item = part.item.search(answer.body) if part.item else answer.body
        if not isinstance(item, Mapping):
            return None
        found = self._text(item, "id")
        if found and found != ticket_id:
            raise TicketUnreadable(f"the helpdesk answered with another ticket, {found[:50]}")
        version = plain_text(part.version.search(item)) if part.version else ""
        return TicketNow(
            id=ticket_id,
            pair=await self._pair(item),
            is_open=self._is_open(item),
            version=version or answer.headers.get(part.version_header, ""),
            notes=self._notes_in(item),
            extra={name: plain_text(found.search(item)) for name, found in part.values.items()},
        )

    async def fill(self, now: TicketNow, pair: Pair) -> WriteResult:
        return await self._set(now, pair, empties=False)

    async def put_back(self, now: TicketNow, pair: Pair) -> WriteResult:
        return await self._set(now, pair, empties=True)

    async def add_note(self, now: TicketNow, text: str) -> WriteResult:
        part = self._update.note
        if part is None:
            raise AssertionError("a caller asks `can_note` first")
        if part.kind == "tag":
            if (now.notes or "").strip() and MARK not in str(now.notes):
                return WriteResult("refused", "a person wrote into the field of the note")
            text = " ".join(text.split())
        values = {**self._values(now), "note": text, "note_html": escape(text).replace("\n", "<br>\n")}
        return await self._connection.write(part.request, values, stale=part.stale, error=part.error)

    async def has_note(self, now: TicketNow, marker: str) -> bool:
        part = self._update.note
        if part is None:
            return False
        if part.read is None or now.notes is not None:
            return marker in (now.notes or "")
        url = ""
        for _ in range(_MOST_PAGES):
            answer = await self._connection.ask(part.read, self._values(now), url=url, error=part.error)
            if marker in _joined(part.texts.search(answer.body)):
                return True
            following = part.next.search(answer.body) if part.next else None
            if not isinstance(following, str) or not following or following == url:
                return False
            url = following
        raise InputError(f"the notes of a ticket have more than {_MOST_PAGES} pages, which is refused", hint=HINT)

    async def _set(self, now: TicketNow, pair: Pair, *, empties: bool) -> WriteResult:
        part = self._update.set
        if part is None:
            raise AssertionError("a caller asks `can_fill` first")
        if self._is_guarded and not now.version:
            return WriteResult("refused", "the helpdesk gave no version, so it could not refuse a stale write")
        sent: dict[str, Any] = {}
        for field, value in zip(FIELDS, pair, strict=True):
            if value:
                sent[field] = await self._sent_as(field, value)
                if problem := self._problem(field, value, sent[field]):
                    return WriteResult("refused", problem)
        missing = [field for field in FIELDS if field not in sent]
        request = _adapted(part, emptied=missing if empties else [], left_out=[] if empties else missing)
        return await self._connection.write(request, {**self._values(now), **sent}, stale=part.stale, error=part.error)

    def _values(self, now: TicketNow) -> dict[str, Any]:
        return {"id": now.id, "version": now.version, "origin": self._origin, **now.extra}

    def _problem(self, field: str, value: str, sent: Any) -> str:
        """Why a value cannot be sent; empty if it can."""
        rule, words = self._update.values.get(field), field.replace("_", " ")
        if rule and rule.longest and len(value) > rule.longest:
            return f"{words} holds {rule.longest} characters, not {len(value)}"
        return f"the helpdesk has no {words} '{value[:100]}'" if sent is None else ""

    async def _sent_as(self, field: str, value: str) -> Any:
        """What stands for a name of the catalog in a request; None if the helpdesk does not have it."""
        ids = await self._ids_of(field)
        return value if ids is None else ids.get(fold(value), ("", None))[1]

    async def _ids_of(self, field: str) -> dict[str, tuple[str, Any]] | None:
        """The names and ids of the helpdesk by folded name, asked for once; None if names are sent as they are."""
        rule = self._update.values.get(field)
        if rule is None or not (rule.map or rule.lookup):
            return None
        if field not in self._ids:
            found = list(rule.map.items())
            if lookup := rule.lookup:
                answer = await self._connection.ask(lookup.request, {}, error=lookup.error)
                items = items_of(lookup.items, answer.body)
                found = [(plain_text(lookup.name.search(item)), lookup.id.search(item)) for item in items]
            self._ids[field] = {fold(name): (name, number) for name, number in found if name}
        return self._ids[field]

    async def _pair(self, item: Mapping[str, Any]) -> Pair:
        category, request_type = [await self._name(field, self._text(item, field)) for field in FIELDS]
        return category, request_type

    async def _name(self, field: str, value: str) -> str:
        """The name for what stands in a field, which may be an id."""
        ids = await self._ids_of(field) if value else None
        if ids is None or fold(value) in ids:
            return value
        empty = self._update.set.empty if self._update.set else ""
        if value == plain_text(empty):
            return ""
        return next((name for name, number in ids.values() if plain_text(number) == value), value)

    def _text(self, item: Mapping[str, Any], field: str) -> str:
        tickets = self._profile.tickets
        expressions: Alternatives = self._update.read.fields.get(field) or tickets.fields.get(field, ())
        return next((text for each in expressions if (text := plain_text(each.search(item)))), "")

    def _is_open(self, item: Mapping[str, Any]) -> bool:
        expression = self._update.read.open or self._profile.tickets.open
        return expression is None or bool(expression.search(item))

    def _notes_in(self, item: Mapping[str, Any]) -> str | None:
        note = self._update.note
        return None if note is None or note.read else _joined(note.texts.search(item))


def _joined(found: Any) -> str:
    return "\n".join(map(plain_text, found)) if isinstance(found, list) else plain_text(found)


def _adapted(part: SetPart, *, emptied: Sequence[str], left_out: Sequence[str]) -> Request:
    """The request with what empties a field in place of the placeholder, and without list elements that are left out.

    A key that is left out needs no change here: its placeholder has no value.
    """
    emptying = {f"${{{field}}}" for field in emptied}

    def adapted(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: adapted(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [adapted(inner) for inner in value if not _names_in(inner) & set(left_out)]
        return part.empty if isinstance(value, str) and value in emptying else value

    request = part.request
    return replace(request, json=adapted(request.json), form=adapted(request.form), query=adapted(request.query))


def _names_in(value: Any) -> set[str]:
    """The names of all placeholders within `value`."""
    if isinstance(value, (Mapping, list)):
        inner = value.values() if isinstance(value, Mapping) else value
        return {name for each in inner for name in _names_in(each)}
    return set(placeholders(value)) if isinstance(value, str) else set()
