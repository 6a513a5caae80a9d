"""Real servers on loopback: HTTP (helpdesk, catalog, Gemini) and SMTP."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as email_policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, get_args

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from ticketattr.infrastructure.classifiers.gemini.chat_model import GeminiChatModel
from ticketattr.infrastructure.classifiers.llm.chat_model import ChatModel
from ticketattr.infrastructure.classifiers.llm.classifier import LLMClassifier
from ticketattr.infrastructure.classifiers.llm.parameters import Parameter
from ticketattr.infrastructure.classifiers.openai.chat_model import OpenAIChatModel
from ticketattr.infrastructure.options import ChatModelOptions, LLMOptions


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Response:
    """`body` is sent unchanged if it is bytes, otherwise as JSON. `hang_up` closes the connection without response."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Answer = Callable[[Request], Response]


@dataclass
class HTTPServer:
    """Answers a path with its function, or with the responses of its list in turn; the last response is repeated."""

    url: str
    routes: dict[str, Answer | list[Response]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        self.requests.append(request)
        for prefix, route in self.routes.items():
            if request.path.startswith(prefix):
                if callable(route):
                    return route(request)
                return route.pop(0) if len(route) > 1 else route[0]
        return Response(404)


@contextmanager
def http_server() -> Iterator[HTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            request = Request(self.command, self.path, dict(self.headers), self.rfile.read(length))
            response = server.answer(request)
            if response.hang_up:
                self.close_connection = True
                return
            self.send_response(response.status)
            for name, value in {"Content-Length": str(len(response.content)), **response.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.content)

        do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815  # the names that http.server looks for

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            # A client may close the connection at any time.
            if not isinstance(sys.exc_info()[1], ConnectionError):
                super().handle_error(request, client_address)

    listener = Listener(("127.0.0.1", 0), Handler)
    server = HTTPServer(f"http://127.0.0.1:{listener.server_address[1]}")
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


@dataclass
class MailServer:
    """A real SMTP server: the messages that it received, and the replies to the commands that it refuses.

    `contents` are the bytes of the messages that it received, `begun` the times at which somebody began to send one, in
    seconds of the monotonic clock. `after_data` is called before it accepts a message.
    """

    host: str = "127.0.0.1"
    port: int = 0
    refuse: dict[str, str] = field(default_factory=dict)
    refuse_recipients: dict[str, str] = field(default_factory=dict)
    drop_after_data: bool = False
    after_data: Callable[[], None] | None = None
    received: list[EmailMessage] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    begun: list[float] = field(default_factory=list)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.begun.append(time.monotonic())
        if "MAIL" in self.refuse:
            return self.refuse["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse_recipients:
            return self.refuse_recipients[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "DATA" in self.refuse:
            return self.refuse["DATA"]
        content = envelope.original_content or b""
        self.contents.append(content)
        self.received.append(message_from_bytes(content, policy=email_policy))
        self.recipients.append(list(envelope.rcpt_tos))
        self.encrypted.append(session.ssl is not None)
        if self.after_data:
            self.after_data()
        if self.drop_after_data:
            self.drop_after_data = False
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 Message accepted for delivery"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password == b"right password", handled=False)


@contextmanager
def smtp_server(
    *, tls: ssl.SSLContext | None = None, implicit_tls: bool = False, auth: bool = False
) -> Iterator[MailServer]:
    """With `tls`, the server offers STARTTLS, or uses TLS from the start; with `auth`, it requires a login."""
    mail = MailServer()
    loop = asyncio.new_event_loop()
    sessions: list[SMTP] = []

    def session() -> SMTP:
        started = SMTP(
            mail,
            hostname="localhost",
            tls_context=None if implicit_tls else tls,
            require_starttls=bool(tls and not implicit_tls),
            authenticator=mail.authenticate if auth else None,
            auth_required=auth,
            auth_require_tls=bool(tls),
            loop=loop,
        )
        sessions.append(started)
        return started

    async def end_sessions() -> None:
        """A connection closes in several steps of its loop, which therefore must not be closed at once."""
        while remaining := [one.transport for one in sessions if isinstance(one.transport, asyncio.Transport)]:
            for transport in remaining:
                transport.abort()
            await asyncio.sleep(0)

    starting = loop.create_server(session, mail.host, 0, ssl=tls if implicit_tls else None)
    listener = loop.run_until_complete(starting)
    mail.port = listener.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield mail
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        listener.close()
        loop.run_until_complete(end_sessions())
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def gemini(choose: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Answer:
    """A fake Gemini. `choose` returns the answer for each ticket of a request; None omits the ticket."""

    def answer(request: Request) -> Response:
        items = [
            {"id": ticket["id"], **chosen}
            for ticket in asked_tickets(request)
            if (chosen := choose(ticket)) is not None
        ]
        return gemini_text(json.dumps({"items": items}))

    return answer


def gemini_text(text: str, finish: str = "STOP") -> Response:
    content = {"role": "model", "parts": [{"text": text}]}
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
    return Response(body={"candidates": [{"content": content, "finishReason": finish}], "usageMetadata": usage})


def gemini_error(code: int, status: str, details: list[Any] | None = None, message: str = "no") -> Response:
    return Response(code, {"error": {"code": code, "status": status, "message": message, "details": details or []}})


def openai(choose: Callable[[dict[str, Any]], dict[str, Any] | None], **answer: Any) -> Answer:
    """A fake server of OpenAI's protocol. `choose` returns the answer for each ticket; None omits the ticket."""
    of_gemini = gemini(choose)

    def reply(request: Request) -> Response:
        text = of_gemini(request).body["candidates"][0]["content"]["parts"][0]["text"]
        return openai_text(text, **{"model": request.json["model"], **answer})

    return reply


def openai_text(text: Any, finish: str | None = "stop", **answer: Any) -> Response:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return Response(body={"object": "chat.completion", "choices": [choice], "usage": usage, **answer})


def openai_error(status: int, message: str = "no", **error: Any) -> Response:
    return Response(status, {"error": {"message": message, "type": "error", "param": None, "code": None, **error}})


def asked_tickets(request: Request) -> list[dict[str, Any]]:
    """The tickets that a request to Gemini, or to a server of OpenAI's protocol, asks about."""
    asked = request.json
    question: str = (
        asked["messages"][-1]["content"] if "messages" in asked else asked["contents"][0]["parts"][0]["text"]
    )
    tickets: list[dict[str, Any]] = json.loads(question.rpartition("<tickets>\n")[2].split("\n")[0])
    return tickets


def openai_classifier(url: str, **options: Any) -> LLMClassifier:
    """The classifier that asks a server of OpenAI's protocol at `url`; `options` as for Gemini."""
    return _classifier(OpenAIChatModel, {"base_url": f"{url}/v1", "models": ("model-1",), **options})


def gemini_classifier(url: str, **options: Any) -> LLMClassifier:
    """The classifier that asks Gemini at `url`; `options`: parameters, LLMOptions, ChatModelOptions."""
    return _classifier(
        GeminiChatModel, {"base_url": url, "models": ("gemini-test",), "api_version": "v1beta", **options}
    )


def _classifier(build: Callable[[ChatModelOptions], ChatModel], options: dict[str, Any]) -> LLMClassifier:
    of_model = {name: value for name, value in options.items() if name in LLMOptions.__dataclass_fields__}
    parameters = {name: value for name, value in options.items() if name in get_args(Parameter)}
    llm_options = LLMOptions(**{"parameters": parameters, **of_model})
    client = {name: value for name, value in options.items() if name not in {*of_model, *parameters}}
    return LLMClassifier(
        build(ChatModelOptions(**{"api_key": "key", "timeout": llm_options.timeout, **client})), llm_options
    )
