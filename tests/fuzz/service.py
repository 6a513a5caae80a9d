"""What strangers send to the service: requests to the API, and answers of the chat platforms.

The first byte selects a call or a platform; the rest is its body, its query or its answer.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import datetime, timezone
from functools import cache
from typing import Any
from urllib.parse import quote

import anyio
import httpx
from telegram import Bot
from telegram.request import BaseRequest, RequestData

from ticketattr.application.service.chat import ChatDesk, ChatFiles, ChatPlatform
from ticketattr.domain.access import digest_of
from ticketattr.domain.chat import AllowedSender, Sender, TextReply
from ticketattr.entrypoint.web.api import router as api_router
from ticketattr.entrypoint.web.app import build_app
from ticketattr.entrypoint.web.pages import router as pages_router
from ticketattr.entrypoint.web.parts import COOKIE
from ticketattr.infrastructure.chat.matrix import Matrix
from ticketattr.infrastructure.chat.telegram import Telegram

from ..chat_servers import BOT, PERSON, ROOM, TELEGRAM_TOKEN
from ..doors import routes
from ..entrypoint.web.conftest import NEVER, Web, parts_in
from .promise import folder, keeps_promise

CALLS = tuple(
    f"{method} {router.prefix}{path}"
    for router in (api_router, pages_router)
    for method, path in map(str.split, routes(router))
    if path != "/sign-out"
)
"""Every address but the one that ends the session.

What follows is a body for those that change something, else the part in braces, or a query.
"""

SENT = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
SENDERS = (Sender("matrix", ROOM, PERSON), Sender("telegram", "7", "7"))


@cache
def _web() -> tuple[Any, dict[str, str]]:
    """The application, and the headers of somebody who may do everything."""
    parts = parts_in(folder() / "web")
    token = Web("", parts).token()
    parts.service.state.start_session(digest_of("session"), "ann", datetime.max.replace(tzinfo=timezone.utc))
    return build_app(parts, interval=NEVER), {"Authorization": f"Bearer {token}", "Cookie": f"{COOKIE}=session"}


def call(address: str, rest: bytes) -> bytes:
    """The input of `api` that sends `rest` to an address such as `GET /api/v1/runs/{number}`."""
    return bytes([CALLS.index(address)]) + rest


def api(content: bytes) -> None:
    """No request is a fault of the server, and every refusal is a problem document or a page."""
    place, rest = (content[0], content[1:]) if content else (0, b"")
    method, path = CALLS[place % len(CALLS)].split()
    app, headers = _web()

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765", headers=headers) as client:
            if method != "GET":
                kind = "application/json" if path.startswith("/api/") else "application/x-www-form-urlencoded"
                return await client.request(method, path, content=rest, headers={"Content-Type": kind})
            before, brace, after = path.partition("{")
            end = after.partition("}")[2] if brace else "?"
            asked = quote(rest, safe="=&+%")
            return await client.get(f"{before}{asked}{end}" if brace else f"{before}{end}{asked}")

    with keeps_promise():
        response = anyio.run(answer)
        assert response.status_code < 500
        if response.status_code >= 400 and path.startswith("/api/"):
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["status"] == response.status_code


def chat(content: bytes) -> None:
    """What a platform answers becomes messages, and each of them a reply that can be sent, or nothing."""
    place, rest = (content[0], content[1:]) if content else (0, b"")
    with keeps_promise():
        desk = _desk()
        for message in anyio.run(_received, _matrix(rest) if place % 2 else _telegram(rest)):
            reply = desk.answer(message)
            assert reply is None or not isinstance(reply, TextReply) or reply.text.encode()


async def _received(platform: ChatPlatform) -> Any:
    try:
        return await platform.receive()
    finally:
        await platform.close()


def _matrix(sync: bytes) -> Matrix:
    def answer(request: httpx.Request) -> httpx.Response:
        content = sync if request.url.path.endswith("/sync") else b'{"joined": {}}'
        return httpx.Response(200, stream=httpx.ByteStream(content))

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://localhost")
    return Matrix("http://localhost", BOT, "token", frozenset((ROOM,)), _client=client)


def _telegram(updates: bytes) -> Telegram:
    polling = _Answers(updates)
    return Telegram(
        TELEGRAM_TOKEN, lambda: SENT, _bot=Bot(TELEGRAM_TOKEN, request=_Answers(b"{}"), get_updates_request=polling)
    )


class _Answers(BaseRequest):
    """The network of a bot, which answers everything in the same way."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def read_timeout(self) -> float:
        return 1.0

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *timeouts: Any, **more: Any
    ) -> tuple[int, bytes]:
        return 200, b'{"ok": true, "result": true}' if "answerCallbackQuery" in url else self._content


def _desk() -> ChatDesk:
    """A desk that has not seen any message yet, at the time of the messages of the seeds."""
    place = folder() / "chat"
    shutil.rmtree(place, ignore_errors=True)
    parts = parts_in(place)
    service = replace(parts.service, clock=lambda: SENT)
    files = ChatFiles(lambda: parts.tracker.statuses(), lambda: b"file,state\n", lambda line: line)
    allowed = [AllowedSender(sender, "operate") for sender in SENDERS]
    return ChatDesk(service, allowed, files, lambda: "s0", {"telegram": 1_000, "matrix": 1_000})


def sync_of(*texts: str) -> bytes:
    """An answer of Matrix with these messages."""
    events = [
        {
            "event_id": f"$e{number}",
            "sender": PERSON,
            "origin_server_ts": int(SENT.timestamp()) * 1000,
            "content": {"msgtype": "m.text", "body": text},
        }
        for number, text in enumerate(texts)
    ]
    rooms = {"join": {ROOM: {"timeline": {"events": events}}}, "invite": {ROOM: {}}}
    return json.dumps({"next_batch": "s1", "rooms": rooms}).encode()


def updates_of(*texts: str) -> bytes:
    """An answer of Telegram with these messages, the last of which is a button."""
    ann = {"id": 7, "is_bot": False, "first_name": "Ann"}
    message = {"message_id": 1, "date": int(SENT.timestamp()), "chat": {"id": 7, "type": "private"}, "from": ann}
    written = [
        {"update_id": number, "message": {**message, "text": text, "entities": []}}
        for number, text in enumerate(texts, start=1)
    ]
    pressed = {"id": "1", "from": ann, "message": message, "chat_instance": "1", "data": "/run"}
    return json.dumps({"ok": True, "result": [*written, {"update_id": 99, "callback_query": pressed}]}).encode()
