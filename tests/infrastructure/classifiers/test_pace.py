"""Calls start no sooner than they may."""

from __future__ import annotations

import time

import anyio
import pytest

from ticketattr.infrastructure.classifiers.gemini.pace import Pace


def starts(pace: Pace, calls: int, tokens: int = 100) -> list[float]:
    """When calls that all want to go at once may go, in seconds after the first."""
    moments: list[float] = []

    async def call() -> None:
        await pace.turn(tokens)
        moments.append(time.monotonic())

    async def all_at_once() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(calls):
                group.start_soon(call)

    anyio.run(all_at_once)
    return [moment - moments[0] for moment in moments]


@pytest.mark.parametrize(
    "pace",
    [lambda: Pace(0.03, None, None), lambda: Pace(0.0, 2000, None), lambda: Pace(0.0, None, 200_000)],
    ids=["pause", "requests per minute", "tokens per minute"],
)
def test_starts_lie_apart(pace: object) -> None:
    assert callable(pace)
    first, second, third = starts(pace(), 3)
    assert first == 0
    assert second >= 0.029
    assert third - second >= 0.029


def test_without_limits_nobody_waits() -> None:
    assert max(starts(Pace(0.0, None, None), 50)) < 1.0


def test_after_slowing_down_nobody_starts_for_so_long() -> None:
    pace = Pace(0.0, None, None)
    before = time.monotonic()
    pace.slow_down(0.05)
    pace.slow_down(0.01)
    starts(pace, 1)
    assert time.monotonic() - before >= 0.05
