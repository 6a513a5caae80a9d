"""Times as programs write them.

Read are, in this order:

- a time in the form that the user named (`TIME_FORMAT`, as Python's `strptime` reads it);
- seconds or milliseconds since 1970 (9 to 10, or 12 to 13 digits; a fraction may follow);
- ISO 8601, also in its basic form (`20261120T103000Z`, `20261120103000`), with a space instead of the `T`, with
  slashes or dots, with a comma before the fraction, with `+0000`, `+00` or `UTC`;
- RFC 2822 (`Fri, 20 Nov 2026 10:30:00 +0000`).

A time that names no zone is in the given one. Years before 1990 or after 2100 are taken for errors of a program:
helpdesks write the first day of 1970, or of the year 1, where nobody knows the time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST_YEAR, _LAST_YEAR = 1990, 2100
_LONGEST = 60
_SECONDS = re.compile(r"[0-9]{9,10}(?:\.[0-9]{1,9})?", re.A)
_MILLISECONDS = re.compile(r"[0-9]{12,13}(?:\.0{1,3})?", re.A)
_ISO = re.compile(
    r"([0-9]{4})[-/.]?([0-9]{2})[-/.]?([0-9]{2})"
    r"(?:(?:T|\s{1,3})?([0-9]{2})[:.]?([0-9]{2})(?:[:.]?([0-9]{2})(?:[.,]([0-9]{1,12}))?)?)?"
    r"\s{0,3}(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?",
    re.I | re.A,
)
_RFC_2822 = re.compile(
    r"(?:[a-z]{3},?\s{1,3})?[0-9]{1,2}\s[a-z]{3}\s[0-9]{4}\s[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?"
    r"(\s(?:[+-][0-9]{4}|UTC?|GMT|Z|[ECMP][SD]T)(?:\s\([^)]{1,20}\))?)?",
    re.I | re.A,
)


@dataclass(frozen=True, slots=True)
class TimeStyle:
    """How a source writes its times: `form` for `strptime` (empty: none), `zone` of times that name none."""

    form: str = ""
    zone: tzinfo = timezone.utc


DEFAULT_STYLE = TimeStyle()

_LOCAL_FORMS = (
    *("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y, %H:%M", "%d.%m.%Y", "%d.%m.%y %H:%M"),
    *("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y", "%d-%m-%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y"),
    *("%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y"),
    *(
        "%d/%b/%y %I:%M %p",
        "%d/%b/%Y %I:%M %p",
        "%d/%b/%y %H:%M",
        "%d %b %Y %H:%M",
        "%b %d, %Y %I:%M %p",
        "%d-%b-%Y %H:%M",
    ),
)
"""Forms that exports often have, for `forms_of`."""


def read_time(text: str, style: TimeStyle = DEFAULT_STYLE) -> datetime | None:
    """The time that `text` stands for, with its zone; None if it is not one that is read."""
    text = text.strip()
    return _read_short(text, style) if 0 < len(text) <= _LONGEST else None


# A report reads the time of a ticket several times.
@lru_cache(maxsize=4096)
def _read_short(text: str, style: TimeStyle) -> datetime | None:
    try:
        found = _by_form(text, style) or _since_1970(text) or _iso(text, style) or _rfc_2822(text, style)
    except (ValueError, OverflowError):
        return None
    return found if found and _is_plausible(found) else None


def forms_of(texts: Sequence[str]) -> list[str]:
    """The usual local forms that read each of `texts`; several where day and month cannot be told apart."""
    return [form for form in _LOCAL_FORMS if texts and all(_by_form(text.strip(), TimeStyle(form)) for text in texts)]


def _is_plausible(time: datetime) -> bool:
    return _FIRST_YEAR <= time.year <= _LAST_YEAR


def _by_form(text: str, style: TimeStyle) -> datetime | None:
    if not style.form:
        return None
    try:
        return _in_zone(datetime.strptime(text, style.form), style)  # noqa: DTZ007  # the form may have no zone
    except ValueError:
        return None


def _since_1970(text: str) -> datetime | None:
    if _SECONDS.fullmatch(text):
        found = _EPOCH + timedelta(seconds=float(text))
    elif _MILLISECONDS.fullmatch(text):
        found = _EPOCH + timedelta(milliseconds=float(text))
    else:
        return None
    # Twelve digits are a date and a time without a separator, too.
    return found if _is_plausible(found) else None


def _iso(text: str, style: TimeStyle) -> datetime | None:
    found = _ISO.fullmatch(text)
    if not found:
        return None
    *numbers, fraction, zone = found.groups()
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    # Of the fraction, six digits fit; a leap second is taken for the one before it.
    second, microsecond = (59 if second == 60 else second), int((fraction or "0")[:6].ljust(6, "0"))
    place = _offset(zone) if zone else style.zone
    return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=place)


def _offset(zone: str) -> timezone:
    if zone.upper() in ("Z", "UTC", "GMT"):
        return timezone.utc
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if zone[0] == "-" else offset)


def _rfc_2822(text: str, style: TimeStyle) -> datetime | None:
    form = _RFC_2822.fullmatch(text)
    if not form:  # also where the name of the zone is not known
        return None
    found = parsedate_to_datetime(text)
    if found.tzinfo is None and form[1]:  # "-0000": the time is in UTC, the zone of the sender is not known
        return found.replace(tzinfo=timezone.utc)
    return _in_zone(found, style)


def _in_zone(time: datetime, style: TimeStyle) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=style.zone)
