"""Why somebody has to act on a ticket now, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ...domain.due import Urgency
from . import Words

_MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class UrgentCase:
    """What the words are about: `overdue_by` in hours of the clock of the SLA (`is_open_time`: of service hours)."""

    urgency: Urgency
    overdue_by: float | None
    is_open_time: bool
    due: datetime | None


def urgency_text(case: UrgentCase, now: datetime, words: Words) -> str:
    """`overdue by 2 d 3 h`, `due in 40 min`, `needs review`, `failed`; empty where nobody has to act."""
    if case.urgency == "overdue" and case.overdue_by is not None:
        return _overdue(case.overdue_by * 60, words, is_open_time=case.is_open_time)
    if case.urgency == "due within a day" and case.due is not None:
        return words("urgency.due in", time=duration((case.due - now).total_seconds() / 60, words))
    return words(f"urgency.{case.urgency}") if case.urgency else ""


def duration(minutes: float, words: Words, *, in_days: bool = True) -> str:
    """The two largest of days, hours and minutes: `2 d 3 h`. A day has 24 hours."""
    whole = int(minutes)
    days, rest = divmod(whole, _MINUTES_A_DAY) if in_days else (0, whole)
    hours, left = divmod(rest, 60)
    parts = [
        words(f"duration.{unit}", n=words.number(number))
        for number, unit in ((days, "days"), (hours, "hours"), (left, "minutes"))
        if number
    ]
    return " ".join(parts[:2]) or words("duration.none")


def _overdue(minutes: float, words: Words, *, is_open_time: bool) -> str:
    if not is_open_time:
        return words("urgency.overdue by", time=duration(minutes, words))
    if not minutes:
        return words("urgency.overdue while closed")
    return words("urgency.overdue by open time", time=duration(minutes, words, in_days=False))
