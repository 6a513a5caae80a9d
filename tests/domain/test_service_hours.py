"""Business time: a table by hand, a second implementation that counts minutes, and properties."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ticketattr.domain.catalog import SLA
from ticketattr.domain.due import due_at, overdue_by
from ticketattr.domain.service_hours import (
    ServiceHours,
    Span,
    after_business_days,
    after_open_time,
    describe,
    open_time,
)
from ticketattr.errors import CatalogError

MINUTE = timedelta(minutes=1)


def week(**days: str) -> tuple[tuple[Span, ...], ...]:
    """`week(mon="8-12 13-17")`, in whole or half hours."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return tuple(tuple(_span(text) for text in days.get(name, "").split()) for name in names)


def _span(text: str) -> Span:
    opens, closes = text.split("-")
    return int(float(opens) * 60), int(float(closes) * 60)


def _all(text: str, *days: str) -> dict[str, str]:
    return dict.fromkeys(days, text)


WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
EVERY_DAY = (*WORKDAYS, "sat", "sun")
CHRISTMAS = frozenset(date(2026, 12, day) for day in (24, 25, 31)) | {date(2027, 1, 1)}

CLOCKS: dict[str, ServiceHours | None] = {
    "calendar": None,
    "office": ServiceHours("Europe/Berlin", week(**_all("8-12 13-17", *WORKDAYS)), CHRISTMAS),
    "friday": ServiceHours("America/New_York", week(**_all("9-17", *WORKDAYS[:4]), fri="9-13")),
    "always": ServiceHours("Europe/Berlin", week(**_all("0-24", *EVERY_DAY))),
    "night": ServiceHours("Europe/Berlin", week(**_all("0-6 22-24", *EVERY_DAY))),
    "sunday": ServiceHours("Asia/Jerusalem", week(**_all("9-17", "sun", "mon", "tue", "wed", "thu"))),
    "india": ServiceHours("Asia/Kolkata", week(**_all("10-19", *WORKDAYS, "sat"))),
    "island": ServiceHours("Australia/Lord_Howe", week(**_all("0-24", *EVERY_DAY))),
    "saturday": ServiceHours("UTC", week(sat="10-11")),
}

# Times are those of the clock's zone (UTC for the calendar); an offset is written where a wall clock is not enough.
BY_HAND = """
office    2026-11-23T09:00  1 hours     2026-11-23T10:00   within one span
office    2026-11-23T11:30  1 hours     2026-11-23T13:30   over lunch
office    2026-11-23T11:00  1 hours     2026-11-23T12:00   exactly until lunch
office    2026-11-23T12:30  1 hours     2026-11-23T14:00   made during lunch
office    2026-11-23T12:00  30 minutes  2026-11-23T13:30   made as lunch begins
office    2026-11-23T13:00  30 minutes  2026-11-23T13:30   made as lunch ends
office    2026-11-23T16:00  1 hours     2026-11-23T17:00   exactly until closing
office    2026-11-23T16:00  61 minutes  2026-11-24T08:01   one minute past closing
office    2026-11-23T16:30  4 hours     2026-11-24T11:30   over the night
office    2026-11-23T17:00  1 hours     2026-11-24T09:00   made as it closes
office    2026-11-23T20:00  1 hours     2026-11-24T09:00   made in the evening
office    2026-11-23T06:00  1 hours     2026-11-23T09:00   made before opening
office    2026-11-23T08:00  8 hours     2026-11-23T17:00   one whole day
office    2026-11-23T08:00  16 hours    2026-11-24T17:00   two whole days
office    2026-11-27T16:00  2 hours     2026-11-30T09:00   over the weekend
office    2026-11-28T11:00  1 hours     2026-11-30T09:00   made on a Saturday
office    2026-11-29T23:59  8 hours     2026-11-30T17:00   made on a Sunday
office    2026-11-27T17:00  8 hours     2026-11-30T17:00   made as the week closes
office    2026-11-23T08:00  40 hours    2026-11-27T17:00   one whole week
office    2026-11-23T08:00  41 hours    2026-11-30T09:00   a week and an hour
office    2026-12-23T16:00  2 hours     2026-12-28T09:00   over Christmas
office    2026-12-24T10:00  1 hours     2026-12-28T09:00   made on a closed day
office    2026-12-30T13:00  8 hours     2027-01-04T12:00   over New Year
office    2026-12-31T23:59  1 minutes   2027-01-04T08:01   made as the year ends
office    2026-11-23T10:00  0 hours     2026-11-23T10:00   nothing, while open
office    2026-11-28T03:00  0 hours     2026-11-28T03:00   nothing, while closed
office    2026-12-25T00:00  0 days      2026-12-25T00:00   no days, on a closed day
office    2026-11-23T10:00  1 days      2026-11-24T10:00   a day later, same time
office    2026-11-27T10:00  1 days      2026-11-30T10:00   a day later, over the weekend
office    2026-11-28T10:00  1 days      2026-11-30T17:00   made on a Saturday: until Monday evening
office    2026-11-23T07:00  1 days      2026-11-23T17:00   made before opening: until the evening
office    2026-11-23T17:00  1 days      2026-11-24T17:00   made as it closes
office    2026-11-23T12:30  1 days      2026-11-24T12:00   made during lunch: half a day each
office    2026-11-23T10:00  0.5 days    2026-11-23T15:00   half a day is four hours
office    2026-11-23T15:00  0.5 days    2026-11-24T10:00   half a day over the night
office    2026-11-23T10:00  3 days      2026-11-26T10:00   three days
office    2026-11-23T10:00  5 days      2026-11-30T10:00   five days are a week
office    2026-11-23T10:00  1 weeks     2026-11-30T10:00   a week has five days
office    2026-12-23T10:00  1 days      2026-12-28T10:00   a day over Christmas
office    2026-12-21T10:00  1 weeks     2026-12-30T10:00   a week that Christmas makes longer
office    2026-03-27T16:00  2 hours     2026-03-30T09:00   over the start of summer time
office    2026-10-23T16:00  2 hours     2026-10-26T09:00   over the end of summer time
office    2026-03-27T10:00  1 days      2026-03-30T10:00   a day over the start of summer time
office    2026-10-23T10:00  1 weeks     2026-10-30T10:00   a week over the end of summer time
friday    2026-11-05T13:00  1 days      2026-11-06T11:00   half of a long day, half of a short one
friday    2026-11-06T11:00  1 days      2026-11-09T13:00   half of a short day, half of a long one
friday    2026-11-06T12:00  2 hours     2026-11-09T10:00   hours are hours on a short day
friday    2026-11-02T09:00  1 weeks     2026-11-06T13:00   a whole week of 36 hours
friday    2026-11-02T09:00  36 hours    2026-11-06T13:00   the same in hours
friday    2026-03-06T12:00  2 hours     2026-03-09T10:00   over the start of daylight saving time
friday    2026-10-30T12:00  2 hours     2026-11-02T10:00   over the end of daylight saving time
always    2026-03-29T01:00  1 hours     2026-03-29T03:00   two o'clock is three o'clock
always    2026-03-29T01:30  1 hours     2026-03-29T03:30   over the hour that is skipped
always    2026-03-28T12:00  24 hours    2026-03-29T13:00   24 hours over a day of 23
always    2026-03-29T00:00  1 days      2026-03-30T00:00   a day of 23 hours is a day
always    2026-03-29T00:00  23 hours    2026-03-30T00:00   and has 23 hours
always    2026-10-25T00:00  25 hours    2026-10-26T00:00   a day of 25 hours
always    2026-10-25T00:00  1 days      2026-10-26T00:00   is a day, too
always    2026-10-24T12:00  24 hours    2026-10-25T11:00   24 hours over a day of 25
always    2026-10-25T02:30+02:00  1 hours  2026-10-25T02:30+01:00  the same time, an hour later
always    2026-10-25T02:30+01:00  1 hours  2026-10-25T03:30+01:00  the second half past two
always    2026-11-23T10:00  1 weeks     2026-11-30T10:00   seven days
night     2026-03-28T22:00  7 hours     2026-03-29T06:00   a night of seven hours
night     2026-10-24T22:00  9 hours     2026-10-25T06:00   a night of nine hours
night     2026-11-23T22:00  8 hours     2026-11-24T06:00   a night of eight hours
night     2026-11-23T12:00  3 hours     2026-11-24T01:00   made at noon
sunday    2026-11-26T16:00  2 hours     2026-11-29T10:00   Friday and Saturday are the weekend
sunday    2026-03-26T16:00  2 hours     2026-03-29T10:00   summer time begins on a Friday
sunday    2026-10-22T16:00  9 hours     2026-10-25T17:00   the day on which it ends
india     2026-11-28T18:30  1 hours     2026-11-30T10:30   half an hour from UTC
india     2026-11-23T10:00  1 weeks     2026-11-28T19:00   a week of six days
island    2026-10-04T01:30  1 hours     2026-10-04T03:00   a change of half an hour
island    2026-04-05T00:00  24.5 hours  2026-04-06T00:00   a day of 24 hours and a half
island    2026-10-04T00:00  1 days      2026-10-05T00:00   a day of 23 hours and a half
saturday  2026-11-23T10:00  90 minutes  2026-12-05T10:30   one hour a week
saturday  2026-11-23T10:00  1 weeks     2026-11-28T11:00   a week of one day
saturday  2026-11-23T10:00  3 days      2026-12-12T11:00   three weeks
calendar  2026-11-27T16:00  4 hours     2026-11-27T20:00   the calendar never stops
calendar  2026-11-27T16:00  1 days      2026-11-28T16:00   a day is 24 hours
calendar  2026-11-27T16:00  1 weeks     2026-12-04T16:00   a week is seven of them
calendar  2026-11-27T16:00  0 minutes   2026-11-27T16:00   nothing
calendar  2026-11-27T16:00  1.5 hours   2026-11-27T17:30   an hour and a half
calendar  2026-02-28T12:00  520 weeks   2036-02-16T12:00   ten years
"""
CASES = [line.split(maxsplit=5) for line in BY_HAND.strip().splitlines()]


def _instant(text: str, clock: str) -> datetime:
    hours = CLOCKS[clock]
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(hours.time_zone) if hours else timezone.utc)


@pytest.mark.parametrize(("clock", "created", "value", "unit", "due", "why"), CASES)
def test_tickets_are_due_when_the_table_by_hand_says(
    clock: str, created: str, value: str, unit: str, due: str, why: str
) -> None:
    sla = SLA(float(value), unit)  # type: ignore[arg-type]  # the table knows the units
    found = due_at(_instant(created, clock), sla, CLOCKS[clock])
    assert found == _instant(due, clock).astimezone(timezone.utc), why


def test_the_table_by_hand_is_long_enough() -> None:
    assert len(CASES) >= 60


# The second implementation shares no code with the first: it looks at the wall clock each minute.


def _is_open(hours: ServiceHours, instant: datetime) -> bool:
    local = instant.astimezone(ZoneInfo(hours.time_zone))
    if local.date() in hours.closed or (local.month, local.day) in hours.closed_yearly:
        return False
    minutes = local.hour * 60 + local.minute
    return any(opens <= minutes < closes for opens, closes in hours.week[local.weekday()])


def _open_minutes(hours: ServiceHours, start: datetime, end: datetime) -> int:
    return sum(_is_open(hours, start + minute * MINUTE) for minute in range(int((end - start) / MINUTE)))


def _minutes_of_day(hours: ServiceHours, day: date) -> int:
    """Of the local day, in all the places of the UTC time line where it is."""
    begin = datetime(day.year, day.month, day.day, tzinfo=timezone.utc) - timedelta(hours=16)
    instants = (begin + minute * MINUTE for minute in range(56 * 60))
    zone = ZoneInfo(hours.time_zone)
    return sum(_is_open(hours, instant) for instant in instants if instant.astimezone(zone).date() == day)


def _slow_due(hours: ServiceHours, start: datetime, amount: Fraction, unit: str) -> datetime:
    """Whole minutes of `time`, or business days, counted one minute at a time."""
    passed, lengths = Fraction(0), dict[date, int]()
    while passed < amount:
        if _is_open(hours, start):
            day = start.astimezone(ZoneInfo(hours.time_zone)).date()
            if unit == "days" and day not in lengths:
                lengths[day] = _minutes_of_day(hours, day)
            passed += Fraction(1, lengths[day]) if unit == "days" else 1
        start += MINUTE
    return start


CHANGES = [  # within days of a change of clocks, and of none
    datetime(2026, month, day, tzinfo=timezone.utc)
    for month, day in ((3, 7), (3, 26), (3, 28), (4, 4), (10, 3), (10, 23), (10, 24), (10, 31), (6, 30), (12, 22))
]
ZONES = st.sampled_from(
    (
        *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo"),
        *("America/St_Johns", "Pacific/Chatham", "Asia/Beirut", "America/Santiago", "Pacific/Kiritimati"),
    )
)


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, ...]:
    ends = sorted(draw(st.sets(st.integers(0, 96).map(lambda quarter: quarter * 15), max_size=6)))
    return tuple(zip(ends[0::2], ends[1::2], strict=False))


@st.composite
def service_hours(draw: st.DrawFn) -> ServiceHours:
    open_spans = tuple(draw(spans()) for _ in range(7))
    assume(any(open_spans))
    closed = draw(st.frozensets(st.sampled_from([moment.date() for moment in CHANGES]), max_size=3))
    yearly = draw(st.frozensets(st.sampled_from([(3, 29), (12, 25), (2, 29)]), max_size=1))
    return ServiceHours(draw(ZONES), open_spans, closed, yearly)


def instants() -> st.SearchStrategy[datetime]:
    return st.builds(lambda moment, minutes: moment + minutes * MINUTE, st.sampled_from(CHANGES), st.integers(0, 4320))


# Drawing service hours takes longer than most tests.
SLOW = settings(max_examples=max(10, settings().max_examples // 5))
FAST = settings(max_examples=max(10, settings().max_examples // 4))


@SLOW
@given(service_hours(), instants(), st.integers(0, 240))
def test_open_time_is_what_counting_minutes_gives(hours: ServiceHours, start: datetime, minutes: int) -> None:
    due = after_open_time(hours, start, minutes * MINUTE)
    assert due == _slow_due(hours, start, Fraction(minutes), "time")


@SLOW
@given(service_hours(), instants(), st.sampled_from((Fraction(0), Fraction(1), Fraction(2))))
def test_business_days_are_what_counting_minutes_gives(hours: ServiceHours, start: datetime, days: Fraction) -> None:
    due = after_business_days(hours, start, days)
    slow = _slow_due(hours, start, days, "days")
    assert due is not None
    assert slow - MINUTE < due <= slow  # a fraction of a day may end within a minute


@SLOW
@given(service_hours(), instants(), st.integers(0, 5000))
def test_the_time_between_is_what_counting_minutes_gives(hours: ServiceHours, start: datetime, minutes: int) -> None:
    end = start + minutes * MINUTE
    assert open_time(hours, start, end) == _open_minutes(hours, start, end) * MINUTE


AMOUNTS = st.integers(0, 60 * 24 * 60)


@FAST
@given(service_hours(), instants(), AMOUNTS, AMOUNTS)
def test_open_time_is_additive(hours: ServiceHours, start: datetime, first: int, second: int) -> None:
    middle = after_open_time(hours, start, first * MINUTE)
    assert middle is not None
    assert after_open_time(hours, middle, second * MINUTE) == after_open_time(hours, start, (first + second) * MINUTE)


@FAST
@given(service_hours(), instants(), st.integers(0, 50), st.integers(0, 50))
def test_business_days_are_additive(hours: ServiceHours, start: datetime, first: int, second: int) -> None:
    middle = after_business_days(hours, start, Fraction(first))
    assert middle is not None
    one = after_business_days(hours, middle, Fraction(second))
    both = after_business_days(hours, start, Fraction(first + second))
    assert one is not None
    assert both is not None
    # A microsecond of a short day is as much of a day as many microseconds of a long one. The end of a span and the
    # start of the next are the same in open time, so the difference is measured in that.
    assert open_time(hours, min(one, both), max(one, both)) <= timedelta(milliseconds=1)


@FAST
@given(service_hours(), instants(), instants(), AMOUNTS, st.sampled_from(("minutes", "hours", "days", "weeks")))
def test_a_ticket_made_later_is_not_due_earlier(
    hours: ServiceHours, one: datetime, other: datetime, minutes: int, unit: str
) -> None:
    value = minutes if unit == "minutes" else minutes % 100
    sla = SLA(value, unit)  # type: ignore[arg-type]  # the units of the strategy
    early, late = (due_at(start, sla, hours) for start in sorted((one, other)))
    assert early is not None
    assert late is not None
    assert early <= late


@FAST
@given(service_hours(), instants(), AMOUNTS, AMOUNTS)
def test_more_time_is_due_later(hours: ServiceHours, start: datetime, one: int, other: int) -> None:
    early, late = (after_open_time(hours, start, minutes * MINUTE) for minutes in sorted((one, other)))
    assert early is not None
    assert late is not None
    assert (early < late) == (one != other)


@FAST
@given(service_hours(), instants(), AMOUNTS)
def test_as_much_time_passes_until_due_as_the_sla_says(hours: ServiceHours, start: datetime, minutes: int) -> None:
    due = after_open_time(hours, start, minutes * MINUTE)
    assert due is not None
    assert open_time(hours, start, due) == minutes * MINUTE


@FAST
@given(service_hours(), instants(), instants(), instants())
def test_the_time_between_is_additive(hours: ServiceHours, one: datetime, other: datetime, third: datetime) -> None:
    first, middle, last = sorted((one, other, third))
    whole = open_time(hours, first, last)
    assert open_time(hours, first, middle) + open_time(hours, middle, last) == whole
    assert open_time(hours, last, first) == timedelta(0)


def test_ten_years_of_business_days_pass_over_holidays_and_leap_days() -> None:
    due = due_at(_instant("2026-01-05T08:00", "office"), SLA(522, "weeks"), CLOCKS["office"])
    # 522 weeks end on Friday, 4 January 2036; four closed days move that to the Thursday after it.
    assert due == datetime(2036, 1, 10, 16, tzinfo=timezone.utc)


def test_an_sla_beyond_all_reason_is_due_in_no_foreseeable_time() -> None:
    created = _instant("2026-01-05T08:00", "office")
    for clock in (CLOCKS["calendar"], CLOCKS["office"]):
        for value, unit in ((1e300, "days"), (1e12, "minutes"), (10**9, "weeks"), (-1e300, "hours")):
            assert due_at(created, SLA(value, unit), clock) is None  # type: ignore[arg-type]  # the loop's units


def test_a_desk_that_is_closed_on_all_its_days_is_due_in_no_foreseeable_time() -> None:
    christmas_only = ServiceHours("UTC", week(**_all("8-9", *EVERY_DAY)), closed_yearly=frozenset(_each_day()))
    assert after_open_time(christmas_only, _instant("2026-01-05T08:00", "office"), MINUTE) is None


def _each_day() -> list[tuple[int, int]]:
    return [(day.month, day.day) for day in (date(2024, 1, 1) + timedelta(days=number) for number in range(366))]


OF_TUESDAY = "the service hours of tuesday"
BACKWARDS = "does not end after it begins, on the same day"


@pytest.mark.parametrize(
    ("zone", "days", "message"),
    [
        ("Europe/Berlin", {}, "the service hours have no open hour"),
        ("Europe/Berlim", {"mon": "8-9"}, "there is no time zone 'Europe/Berlim'; did you mean 'Europe/Berlin'?"),
        ("", {"mon": "8-9"}, "there is no time zone ''"),
        ("Europe", {"mon": "8-9"}, "there is no time zone 'Europe'; did you mean 'Europe/Rome'?"),
        ("../../etc/passwd", {"mon": "8-9"}, "there is no time zone '../../etc/passwd'"),
        ("UTC", {"tue": "9-8"}, f"{OF_TUESDAY}: 09:00-08:00 {BACKWARDS}"),
        ("UTC", {"tue": "8-8"}, f"{OF_TUESDAY}: 08:00-08:00 {BACKWARDS}"),
        ("UTC", {"tue": "8-25"}, f"{OF_TUESDAY}: 08:00-25:00 {BACKWARDS}"),
        ("UTC", {"tue": "8-12 11-13"}, f"{OF_TUESDAY}: 11:00-13:00 overlaps the span before it"),
        ("UTC", {"tue": "13-17 8-12"}, f"{OF_TUESDAY}: 08:00-12:00 overlaps the span before it"),
    ],
)
def test_service_hours_that_make_no_sense_are_refused(zone: str, days: dict[str, str], message: str) -> None:
    with pytest.raises(CatalogError) as caught:
        ServiceHours(zone, week(**days))
    assert str(caught.value) == message


def test_spans_that_touch_are_one_span() -> None:
    split = ServiceHours("UTC", week(mon="8-12 12-16"))
    assert after_open_time(split, _instant("2026-11-23T11:00", "calendar"), 120 * MINUTE) == datetime(
        2026, 11, 23, 13, tzinfo=timezone.utc
    )


def test_overdue_counts_only_the_time_of_the_sla_s_clock() -> None:
    due, now = _instant("2026-11-27T16:00", "office"), _instant("2026-11-30T09:00", "office")
    assert overdue_by(due, now, CLOCKS["office"]) == timedelta(hours=2)
    assert overdue_by(due, now, None) == timedelta(hours=65)
    assert overdue_by(now, due, CLOCKS["office"]) == overdue_by(now, due, None) == timedelta(0)


def test_service_hours_are_described_in_words() -> None:
    hours = ServiceHours("Europe/Berlin", week(**_all("8-12 13-17", *WORKDAYS[:4]), fri="8-12", sun="0-24"))
    assert describe(hours) == (
        "Monday-Thursday 08:00-12:00, 13:00-17:00; Friday 08:00-12:00; Sunday 00:00-24:00 (Europe/Berlin)"
    )
    holidays = ServiceHours("UTC", week(mon="8-9", wed="8-9"), holidays=("DE-BE", "AT"))
    assert describe(holidays) == "Monday 08:00-09:00; Wednesday 08:00-09:00 (UTC), closed on holidays of DE-BE, AT"


def test_the_time_of_several_years_is_added_up() -> None:
    always = CLOCKS["always"]
    assert always is not None
    start, end = _instant("2025-12-31T12:00", "always"), _instant("2028-01-01T12:00", "always")
    assert open_time(always, start, end) == end - start
