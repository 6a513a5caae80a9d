"""Small stand-ins of the Bot API of Telegram and of a Matrix homeserver, on loopback.

They do what the documentation of both says about the calls that we make: long polling, files, buttons, flood control.
"""

from __future__ import annotations

import email.parser
import email.policy
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TELEGRAM_TOKEN = "123456:LOOPBACK"
MATRIX_TOKEN = "matrix-token"
ROOM, BOT, PERSON = "!room:loop.test", "@bot:loop.test", "@ann:loop.test"
_BOT = {"id": 123456, "is_bot": True, "first_name": "ticketattr", "username": "ticketattr_bot"}


@dataclass
class Said:
    """What the program sent into a chat: a text or a file, and the label and the answer of a button."""

    text: str
    name: str = ""
    content: bytes = b""
    button: tuple[str, str] = ("", "")


@dataclass
class ChatServer:
    """A platform on loopback. `refusals`: answers that the next calls to send get instead: a status and a body."""

    url: str = ""
    said: list[Said] = field(default_factory=list)
    refusals: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    members: int = 2
    changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, update: dict[str, Any]) -> None:
        with self.changed:
            self.updates.append(update)
            self.changed.notify_all()

    def wait_for(self, start: int, seconds: float) -> list[dict[str, Any]]:
        with self.changed:
            self.changed.wait_for(lambda: len(self.updates) > start, seconds)
            return self.updates[start:]


class TelegramServer(ChatServer):
    confirmed = 0

    def write(self, text: str, *, chat: int = 7, user: int = 7, age: float = 0) -> None:
        chat_shown = {"id": chat, "type": "private" if chat > 0 else "group", "title": "ops", "first_name": "Ann"}
        who = {"id": user, "is_bot": False, "first_name": "Ann"}
        message = {"message_id": 1, "date": int(time.time() - age), "chat": chat_shown, "from": who, "text": text}
        self.add({"update_id": 1000 + len(self.updates), "message": message})

    def press(self, answer: str, *, user: int = 7) -> None:
        who = {"id": user, "is_bot": False, "first_name": "Ann"}
        message = {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private", "first_name": "Ann"}}
        query = {"id": "1", "from": who, "chat_instance": "1", "data": answer, "message": message}
        self.add({"update_id": 1000 + len(self.updates), "callback_query": query})

    def answer(self, method: str, path: str, query: dict[str, str], headers: Any, body: bytes) -> tuple[int, Any]:
        _, token, call = path.split("/")
        if token != f"bot{TELEGRAM_TOKEN}":
            return 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}
        fields, files = _form(headers.get("Content-Type", ""), body)
        self.calls.append(call)
        result: Any = True
        if call == "getMe":
            result = _BOT
        elif call == "getUpdates":
            # An offset confirms all updates before it: they do not come again, also after a restart.
            self.confirmed = start = max(self.confirmed, int(fields.get("offset", 0)) - 1000)
            result = self.wait_for(start, min(0.5, float(fields.get("timeout", 0))))
        elif call in ("sendMessage", "sendDocument"):
            if "chat_id" not in fields:  # its sender was killed
                return 400, {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}
            if self.refusals:
                return self.refusals.pop(0)
            name, content = next(iter(files.values()), ("", b""))
            button = json.loads(fields.get("reply_markup", "{}")).get("inline_keyboard", [[{}]])[0][0]
            label = (button.get("text", ""), button.get("callback_data", ""))
            self.said.append(Said(fields.get("text", fields.get("caption", "")), name, content, label))
            result = {"message_id": 1, "date": 1, "chat": {"id": int(fields["chat_id"]), "type": "private"}}
        return 200, {"ok": True, "result": result}


class MatrixServer(ChatServer):
    invited = True

    def write(self, text: str, *, room: str = ROOM, user: str = PERSON, age: float = 0) -> None:
        content = {"msgtype": "m.text", "body": text}
        at = int((time.time() - age) * 1000)
        number = f"${len(self.updates)}"
        event = {
            "type": "m.room.message",
            "sender": user,
            "event_id": number,
            "origin_server_ts": at,
            "content": content,
        }
        self.add({"room": room, "event": event})

    def answer(self, method: str, path: str, query: dict[str, str], headers: Any, body: bytes) -> tuple[int, Any]:
        if headers.get("Authorization") != f"Bearer {MATRIX_TOKEN}":
            return 401, {"errcode": "M_UNKNOWN_TOKEN", "error": "Invalid access token"}
        self.calls.append(path)
        if path.endswith("/sync"):
            start = int(query.get("since", "0"))
            rooms: dict[str, Any] = {}
            for update in self.wait_for(start, min(0.5, int(query.get("timeout", 0)) / 1000)):
                rooms.setdefault(update["room"], {"timeline": {"events": []}})["timeline"]["events"].append(
                    update["event"]
                )
            invite: dict[str, Any] = {ROOM: {}, "!stranger:loop.test": {}} if self.invited else {}
            return 200, {"next_batch": str(len(self.updates)), "rooms": {"join": rooms, "invite": invite}}
        if "/join/" in path:
            self.invited = False
            return 200, {"room_id": path.rpartition("/")[2]}
        if path.endswith("/joined_members"):
            return 200, {"joined": {f"@{number}:loop.test": {} for number in range(self.members)}}
        if path.endswith("/upload"):
            self.files.append((query["filename"], body))
            return 200, {"content_uri": f"mxc://loop.test/{len(self.files) - 1}"}
        return self.refusals.pop(0) if self.refusals else self._said(json.loads(body))

    def _said(self, content: dict[str, Any]) -> tuple[int, Any]:
        if content["msgtype"] == "m.file":
            self.said.append(Said("", *self.files[int(content["url"].rpartition("/")[2])]))
        else:
            self.said.append(Said(content["body"]))
        return 200, {"event_id": "$sent"}


@contextmanager
def chat_server(server: TelegramServer | MatrixServer) -> Iterator[None]:
    """Serve the stand-in for the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_request(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            if len(body) < length:
                return  # The client was killed in between.
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, answer = server.answer(self.command, unquote(parts.path), query, self.headers, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def handle(self) -> None:
            # A program that is killed closes its connections at any time.
            with suppress(ConnectionError):
                super().handle()

        do_GET = do_POST = do_PUT = handle_request  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        server.url = f"http://127.0.0.1:{listener.server_address[1]}"
        threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield
        listener.shutdown()


def _form(kind: str, body: bytes) -> tuple[dict[str, str], dict[str, tuple[str, bytes]]]:
    """The fields and the files of a form."""
    if not kind.startswith("multipart/"):
        return {name: values[0] for name, values in parse_qs(body.decode()).items()}, {}
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        f"Content-Type: {kind}\r\n\r\n".encode() + body
    )
    fields: dict[str, str] = {}
    files: dict[str, tuple[str, bytes]] = {}
    for part in message.iter_parts():
        name, content = str(part.get_param("name", header="content-disposition")), part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if file := part.get_filename():
            files[name] = (file, content)
        else:
            fields[name] = content.decode()
    return fields, files
