"""Whether the clock has leapt ahead: what is old by such a clock may be from yesterday."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

LONGEST_PAUSE = timedelta(days=100)
"""A longer time without any trace of a run is taken for a leap of the clock at first: a desk may report quarterly."""

_LONGEST_DOUBT = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Leap:
    """The last time before the clock leapt, and the first one after it."""

    before: datetime
    after: datetime

    def __str__(self) -> str:
        return f"nothing is known from between {self.before:%Y-%m-%d} and {self.after:%Y-%m-%d}"


def find_leap(known: Iterable[datetime], now: datetime) -> Leap | None:
    """The newest leap among the `known` times of earlier runs and `now`; None if the clock can be believed.

    A clock that goes on from its new time is believed after a twelfth of the leap, and after two months at most.
    All times have a time zone; those after `now` do not count.
    """
    times = sorted({now, *(time for time in known if time <= now)}, reverse=True)
    leaps = (Leap(before, after) for after, before in pairwise(times) if after - before > LONGEST_PAUSE)
    return next(
        (leap for leap in leaps if now - leap.after < min((leap.after - leap.before) / 12, _LONGEST_DOUBT)), None
    )
