"""A limit for clients that open a connection and do not send a whole request."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol


class LimitedProtocol(H11Protocol):
    """The HTTP protocol of uvicorn, which closes a connection that sends no whole head of a request in time.

    uvicorn itself waits for a head without end, so that a few hundred connections that send nothing would keep
    everybody else out.
    """

    head_timeout: ClassVar[float] = 15.0
    """Seconds in which a client sends the head of a request."""

    _deadline: asyncio.TimerHandle | None = None

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

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._end_wait()
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
