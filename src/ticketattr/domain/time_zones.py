"""Time zones by the names of the IANA database. UTC needs no database, so it works on every system."""

from __future__ import annotations

from datetime import timezone, tzinfo
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

_LONGEST_NAME = 64


def time_zone(name: str) -> tzinfo:
    """The time zone with that name. Raises ValueError if there is none; the message says what may be meant."""
    if name == "UTC":
        return timezone.utc
    try:
        if name:
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of the database
        pass
    raise ValueError(f"there is no time zone '{name}'{_remedy(name)}")


def _remedy(name: str) -> str:
    names = available_timezones()
    if not names:
        return "; this system has no time zones, but `pip install tzdata` gives it some"
    close = get_close_matches(name[:_LONGEST_NAME], names, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
