"""The id of a run holds its time, and sorts by it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketattr.domain.run_id import began_before, is_run_id, new_run_id

times = st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=st.just(timezone.utc))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("at", "run_id"),
    [
        (datetime(2026, 11, 23, 15, 3, 1, 500_000, tzinfo=timezone.utc), "20261123T150301Z-8000"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), "20260102T030405Z-0000"),
        (datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=timezone.utc), "20260102T030405Z-ffff"),
    ],
    ids=str,
)
def test_the_id_of_a_run_begins_with_its_time(at: datetime, run_id: str) -> None:
    assert new_run_id(at) == run_id


@given(times, st.timedeltas(timedelta(microseconds=16), timedelta(days=400)))
def test_run_ids_sort_by_time(time: datetime, later: timedelta) -> None:
    assert new_run_id(time) < new_run_id(time + later)


@given(times)
def test_a_new_run_id_is_a_valid_run_id(time: datetime) -> None:
    assert is_run_id(new_run_id(time))


@pytest.mark.parametrize(
    "text", ["", "../work", "20261123T150301Z-7f3a/..", "20261123T150301Z-7F3A", "20261123T150301Z"]
)
def test_other_text_is_not_a_run_id(text: str) -> None:
    assert not is_run_id(text)


def test_a_run_began_before_any_later_second() -> None:
    at = datetime(2026, 11, 23, 15, 3, 1, tzinfo=timezone.utc)
    assert began_before(new_run_id(at), at + timedelta(seconds=1))
    assert not began_before(new_run_id(at), at)
