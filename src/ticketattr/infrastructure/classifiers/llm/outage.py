"""Whether the service of a model is down, so that an outage costs a few calls and not some for each batch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from ...network.retries import Transient
from .chat_model import RateLimited

BATCHES_ALIKE = 3
"""The service counts as down when the calls of so many batches failed in the same way, and none succeeded since."""


class ServiceDown(Exception):
    """No call was made, because the service is down and was tried again often enough."""


class Outage:
    """Lets calls through: all of them while the service works, and one at a time while it is down.

    While it is down, `max_retries` calls that repeat an earlier one are made in total; after that, only the first call
    of a batch is made, which finds out whether the service is back.
    """

    def __init__(self, max_retries: int) -> None:
        self._max_retries = max_retries
        self._one_at_a_time = anyio.Lock()
        self._failed: dict[int, type[Transient]] = {}
        self._retries = 0
        self._detail = ""

    @property
    def _is_down(self) -> bool:
        kinds = list(self._failed.values())
        return max((kinds.count(kind) for kind in set(kinds)), default=0) >= BATCHES_ALIKE

    @asynccontextmanager
    async def call(self, batch: int, *, is_retry: bool) -> AsyncIterator[None]:
        """Make a call of the batch with the number `batch` inside. Raises ServiceDown in the place of one call more."""
        if not self._is_down:
            async with self._counted(batch):
                yield
            return
        async with self._one_at_a_time:
            if self._is_down and is_retry:
                if self._retries >= self._max_retries:
                    raise ServiceDown(self._detail)
                self._retries += 1
            async with self._counted(batch):
                yield

    @asynccontextmanager
    async def _counted(self, batch: int) -> AsyncIterator[None]:
        try:
            yield
        except RateLimited:
            raise
        except Transient as error:
            self._failed[batch] = type(error)
            self._detail = str(error)
            raise
        self._failed.clear()
        self._retries = 0
