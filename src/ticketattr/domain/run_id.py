"""The id of a run: its time, and so ids sort by time. Here alone it is known how one is spelled."""

from __future__ import annotations

import re
from datetime import datetime

RUN_ID = "[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}"
"""A pattern. Nothing else is a run id, since they become parts of paths."""


def new_run_id(now: datetime) -> str:
    """Like 20261123T150301Z-7f3a: the second, and its fraction in 1/65536."""
    return f"{_second(now)}-{now.microsecond * 65536 // 1_000_000:04x}"


def is_run_id(text: str) -> bool:
    """Whether it may become part of a path."""
    return bool(re.fullmatch(RUN_ID, text))


def began_before(run_id: str, time: datetime) -> bool:
    return run_id < _second(time)


def _second(time: datetime) -> str:
    return f"{time:%Y%m%dT%H%M%SZ}"
