"""When calls may start."""

from __future__ import annotations

import time

import anyio
import pytest

from ticketattr.infrastructure.network.rate_limit import RateLimit


def starts(rate_limit: RateLimit, calls: int, tokens: int = 100) -> list[float]:
    """When calls that all want to go at once may go, in seconds after the first."""
    moments: list[float] = []

    async def call() -> None:
        await rate_limit.acquire(tokens)
        moments.append(time.monotonic())

    async def all_at_once() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(calls):
                group.start_soon(call)

    anyio.run(all_at_once)
    return [moment - moments[0] for moment in moments]


@pytest.mark.parametrize(
    "rate_limit",
    [lambda: RateLimit(2000), lambda: RateLimit(None, 200_000)],
    ids=["requests per minute", "tokens per minute"],
)
def test_calls_start_spread_over_the_minute(rate_limit: object) -> None:
    assert callable(rate_limit)
    first, second, third = starts(rate_limit(), 3)
    assert first == 0
    assert second >= 0.029
    assert third - second >= 0.029


def test_without_limits_no_call_waits() -> None:
    assert max(starts(RateLimit(), 50)) < 1.0


def test_after_a_pause_no_call_starts_until_it_is_over() -> None:
    rate_limit = RateLimit()
    before = time.monotonic()
    rate_limit.pause(0.05)
    rate_limit.pause(0.01)
    starts(rate_limit, 1)
    assert time.monotonic() - before >= 0.05
