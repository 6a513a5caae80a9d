"""Numbers, durations and times as strangers write them: a value within bounds, or None. Nothing here raises."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

_DIGITS = re.compile("0*([0-9]{1,18})", re.ASCII)
_SECONDS = re.compile(r"0*([0-9]{1,9}(?:\.[0-9]{1,9})?)[0-9]{0,4000} ?s?", re.ASCII)
_LONGEST_DATE = 60
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=timezone.utc), datetime(2200, 1, 1, tzinfo=timezone.utc)


def read_count(value: object, most: int) -> int | None:
    """The whole number from 0 to `most` that `value` is or spells in decimal digits; None for anything else."""
    if isinstance(value, str):
        digits = _DIGITS.fullmatch(value.strip())
        value = int(digits[1]) if digits else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= most else None


def read_seconds(text: str) -> float | None:
    """The seconds in a text such as `37`, `37.5` or `37.5s`, which may be many; None for anything else."""
    found = _SECONDS.fullmatch(text.strip())
    return float(found[1]) if found else None


def read_http_date(text: str) -> datetime | None:
    """The time that a date of HTTP or of mail names, in its zone, or in UTC without one; None for anything else."""
    if len(text) > _LONGEST_DATE:
        return None
    try:
        date = parsedate_to_datetime(text)
        # A zone of nearly a day may lead out of the calendar.
        return (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def time_of(seconds: float) -> datetime:
    """The time so many seconds after 1970, in UTC, such as a file has it; the nearest one from 1970 to 2200."""
    try:
        return min(max(datetime.fromtimestamp(seconds, timezone.utc), _EARLIEST), _LATEST)
    except (ValueError, OverflowError, OSError):
        return _LATEST if seconds > 0 else _EARLIEST
