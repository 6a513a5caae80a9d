"""Calls of libraries that cannot be relied upon to end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence


def within(seconds: float, calls: Sequence[Callable[[], str]]) -> list[str | None]:
    """What each call returned; None for those that had not ended by then, which are left to themselves.

    All at once, each in a thread that the program does not wait for at its end.
    """
    answers: list[str | None] = [None] * len(calls)

    def answer(place: int) -> None:
        answers[place] = calls[place]()

    threads = [threading.Thread(target=answer, args=(place,), daemon=True) for place in range(len(calls))]
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return list(answers)
