"""Times as programs write them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketattr.domain.times import TimeStyle, forms_of, read_time

MOMENT = datetime(2026, 11, 20, 10, 30, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T10:30:00Z",
        "2026-11-20t10:30:00z",
        "2026-11-20T10:30:00+00:00",
        "2026-11-20T10:30:00+0000",
        "2026-11-20T10:30:00.000+0000",
        "2026-11-20T11:30:00+01",
        "2026-11-20T10:30Z",
        "2026-11-20 10:30:00",
        "2026-11-20 10:30:00 UTC",
        "2026-11-20 10.30.00",
        "2026/11/20 10:30",
        "20261120T103000Z",
        "20261120T113000+0100",
        "20261120103000Z",
        "20261120103000",
        "202611201030",
        "1795170600",
        "1795170600.0",
        "1795170600000",
        "Fri, 20 Nov 2026 10:30:00 +0000",
        "20 Nov 2026 10:30:00 GMT",
        "Fri, 20 Nov 2026 05:30:00 EST",
        "Fri, 20 Nov 2026 11:30:00 +0100 (CET)",
        "Fri, 20 Nov 2026 10:30:00 -0000",
    ],
)
def test_one_moment_is_read_however_programs_write_it(text: str) -> None:
    assert read_time(text) == MOMENT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "20.11.2026 08:00",
        "11/20/2026 8:00 AM",
        "0",
        "1",
        "42.5",
        "99999999999",
        "1712101530123000",
        "2026-13-01",
        "2026-02-30",
        "2026-11-20T25:00:00Z",
        "2026-11-20T10:30:61Z",
        "2026-11-20T10:30:00+99:00",
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "1989-12-31T23:59:59Z",
        "2101-01-01T00:00:00Z",
        "9999-12-31",
        "114730-01-01",
        "Fri, 20 Nov 2026 10:30:00 CEST",
        "Fri, 99 Nov 2026 10:30:00 +0000",
        "٢٠٢٦-١١-٢٠",
        "9" * 100_000,
    ],
)
def test_what_is_no_time_or_an_ambiguous_one_is_not_read(text: str) -> None:
    assert read_time(text) is None


def test_years_from_1990_to_2100_are_plausible() -> None:
    assert read_time("1990-01-01T00:00:00Z") == datetime(1990, 1, 1, tzinfo=timezone.utc)
    assert read_time(" 2100-12-31T23:59:59Z ") == datetime(2100, 12, 31, 23, 59, 59, tzinfo=timezone.utc)


def test_milliseconds_keep_their_fraction() -> None:
    assert read_time("1712101530123") == datetime(2024, 4, 2, 23, 45, 30, 123_000, tzinfo=timezone.utc)


def test_a_time_without_a_zone_is_in_the_zone_of_its_source() -> None:
    style = TimeStyle(zone=ZoneInfo("Europe/Berlin"))
    assert read_time("2026-11-20 11:30", style) == MOMENT
    assert read_time("Fri, 20 Nov 2026 11:30:00", style) == MOMENT
    assert read_time("2026-11-20 10:30Z", style) == MOMENT


def test_a_local_form_is_read_where_the_user_names_it() -> None:
    style = TimeStyle("%d.%m.%Y %H:%M", ZoneInfo("Europe/Berlin"))
    assert read_time("20.11.2026 11:30", style) == MOMENT
    assert read_time("2026-11-20T10:30:00Z", style) == MOMENT
    assert read_time("20.11.2026", style) is None


@settings(derandomize=True, database=None)
@given(st.text(max_size=70) | st.from_regex(r"[0-9TZ :+.,/-]{0,40}", fullmatch=True))
def test_any_text_is_a_plausible_time_or_none(text: str) -> None:
    found = read_time(text)
    assert found is None or (1990 <= found.year <= 2100 and found.utcoffset() is not None)


@settings(derandomize=True, database=None)
@given(st.integers(-(10**15), 10**15), st.integers(-14 * 60, 14 * 60))
def test_what_python_writes_is_read_to_the_microsecond(microseconds: int, offset: int) -> None:
    zone = timezone(timedelta(minutes=offset))
    moment = (MOMENT + timedelta(microseconds=microseconds)).astimezone(zone)
    assert read_time(moment.isoformat()) == moment


@pytest.mark.parametrize(
    ("texts", "forms"),
    [
        (["20.11.2026 08:00", "04.05.2026 12:30"], ["%d.%m.%Y %H:%M"]),
        (["04/05/2026 12:30"], ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"]),
        (["04/05/2026 12:30", "20/11/2026 08:00"], ["%d/%m/%Y %H:%M"]),
        (["11/20/2026 08:00 AM"], ["%m/%d/%Y %I:%M %p"]),
        (["20/Nov/26 8:00 AM"], ["%d/%b/%y %I:%M %p"]),
        (["20.11.2026 08:00", "yesterday"], []),
        ([], []),
    ],
)
def test_the_forms_that_read_local_times_are_found(texts: list[str], forms: list[str]) -> None:
    assert forms_of(texts) == forms
