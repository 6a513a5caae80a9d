"""Time zones by name."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, timezone

import pytest

from ticketattr.domain import time_zones
from ticketattr.domain.time_zones import time_zone


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(name: str) -> zoneinfo.ZoneInfo:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(time_zones, "ZoneInfo", not_found)
    monkeypatch.setattr(time_zones, "available_timezones", set)


def test_a_time_zone_knows_its_offset() -> None:
    assert datetime(2026, 7, 1, 12, tzinfo=time_zone("Europe/Berlin")).astimezone(timezone.utc).hour == 10


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Europe/Berlim", "there is no time zone 'Europe/Berlim'; did you mean 'Europe/Berlin'?"),
        ("Europe", "there is no time zone 'Europe'"),
        ("", "there is no time zone ''"),
        ("../../etc/passwd", "there is no time zone '../../etc/passwd'"),
        ("UTC\0", "there is no time zone 'UTC\0'"),
        ("x" * 5000, "there is no time zone 'xxx"),
    ],
)
def test_a_name_that_is_not_there_is_refused(name: str, message: str) -> None:
    with pytest.raises(ValueError, match="there is no time zone") as caught:
        time_zone(name)
    assert str(caught.value).startswith(message)


@pytest.mark.usefixtures("no_database")
def test_utc_needs_no_database() -> None:
    assert time_zone("UTC") is timezone.utc


@pytest.mark.usefixtures("no_database")
def test_a_system_without_time_zones_is_told_what_it_lacks() -> None:
    with pytest.raises(ValueError, match="pip install tzdata"):
        time_zone("Europe/Berlin")
