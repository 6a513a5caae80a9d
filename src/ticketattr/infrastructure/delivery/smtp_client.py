"""smtplib's client, with a limit on the duration and size of each reply.

smtplib limits only the duration of each read, so a server that sends one byte at a time could block it for ever. And it
keeps all lines of a reply, however many there are. It takes what the server said too early for the reply to the next
command, forgets the reply to EHLO if the server closes the connection then, and logs in with ASCII only.
"""

from __future__ import annotations

import hmac
import re
import smtplib
import socket
import ssl
import time
from base64 import b64decode, b64encode
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ..options import MailServer, StepTimeouts

IMPLICIT_TLS_PORT = 465

_LINE_START_DOT = re.compile(rb"^\.", re.MULTILINE)
_CHUNK = 64 * 1024
_MAX_REPLY = 64 * 1024
_MAX_CHALLENGES = 5
_LONGEST_EARLY = 500
_EARLY = 0.05
"""How long the client looks for a reply that comes before the message is complete, in seconds."""


class LoginRefused(smtplib.SMTPAuthenticationError):
    """The server refused to log in; `tried` are the mechanisms, in their order."""

    def __init__(self, code: int, reply: bytes, tried: Sequence[str]) -> None:
        super().__init__(code, reply)
        self.tried = tuple(tried)


class BoundedSMTP(smtplib.SMTP):
    """A connection to a mail server, in plain text or with STARTTLS."""

    _replies: _ReplyLines | None = None
    _is_greeted = False

    def __init__(self, *args: Any, steps: StepTimeouts, **options: Any) -> None:
        self.steps = steps
        self._tried: list[str] = []
        super().__init__(*args, **options)

    def getreply(self, within: float | None = None) -> tuple[int, bytes]:
        """One reply of the server, within that many seconds. Raises TimeoutError or, if it is too large,
        SMTPServerDisconnected.
        """
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
        if self.file is None:
            self.file = self._replies = _ReplyLines(self.sock, self.timeout)
        if self._replies and self.file:
            usual = self.timeout if self._is_greeted else self.steps.greeting
            self._replies.start(usual if within is None else within)
        reply = super().getreply()
        self._is_greeted = True
        return reply

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Send a command. Raises SMTPServerDisconnected if the server replied before it got the command."""
        self._refuse_early_reply()
        super().putcmd(cmd, args)

    def command(self, within: float, cmd: str, args: str = "") -> tuple[int, bytes]:
        """The reply to a command, within that many seconds."""
        self.putcmd(cmd, args)
        return self.getreply(within)

    def introduce(self) -> None:
        """Send EHLO, or HELO to a server that does not know EHLO. Raises SMTPHeloError with the server's reply."""
        code, reply = self.ehlo()
        if 200 <= code < 300:
            return
        if 500 <= code < 600:
            with suppress(smtplib.SMTPServerDisconnected, OSError):
                if 200 <= self.helo()[0] < 300:
                    return
        raise smtplib.SMTPHeloError(code, reply)

    def auth(self, mechanism: str, authobject: Any, *, initial_response_ok: bool = True) -> tuple[int, bytes]:
        """Log in as smtplib does, with user name and password as UTF-8 (RFC 4616, RFC 4954)."""
        self._tried.append(mechanism)
        first = authobject() if initial_response_ok else None
        code, reply = self.docmd("AUTH", mechanism if first is None else f"{mechanism} {_base64(first)}")
        for _ in range(_MAX_CHALLENGES):
            if code != 334:
                break
            challenge = _challenge(reply)
            if challenge is None:
                code, reply = 501, b"the server sent an invalid challenge"
                break
            code, reply = self.docmd(_base64(authobject(challenge)))
        if code in (235, 503):
            return code, reply
        raise LoginRefused(code, reply, self._tried)

    def auth_login(self, challenge: Any = None) -> str:
        """The user name or the password, whichever the server asks for."""
        asks_for_user = challenge is None or challenge.strip().lower().startswith(b"user")
        return str(self.user if asks_for_user else self.password)

    def auth_cram_md5(self, challenge: Any = None) -> Any:
        """The reply to a challenge of CRAM-MD5 (RFC 2195); None before there is one."""
        if challenge is None:
            return None
        digest = hmac.new(self.password.encode(), challenge, "md5").hexdigest()
        return f"{self.user} {digest}"

    def hand_over(self, content: bytes) -> None:
        """Send the content of a message, and the line that ends it. Raises SMTPException or OSError.

        The last line is not sent if the server replied before: it cannot have accepted what it did not have.
        """
        wire = _LINE_START_DOT.sub(b"..", content if content.endswith(b"\r\n") else content + b"\r\n")
        connection = self.sock
        if connection is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        connection.settimeout(self.steps.block)
        try:
            # In chunks: the timeout limits each of them, so a large message may take longer.
            for start in range(0, len(wire), _CHUNK):
                self.send(wire[start : start + _CHUNK])
            self._refuse_early_reply(wait=_EARLY)
            # Whether this line arrived shows at the final reply.
            with suppress(OSError):
                self.send(b".\r\n")
        finally:
            with suppress(OSError):
                connection.settimeout(self.timeout)

    def _refuse_early_reply(self, wait: float = 0.0) -> None:
        early = self._replies.early(wait) if self._replies and self.file else b""
        if not early:
            return
        self.close()
        line = early.partition(b"\n")[0].strip()[:_LONGEST_EARLY]
        if line[:1] in (b"4", b"5") and line[:3].isdigit():
            raise smtplib.SMTPDataError(int(line[:3]), line[4:])
        raise smtplib.SMTPServerDisconnected(
            f"the server replied before it was asked: {line.decode('utf-8', 'replace')}"
        )


class BoundedSMTPOverTLS(BoundedSMTP, smtplib.SMTP_SSL):
    """A connection with implicit TLS (port 465)."""


def connect(server: MailServer, context: ssl.SSLContext | None) -> BoundedSMTP:
    """A client after the server's greeting; without `context`, in plain text. Raises SMTPException or OSError."""
    client, options = (
        (BoundedSMTPOverTLS, {"context": context})
        if context and server.port == IMPLICIT_TLS_PORT
        else (BoundedSMTP, {})
    )
    return client(
        *(server.host, server.port, server.ehlo_name or None),
        timeout=server.timeout,
        steps=server.steps,
        **options,
    )


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _challenge(reply: bytes) -> bytes | None:
    """The challenge in a reply; None if it is not base64."""
    try:
        return b64decode(reply)
    except ValueError:
        return None


class _ReplyLines:
    """The lines that smtplib reads. All lines of one reply must arrive within one timeout."""

    def __init__(self, connection: socket.socket, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout
        self._deadline = 0.0
        self._left = 0
        self._buffer = bytearray()

    def start(self, within: float) -> None:
        self._deadline = time.monotonic() + within
        self._left = _MAX_REPLY

    def readline(self, limit: int) -> bytes:
        while b"\n" not in self._buffer and len(self._buffer) < limit:
            chunk = self._receive()
            if not chunk:
                break
            self._buffer += chunk
        end = min(self._buffer.find(b"\n") + 1 or len(self._buffer), limit)
        line = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._left -= end
        if self._left < 0:
            raise smtplib.SMTPServerDisconnected(f"the reply is longer than {_MAX_REPLY:,} bytes")
        return line

    def early(self, wait: float) -> bytes:
        """What the server sent although nothing was asked; looks for more of it for `wait` seconds."""
        if not self._buffer and wait:
            self._deadline = time.monotonic() + wait
            # Whether the connection still exists shows at the final reply.
            with suppress(OSError):
                self._buffer += self._receive()
        return bytes(self._buffer)

    def close(self) -> None:
        self._buffer.clear()

    def _receive(self) -> bytes:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._connection.settimeout(left)
        try:
            return self._connection.recv(_CHUNK)
        finally:
            self._connection.settimeout(self._timeout)
