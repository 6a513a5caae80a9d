"""An SMTP server on loopback that follows a script, also against the protocol."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as email_policy

HANG_UP = "hang up"
SAY_NOTHING = "say nothing"
DRIP = "drip for ever"
IN_PIECES = "in pieces: "
LATER = "later: "
HANG_UP_WITHIN = "hang up within the message"

_PLAIN = {
    "GREETING": "220 hello",
    "DATA": "354 go on",
    "END": "250 2.0.0 taken",
    "STARTTLS": "220 go on",
    "QUIT": "221 bye",
}


@dataclass(frozen=True)
class Received:
    """A message that was received completely, whatever the reply was."""

    mail: EmailMessage
    recipients: tuple[str, ...]
    encrypted: bool

    @property
    def message_id(self) -> str:
        return str(self.mail["Message-ID"])

    @property
    def names(self) -> list[str]:
        return [str(part.get_filename()) for part in self.mail.iter_attachments()]


@dataclass
class Script:
    """The replies to each verb, in turn; the last one is repeated. END is the end of a message.

    A key may contain an argument ("RCPT gone@example.com"). `extensions` are announced after EHLO. `said` records the
    verbs of the client, `lines` the whole lines.
    """

    replies: dict[str, list[str]] = field(default_factory=dict)
    extensions: list[str] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    port: int = 0
    received: list[Received] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def reply_to(self, verb: str, argument: str = "") -> str:
        for key in (f"{verb} {argument}", verb):
            if key in self.replies:
                replies = self.replies[key]
                return replies.pop(0) if len(replies) > 1 else replies[0]
        return _PLAIN.get(verb, "250 ok")


@contextmanager
def scripted_smtp(
    replies: dict[str, list[str]] | None = None, *, extensions: tuple[str, ...] = (), tls: ssl.SSLContext | None = None
) -> Iterator[Script]:
    # A copy, because the replies are used up and a script may be used again.
    script = Script({verb: list(told) for verb, told in (replies or {}).items()}, list(extensions), tls)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            dialogue = _Dialogue(self.request, script)
            with suppress(OSError, EOFError):
                dialogue.run()
            dialogue.connection.close()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True

        def handle_error(self, request: object, client_address: object) -> None:
            raise AssertionError("the script of the fake server is wrong")

    with Server(("127.0.0.1", 0), Handler) as server:
        script.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()


class _Dialogue:
    def __init__(self, connection: socket.socket, script: Script) -> None:
        self.connection = connection
        self.script = script
        self.buffer = b""
        self.recipients: list[str] = []
        self.encrypted = False

    def run(self) -> None:
        self.say("GREETING")
        while True:
            line = self.line().decode("ascii", "replace").strip()
            verb, _, rest = line.partition(" ")
            self.answer(verb.upper(), rest)

    def answer(self, verb: str, rest: str) -> None:
        self.script.said.append(verb)
        self.script.lines.append(f"{verb} {rest}")
        special = {"EHLO": self.introduce, "RCPT": self.recipient, "DATA": self.message, "STARTTLS": self.encrypt}
        if verb in special:
            special[verb](rest)
            return
        self.say(verb)
        if verb in ("MAIL", "RSET"):
            self.recipients.clear()
        if verb == "QUIT":
            raise EOFError

    def introduce(self, rest: str) -> None:
        *lines, last = ["localhost", *self.script.extensions]
        self.send("".join(f"250-{line}\r\n" for line in lines) + f"250 {last}")

    def recipient(self, rest: str) -> None:
        address = rest.partition("<")[2].partition(">")[0]
        if self.say("RCPT", address).startswith("2"):
            self.recipients.append(address)

    def encrypt(self, rest: str) -> None:
        if self.say("STARTTLS").startswith("2") and self.script.tls:
            self.connection = self.script.tls.wrap_socket(self.connection, server_side=True)
            self.encrypted = True

    def message(self, rest: str) -> None:
        if not self.say("DATA").startswith("354"):
            return
        if self.script.replies.get("END", [""])[0] == HANG_UP_WITHIN:
            self.script.replies["END"].pop(0)
            # The rest of the message is not read, so closing resets the connection.
            self.connection.recv(10)
            raise EOFError
        lines = []
        while (line := self.line()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b"..") else line)
        mail = message_from_bytes(b"".join(lines), EmailMessage, policy=email_policy)
        self.script.received.append(Received(mail, tuple(self.recipients), self.encrypted))
        self.say("END")

    def say(self, verb: str, argument: str = "") -> str:
        reply = self.in_time(self.script.reply_to(verb, argument))
        if reply == HANG_UP:
            raise EOFError
        if reply == SAY_NOTHING:
            while self.connection.recv(4096):
                pass
            raise EOFError
        if reply == DRIP:
            while True:
                self.connection.sendall(b"2")
                time.sleep(0.02)
        if reply.startswith(IN_PIECES):
            reply = reply.removeprefix(IN_PIECES)
            for character in f"{reply}\r\n".encode():
                self.connection.sendall(bytes([character]))
                time.sleep(0.001)
            return reply
        self.send(reply)
        return reply

    def in_time(self, reply: str) -> str:
        if reply.startswith(LATER):
            time.sleep(0.4)
        return reply.removeprefix(LATER)

    def send(self, text: str) -> None:
        self.connection.sendall(f"{text}\r\n".encode())

    def line(self) -> bytes:
        while b"\n" not in self.buffer:
            chunk = self.connection.recv(65536)
            if not chunk:
                raise EOFError
            self.buffer += chunk
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line + b"\n"
