"""smtplib's client, with a limit on the duration and size of each reply.

smtplib limits only the duration of each read, so a server that sends one byte at a time could block it for ever. And it
keeps all lines of a reply, however many there are.
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
    """A connection to a mail server, in plain text or with STARTTLS."""

    def getreply(self) -> tuple[int, bytes]:
        """One reply of the server. Raises TimeoutError or, if it is too large, SMTPServerDisconnected."""
        if self.file is None and self.sock:
            self.file = _ReplyLines(self.sock, self.timeout)
        if self.file:
            self.file.start()
        return super().getreply()

    def hand_over(self, content: bytes) -> None:
        """Send the content of a message, and the line that ends it. Raises SMTPServerDisconnected or OSError."""
        wire = _LINE_START_DOT.sub(b"..", content if content.endswith(b"\r\n") else content + b"\r\n") + b".\r\n"
        # In chunks: the timeout limits each of them, so a large message may take longer.
        for start in range(0, len(wire), _CHUNK):
            self.send(wire[start : start + _CHUNK])


class BoundedSMTPOverTLS(smtplib.SMTP_SSL, BoundedSMTP):
    """A connection with implicit TLS (port 465)."""


def connect(server: MailServer, context: ssl.SSLContext | None) -> BoundedSMTP:
    """A client after the server's greeting; without `context`, in plain text. Raises SMTPException or OSError."""
    if context and server.port == IMPLICIT_TLS_PORT:
        return BoundedSMTPOverTLS(server.host, server.port, timeout=server.timeout, context=context)
    return BoundedSMTP(server.host, server.port, timeout=server.timeout)


class _ReplyLines:
    """The lines that smtplib reads. All lines of one reply must arrive within one timeout."""

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
            raise smtplib.SMTPServerDisconnected(f"the reply is longer than {_MAX_REPLY:,} bytes")
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
