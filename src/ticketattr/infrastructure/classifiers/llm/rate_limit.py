"""When the next call may start: never sooner than the service and the operator want."""

from __future__ import annotations

import time

import anyio


class RateLimit:
    """Turns for calls, in the order in which they are asked for. Usable in one event loop.

    `pause`: the least time between two starts, in seconds; the limits are spread evenly over their minute.
    """

    def __init__(self, pause: float, requests_per_minute: int | None, tokens_per_minute: int | None) -> None:
        self._pause = max(pause, 60 / requests_per_minute if requests_per_minute else 0.0)
        self._tokens_per_minute = tokens_per_minute
        self._in_line = anyio.Lock()
        self._not_before = 0.0

    async def acquire(self, tokens: int) -> None:
        """Wait for the turn of a call of about so many tokens."""
        async with self._in_line:
            while (wait := self._not_before - time.monotonic()) > 0:
                await anyio.sleep(wait)
            load = 60 * tokens / self._tokens_per_minute if self._tokens_per_minute else 0.0
            self._not_before = time.monotonic() + max(self._pause, load)

    def pause(self, seconds: float) -> None:
        """Let nobody start for so long: the service has had enough."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)
