"""The rate limit: when the next call may start."""

from __future__ import annotations

import time

import anyio


class RateLimit:
    """Lets calls start in the order in which they ask. Usable in one event loop.

    The limits are spread evenly over the minute.
    """

    def __init__(self, requests_per_minute: int | None = None, tokens_per_minute: int | None = None) -> None:
        self._pause = 60 / requests_per_minute if requests_per_minute else 0.0
        self._tokens_per_minute = tokens_per_minute
        self._in_line = anyio.Lock()
        self._not_before = 0.0

    async def acquire(self, tokens: int) -> None:
        """Waits until a call of about so many tokens may start."""
        async with self._in_line:
            while (wait := self._not_before - time.monotonic()) > 0:
                await anyio.sleep(wait)
            self._not_before = time.monotonic() + self.seconds_of(tokens)

    def seconds_of(self, tokens: int) -> float:
        """Returns the least time from the start of a call of about so many tokens to that of the next one."""
        load = 60 * tokens / self._tokens_per_minute if self._tokens_per_minute else 0.0
        return max(self._pause, load)

    def pause(self, seconds: float) -> None:
        """Lets no call start for so many seconds, because the service asks for fewer calls."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)
