"""Run an event loop that SIGINT and SIGTERM end in an orderly way.

An exception raised by a signal handler can come up anywhere in a loop, where a library may swallow it or a task
group wrap it. So here the loop itself is told of the signal, cancels what runs, and the exit follows outside.
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
    """What `function` returns or raises; SystemExit with 128 + the signal's number when one came first."""
    # A shell may have told a job in the background not to listen.
    numbers = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    if not numbers or threading.current_thread() is not threading.main_thread() or os.name == "nt":
        return anyio.run(function, *args)
    results: list[T] = []
    errors: list[TicketAttrError] = []
    signals: list[int] = []

    async def watched() -> None:
        async with anyio.create_task_group() as group:
            await group.start(_watch, numbers, signals, group.cancel_scope)
            try:
                results.append(await function(*args))
            except TicketAttrError as error:
                # Kept, because a task group would wrap it.
                errors.append(error)
            group.cancel_scope.cancel()

    handlers = {number: signal.getsignal(number) for number in numbers}
    try:
        anyio.run(watched)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if signals:
        raise SystemExit(128 + signals[0])
    if errors:
        raise errors[0]
    return results[0]


async def _watch(
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
