"""A time limit for calls of libraries that may never return."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence


def run_within(seconds: float, calls: Sequence[Callable[[], str]]) -> list[str | None]:
    """What each call returned, or None for a call that took more than `seconds`.

    The calls run at the same time, each in a thread that the program does not wait for when it ends.
    """
    results: list[str | None] = [None] * len(calls)

    def call(place: int) -> None:
        results[place] = calls[place]()

    threads = [threading.Thread(target=call, args=(place,), daemon=True) for place in range(len(calls))]
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return list(results)
