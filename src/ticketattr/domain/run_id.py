"""The id of a run, which begins with its time: ids sort by time."""

from __future__ import annotations

import re
from datetime import datetime, timezone

RUN_ID = "[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}"
"""The pattern of a run id. It is strict, because run ids become parts of paths."""


def new_run_id(now: datetime) -> str:
    """An id such as 20261123T150301Z-7f3a: the second of `now` (in UTC), and its fraction in units of 1/65536."""
    return f"{_second(now)}-{now.microsecond * 65536 // 1_000_000:04x}"


def is_run_id(text: str) -> bool:
    """Whether `text` is a run id, and so may become part of a path."""
    return bool(re.fullmatch(RUN_ID, text))


def began_before(run_id: str, time: datetime) -> bool:
    """Whether the run began before `time`, in UTC; seconds count."""
    return run_id < _second(time)


def began_at(run_id: str) -> datetime | None:
    """When the run began, to the second; None for what is not a run id."""
    try:
        return datetime.strptime(run_id[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def _second(time: datetime) -> str:
    return f"{time:%Y%m%dT%H%M%SZ}"
