"""Matrix, by the client-server API: long polling with /sync, in rooms that are not encrypted."""

from __future__ import annotations

import json
import logging
import mimetypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from html import escape
from typing import Any, ClassVar
from urllib.parse import quote
from uuid import uuid4

import httpx

from ...domain.chat import ChatMessage, FileReply, Platform, Reply, Sender
from ...errors import ServiceError, SettingsError
from ..json_text import whole_characters
from ..network.service_words import service_words

POLL = 25
"""Seconds that the homeserver may wait for a message before it answers."""

_MAX_ANSWER = 16 * 1024 * 1024
_ROOM = {"timeline": {"limit": 50, "types": ["m.room.message"]}, "state": {"types": []}, "ephemeral": {"types": []}}
_FILTER = {"room": _ROOM, "presence": {"types": []}, "account_data": {"types": []}}

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Matrix:
    """The account `user` (@name:server) on the server at `homeserver`. It enters `rooms` when it is invited."""

    homeserver: str
    user: str
    token: str = field(repr=False)
    rooms: frozenset[str] = frozenset()
    name: ClassVar[Platform] = "matrix"
    max_file: int = 50_000_000
    _client: httpx.AsyncClient | None = field(default=None, repr=False)
    _since: str = ""

    async def receive(self) -> Sequence[ChatMessage]:
        parameters = {"filter": json.dumps(_FILTER), "timeout": str(POLL * 1000)}
        if self._since:
            parameters["since"] = self._since
        answer = await self._call("GET", "v3/sync", params=parameters)
        rooms = _mapping(answer.get("rooms"))
        for room in self.rooms.intersection(_mapping(rooms.get("invite"))):
            await self._enter(room)
        messages = [message for message in _messages(_mapping(rooms.get("join"))) if message.sender.user != self.user]
        private = {room: await self._is_private(room) for room in {message.sender.chat for message in messages}}
        # Not before: after an error, the messages come again.
        self._since = str(answer.get("next_batch") or "")
        return [replace(message, is_private=private[message.sender.chat]) for message in messages]

    async def send(self, chat: str, reply: Reply) -> None:
        if isinstance(reply, FileReply):
            content = await self._uploaded(reply)
        else:
            text = reply.text
            if reply.button:
                # No button of Matrix works in every program.
                text = f"{text}\n{reply.button}: send {reply.answer.replace('/', '!', 1)}"
            content = {
                "msgtype": "m.notice",
                "body": text,
                "format": "org.matrix.custom.html",
                "formatted_body": escape(text).replace("\n", "<br>"),
            }
        place = f"v3/rooms/{quote(chat, safe='')}/send/m.room.message/{uuid4().hex}"
        await self._call("PUT", place, json=content)

    async def close(self) -> None:
        if self._client:
            # What was received and not answered comes again, here or on another host.
            client, self._client, self._since = self._client, None, ""
            await client.aclose()

    async def _enter(self, room: str) -> None:
        try:
            await self._call("POST", f"v3/join/{quote(room, safe='')}", json={})
        except (ServiceError, SettingsError) as error:
            # The other rooms are answered all the same.
            log.error("the room %s was not entered: %s", room, error)

    async def _is_private(self, room: str) -> bool:
        """Whether at most one person is in the room besides this account."""
        if room not in self.rooms:
            return False
        answer = await self._call("GET", f"v3/rooms/{quote(room, safe='')}/joined_members")
        return len(_mapping(answer.get("joined"))) <= 2

    async def _uploaded(self, reply: FileReply) -> dict[str, Any]:
        kind = mimetypes.guess_type(reply.name)[0] or "application/octet-stream"
        try:
            content = reply.path.read_bytes() if reply.path else reply.content
        except OSError as error:
            raise ServiceError(f"the file for a chat cannot be read: {error.strerror}") from error
        place, headers = f"/_matrix/media/v3/upload?filename={quote(reply.name)}", {"Content-Type": kind}
        uploaded = await self._call("POST", place, content=content, headers=headers)
        about = {"size": len(content), "mimetype": kind}
        return {
            "msgtype": "m.file",
            "body": reply.name,
            "filename": reply.name,
            "url": uploaded.get("content_uri"),
            "info": about,
        }

    async def _call(self, method: str, place: str, **options: Any) -> dict[str, Any]:
        path = place if place.startswith("/") else f"/_matrix/client/{place}"
        if self._client is None:
            headers = {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "identity"}
            self._client = httpx.AsyncClient(base_url=self.homeserver.rstrip("/"), headers=headers, timeout=POLL + 15)
        try:
            async with self._client.stream(method, path, **options) as response:
                content = b""
                async for chunk in response.aiter_raw():
                    content += chunk
                    if len(content) > _MAX_ANSWER:
                        raise ServiceError("the Matrix server sends an answer without end")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ServiceError(
                f"the Matrix server cannot be reached: {type(error).__name__}",
                hint="Check the network and CHAT_MATRIX_HOMESERVER.",
            ) from error
        return _answer(response.status_code, content)


def _answer(status: int, content: bytes) -> dict[str, Any]:
    """The JSON object in an answer. Raises SettingsError or ServiceError for a refusal."""
    answer = _parsed(content)
    if 200 <= status < 300 and answer is not None:
        return answer
    words = service_words((answer or {}).get("error") or f"HTTP {status}")
    if status in (401, 403):
        raise SettingsError(f"the Matrix server refuses: {words}", hint="Check CHAT_MATRIX_TOKEN and CHAT_MATRIX_USER.")
    raise ServiceError(f"the Matrix server refuses: {words}")


def _parsed(content: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _messages(rooms: dict[str, Any]) -> Iterator[ChatMessage]:
    for room, content in rooms.items():
        events = _mapping(_mapping(content).get("timeline")).get("events")
        for event in events if isinstance(events, list) else ():
            message = _message(room, _mapping(event))
            if message:
                yield message


def _message(room: str, event: dict[str, Any]) -> ChatMessage | None:
    content = _mapping(event.get("content"))
    text, user, number, at = (
        content.get("body"),
        event.get("sender"),
        event.get("event_id"),
        event.get("origin_server_ts"),
    )
    is_text = content.get("msgtype") == "m.text" and all(isinstance(one, str) for one in (text, user, number))
    if not is_text or not isinstance(at, int) or not 0 <= at < 4_102_444_800_000:
        return None
    sent = datetime.fromtimestamp(at / 1000, timezone.utc)
    who = Sender("matrix", whole_characters(room), whole_characters(str(user)))
    return ChatMessage(whole_characters(str(number)), who, whole_characters(str(text)), sent)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
