"""smtplib's client, with a bound on each step as a whole.

The library's time-out bounds each read: a server that drips its reply could hold it for ever. It keeps all lines of
a reply, however many there are.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time

from ..options import MailServer

IMPLICIT_TLS_PORT = 465

_LINE_START_DOT = re.compile(rb"^\.", re.MULTILINE)
_CHUNK = 64 * 1024
_MAX_REPLY = 64 * 1024


class BoundedSMTP(smtplib.SMTP):
    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock:
            self.file = _ReplyLines(self.sock, self.timeout)
        if self.file:
            self.file.start()
        return super().getreply()

    def hand_over(self, content: bytes) -> None:
        """Send a message after DATA, its end included. Raises SMTPServerDisconnected or OSError."""
        wire = _LINE_START_DOT.sub(b"..", content if content.endswith(b"\r\n") else content + b"\r\n") + b".\r\n"
        # In pieces: the time-out bounds each of them, however large the message.
        for start in range(0, len(wire), _CHUNK):
            self.send(wire[start : start + _CHUNK])


class BoundedSMTPOverTLS(smtplib.SMTP_SSL, BoundedSMTP):
    """TLS from the start."""


def connect(server: MailServer, context: ssl.SSLContext | None) -> BoundedSMTP:
    """A client that the server has greeted; without a context, in plain text. Raises SMTPException or OSError."""
    if context and server.port == IMPLICIT_TLS_PORT:
        return BoundedSMTPOverTLS(server.host, server.port, timeout=server.timeout, context=context)
    return BoundedSMTP(server.host, server.port, timeout=server.timeout)


class _ReplyLines:
    """What smtplib reads replies from: lines, all of one reply within one time-out."""

    def __init__(self, connection: socket.socket, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout
        self._deadline = 0.0
        self._left = 0
        self._buffer = bytearray()

    def start(self) -> None:
        self._deadline = time.monotonic() + self._timeout
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
            raise smtplib.SMTPServerDisconnected(f"a reply of more than {_MAX_REPLY:,} bytes")
        return line

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
