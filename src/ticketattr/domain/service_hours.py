"""Service hours: when the desk works, and so when its clock runs.

The desk is open whenever the clock on its wall shows a time within a span of that weekday, unless the day is closed.
This holds when clocks change, too: an hour that the wall clock skips is not worked, an hour that it shows twice is
worked twice.

A business day is the open time of one day, however long that is. After half of a day of 8 hours and half of a day of
4 hours, one business day has passed. A business week has as many business days as the week has open weekdays.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from functools import lru_cache
from math import ceil, lcm
from typing import Literal

from ..errors import CatalogError
from .time_zones import time_zone

Span = tuple[int, int]
"""From and until, in minutes after midnight; `(480, 1020)` is from 8:00 until 17:00, `1440` the end of the day."""

Unit = Literal["time", "days"]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MINUTES_A_DAY = 1440
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
"""No service hours are known before or after these years."""

_MOST_YEARS = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_DAY = MINUTES_A_DAY * _MINUTE


@dataclass(frozen=True, slots=True)
class ServiceHours:
    """Open spans of each weekday (Monday first), in `time_zone`, without the days that are closed.

    `closed` are dates, those of holidays among them; `closed_yearly` are (month, day) of each year. `holidays` names
    the regions whose holidays `closed` holds. Raises CatalogError when the desk would never be open.
    """

    time_zone: str
    week: tuple[tuple[Span, ...], ...]
    closed: frozenset[date] = frozenset()
    closed_yearly: frozenset[tuple[int, int]] = frozenset()
    holidays: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        try:
            time_zone(self.time_zone)
        except ValueError as error:
            raise CatalogError(str(error)) from None
        if len(self.week) != len(WEEKDAYS) or not any(self.week):
            raise CatalogError("the service hours have no open hour")
        for name, spans in zip(WEEKDAYS, self.week, strict=True):
            if wrong := wrong_spans(spans):
                raise CatalogError(f"the service hours of {name}: {wrong}")

    @property
    def days_a_week(self) -> int:
        """How many weekdays have open hours."""
        return sum(map(bool, self.week))

    def is_closed(self, day: date) -> bool:
        return day in self.closed or (day.month, day.day) in self.closed_yearly


def wrong_spans(spans: Iterable[Span]) -> str:
    """What is wrong with the spans of one day; empty when they follow each other without overlap."""
    earlier = 0
    for opens, closes in spans:
        if not 0 <= opens < closes <= MINUTES_A_DAY:
            return f"{clock_time(opens)}-{clock_time(closes)} does not end after it begins, on the same day"
        if opens < earlier:
            return f"{clock_time(opens)}-{clock_time(closes)} overlaps the span before it"
        earlier = closes
    return ""


def clock_time(minutes: int) -> str:
    """Minutes after midnight as `08:00`."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def after_open_time(hours: ServiceHours, start: datetime, time: timedelta) -> datetime | None:
    """The first instant at which the desk was open for `time` since `start`, in UTC; `start` itself for none.

    None when that takes more than 100 years.
    """
    return _after(hours, start, Fraction(time // _MICROSECOND), "time")


def after_business_days(hours: ServiceHours, start: datetime, days: Fraction) -> datetime | None:
    """The first instant at which `days` business days have passed since `start`, in UTC; as `after_open_time`."""
    return _after(hours, start, days, "days")


def open_time(hours: ServiceHours, start: datetime, end: datetime) -> timedelta:
    """For how long the desk was open from `start` until `end`; nothing when `end` is not later."""
    first, last = _microseconds(start), _microseconds(end)
    if last <= first:
        return timedelta(0)
    first_year, last_year = _year_of(hours, start), _year_of(hours, end)
    between = sum(_year(hours, year, "time").total for year in range(first_year, last_year))
    until = _year(hours, last_year, "time").passed(last) - _year(hours, first_year, "time").passed(first)
    return timedelta(microseconds=between + until)


def describe(hours: ServiceHours) -> str:
    """Service hours in words: `Monday-Friday 08:00-17:00 (Europe/Berlin), closed on holidays of DE-BE`."""
    words = "; ".join(f"{_day_names(group)} {span_words(hours.week[group[0]])}" for group in equal_days(hours))
    holidays = f", closed on holidays of {', '.join(hours.holidays)}" if hours.holidays else ""
    return f"{words} ({hours.time_zone}){holidays}"


def equal_days(hours: ServiceHours) -> list[list[int]]:
    """The open days of a week, from 0 for Monday: consecutive days with the same spans together."""
    groups: list[list[int]] = []
    for day in (day for day, spans in enumerate(hours.week) if spans):
        if groups and groups[-1][-1] == day - 1 and hours.week[day] == hours.week[day - 1]:
            groups[-1].append(day)
        else:
            groups.append([day])
    return groups


def _day_names(days: list[int]) -> str:
    names = [WEEKDAYS[day].capitalize() for day in days]
    return names[0] if len(names) == 1 else f"{names[0]}-{names[-1]}"


def span_words(spans: tuple[Span, ...]) -> str:
    """The open spans of a day: `08:00-12:00, 13:00-17:00`."""
    return ", ".join(f"{clock_time(opens)}-{clock_time(closes)}" for opens, closes in spans)


@dataclass(frozen=True, slots=True)
class _Year:
    """The open spans of one year, in order. Instants are microseconds since 1970.

    `passed` counts parts of a unit: those of each microsecond of a span are its rate, `unit` of them are one unit.
    `sums` are the parts that have passed at the end of each span.
    """

    opens: tuple[int, ...]
    closes: tuple[int, ...]
    rates: tuple[int, ...]
    sums: tuple[int, ...]
    unit: int

    @property
    def total(self) -> int:
        return self.sums[-1] if self.sums else 0

    def passed(self, instant: int) -> int:
        """The parts that have passed since the year began."""
        place = bisect_right(self.opens, instant) - 1
        if place < 0:
            return 0
        left = max(0, self.closes[place] - instant)
        return self.sums[place] - left * self.rates[place]

    def instant(self, parts: Fraction | int) -> int:
        """The first instant at which so many parts have passed; more than 0, and no more than all."""
        place = bisect_left(self.sums, parts)
        return self.closes[place] - int((self.sums[place] - parts) // self.rates[place])


def _after(hours: ServiceHours, start: datetime, amount: Fraction, unit: Unit) -> datetime | None:
    if amount <= 0:
        return start.astimezone(timezone.utc)
    first = _year_of(hours, start)
    passed: Fraction | int = _year(hours, first, unit).passed(_microseconds(start))
    for number in range(first, min(first + _MOST_YEARS, _LAST_YEAR) + 1):
        year = _year(hours, number, unit)
        target = _whole(amount * year.unit) + passed
        if target <= year.total:
            return _EPOCH + timedelta(microseconds=year.instant(target))
        amount = Fraction(target - year.total) / year.unit
        passed = 0
    return None


def _whole(number: Fraction) -> Fraction | int:
    """Integers compare many times faster than fractions."""
    return number.numerator if number.denominator == 1 else number


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def _year_of(hours: ServiceHours, instant: datetime) -> int:
    return min(max(instant.astimezone(time_zone(hours.time_zone)).year, _FIRST_YEAR), _LAST_YEAR)


# A report asks for a few years of a few service hours, for each of its tickets.
@lru_cache(maxsize=512)
def _year(hours: ServiceHours, number: int, unit: Unit) -> _Year:
    days = _open_days(hours, number)
    lengths = [sum(closes - opens for opens, closes in spans) for spans in days]
    parts = 1 if unit == "time" else lcm(*lengths)
    rated = sorted(
        (opens, closes, 1 if unit == "time" else parts // length)
        for spans, length in zip(days, lengths, strict=True)
        for opens, closes in spans
    )
    sums, passed = [], 0
    for opens, closes, rate in rated:
        passed += (closes - opens) * rate
        sums.append(passed)
    return _Year(
        opens=tuple(opens for opens, _, _ in rated),
        closes=tuple(closes for _, closes, _ in rated),
        rates=tuple(rate for _, _, rate in rated),
        sums=tuple(sums),
        unit=parts,
    )


def _open_days(hours: ServiceHours, year: int) -> list[list[Span]]:
    """The open spans of each day that has any, as microseconds since 1970."""
    new_year, next_year = ((date(number, 1, 1) - _EPOCH.date()).days for number in (year, year + 1))
    days: dict[int, list[Span]] = {}
    for first, last, offset in _stretches(time_zone(hours.time_zone), year):
        # A day that a change of clocks divides is part of two stretches.
        for day in range(max(new_year, (first + offset) // _DAY), min(next_year, (last + offset) // _DAY + 1)):
            for opens, closes in _spans_of_day(hours, day):
                begin = max(day * _DAY + opens * _MINUTE - offset, first)
                end = min(day * _DAY + closes * _MINUTE - offset, last)
                if begin < end:
                    days.setdefault(day, []).append((begin, end))
    return list(days.values())


def _spans_of_day(hours: ServiceHours, days_since_1970: int) -> tuple[Span, ...]:
    day = date.fromordinal(_EPOCH.toordinal() + days_since_1970)
    return () if hours.is_closed(day) else hours.week[day.weekday()]


def _stretches(zone: tzinfo, year: int) -> Iterator[tuple[int, int, int]]:
    """From when until when clocks have which offset from UTC, all around `year`: microseconds, the end excluded."""
    begin = _microseconds(datetime(year, 1, 1, tzinfo=timezone.utc)) - 2 * _DAY
    end = begin + 370 * _DAY
    first, offset = begin, _offset(zone, begin)
    for instant in range(begin + _DAY, end + 1, _DAY):
        if (later := _offset(zone, instant)) != offset:
            change = _change_of_offset(zone, instant - _DAY, instant)
            yield first, change, offset
            first, offset = change, later
    yield first, end, offset


def _change_of_offset(zone: tzinfo, before: int, after: int) -> int:
    """The first second with the offset of `after`, which is not that of `before`."""
    old = _offset(zone, before)
    while after - before > _SECOND:
        middle = before + ceil((after - before) / 2 / _SECOND) * _SECOND
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after


def _offset(zone: tzinfo, instant: int) -> int:
    offset = (_EPOCH + timedelta(microseconds=instant)).astimezone(zone).utcoffset()
    return (offset or timedelta(0)) // _MICROSECOND
