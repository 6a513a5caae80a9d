"""Limits for clients that open a connection and do not send a whole request, or do not read the answer."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol


class LimitedProtocol(H11Protocol):
    """The HTTP protocol of uvicorn, which closes a connection that sends or reads nothing in time.

    uvicorn itself waits for a head without end, and for a client to read, so that a few hundred connections that do
    nothing would keep everybody else out.
    """

    head_timeout: ClassVar[float] = 15.0
    """Seconds in which a client sends the head of a request."""

    read_timeout: ClassVar[float] = 60.0
    """Seconds in which a client reads what was sent to it, up to 64 KiB at once."""

    _deadline: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Wait for the first head."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Wait on as long as the head is not whole."""
        super().data_received(data)
        if self._is_idle():
            self._await_head()
        else:
            self._end_wait()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        if self._reading is None:
            self._reading = self.loop.call_later(self.read_timeout, self.transport.abort)

    def resume_writing(self) -> None:
        """Send more."""
        self._end_reading()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._end_wait()
        self._end_reading()
        super().connection_lost(exc)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _await_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.head_timeout, self._give_up)

    def _give_up(self) -> None:
        self._deadline = None
        if self._is_idle():
            self.transport.abort()

    def _end_wait(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _end_reading(self) -> None:
        if self._reading:
            self._reading.cancel()
            self._reading = None
