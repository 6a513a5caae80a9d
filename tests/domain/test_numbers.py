"""Numbers, durations and times as strangers write them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from ticketattr.domain.numbers import read_count, read_http_date, read_seconds, time_of


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (7, 7),
        ("7", 7),
        (" 0010 ", 10),
        ("10", 10),
        (0, 0),
        ("0", 0),
        ("000", 0),
        (11, None),
        ("11", None),
        (-1, None),
        ("-1", None),
        ("+1", None),
        ("1.0", None),
        ("1e1", None),
        ("٧", None),
        ("", None),
        ("9" * 19, None),
        ("0" * 5_000 + "7", 7),
        (7.0, None),
        (True, None),
        (None, None),
        ([7], None),
    ],
)
def test_a_count_is_a_whole_number_within_bounds(value: object, count: int | None) -> None:
    assert read_count(value, 10) == count


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("37", 37.0),
        (" 37.5 ", 37.5),
        ("37.5s", 37.5),
        ("37 s", 37.0),
        ("007.250s", 7.25),
        ("0", 0.0),
        ("999999999", 999999999.0),
        ("1.1234567891", 1.123456789),
        ("1.2.3s", None),
        ("-1", None),
        ("1e3", None),
        ("", None),
        ("s", None),
        (".5", None),
        ("1m", None),
    ],
)
def test_seconds_are_a_decimal_number_that_may_name_its_unit(text: str, seconds: float | None) -> None:
    assert read_seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon, 23 Nov 2026 12:00:00 GMT", datetime(2026, 11, 23, 12, tzinfo=timezone.utc)),
        ("Mon, 23 Nov 2026 12:00:00 +0200", datetime(2026, 11, 23, 10, tzinfo=timezone.utc)),
        ("23 Nov 2026 12:00:00", datetime(2026, 11, 23, 12, tzinfo=timezone.utc)),
        ("Mon, 23 Nov 99999 12:00:00 GMT", None),
        ("Mon, 31 Dec 9999 23:59:59 -2359", None),
        ("tomorrow", None),
        ("", None),
        ("Mon, 23 Nov 2026 12:00:00 GMT" + 31 * " ", datetime(2026, 11, 23, 12, tzinfo=timezone.utc)),
        ("Mon, 23 Nov 2026 12:00:00 GMT" + 32 * " ", None),
    ],
)
def test_a_date_of_http_is_a_time_in_utc(text: str, expected: datetime | None) -> None:
    assert read_http_date(text) == expected


@pytest.fixture
def _in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_in_tokyo")
def test_a_date_without_a_zone_is_in_utc_wherever_the_program_runs() -> None:
    for zone in ("", " GMT"):
        read = read_http_date(f"23 Nov 2026 12:00:00{zone}")
        assert read is not None
        assert read.isoformat() == "2026-11-23T12:00:00+00:00"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, datetime(1970, 1, 1, tzinfo=timezone.utc)),
        (1_795_435_200.0, datetime(2026, 11, 23, 12, tzinfo=timezone.utc)),
        (-1.0, datetime(1970, 1, 1, tzinfo=timezone.utc)),
        (8e9, datetime(2200, 1, 1, tzinfo=timezone.utc)),
        (1e300, datetime(2200, 1, 1, tzinfo=timezone.utc)),
        (-1e300, datetime(1970, 1, 1, tzinfo=timezone.utc)),
        (float("inf"), datetime(2200, 1, 1, tzinfo=timezone.utc)),
    ],
)
def test_the_time_of_a_file_is_the_nearest_one_that_can_be(seconds: float, expected: datetime) -> None:
    assert time_of(seconds) == expected
