"""Run an event loop that SIGINT and SIGTERM end cleanly.

An exception that a signal handler raises can appear anywhere in the event loop: a library may swallow it, or a task
group may wrap it. Therefore the loop itself receives the signal and cancels its tasks. The process exits afterwards.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio
from anyio.abc import TaskStatus

from ..errors import TicketAttrError

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_interruptible(function: Callable[..., Awaitable[T]], *args: object) -> T:
    """Run `function(*args)` in an event loop and return its result.

    Raises what `function` raises. Raises SystemExit with 128 + the number of the signal if a signal came first.
    """
    # A shell may have started this process, as a background job, with a signal ignored. It stays ignored.
    numbers = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    if not numbers or threading.current_thread() is not threading.main_thread() or os.name == "nt":
        return anyio.run(function, *args)
    results: list[T] = []
    errors: list[TicketAttrError] = []
    signals: list[int] = []

    async def run_until_signal() -> None:
        async with anyio.create_task_group() as group:
            await group.start(_cancel_on_signal, numbers, signals, group.cancel_scope)
            try:
                results.append(await function(*args))
            except TicketAttrError as error:
                # Raised outside, because a task group would wrap it in an exception group.
                errors.append(error)
            group.cancel_scope.cancel()

    handlers = {number: signal.getsignal(number) for number in numbers}
    try:
        anyio.run(run_until_signal)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if signals:
        raise SystemExit(128 + signals[0])
    if errors:
        raise errors[0]
    return results[0]


async def _cancel_on_signal(
    numbers: Sequence[signal.Signals],
    signals: list[int],
    scope: anyio.CancelScope,
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    with anyio.open_signal_receiver(*numbers) as received:
        task_status.started()
        async for number in received:
            signals.append(number)
            scope.cancel()
            return
