"""Whether the clock has leapt ahead."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ticketattr.domain.clock_leap import LONGEST_PAUSE, Leap, find_leap

from ..fakes import MIDNIGHT

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("gap", "since", "leapt"),
    [
        (LONGEST_PAUSE, 0 * DAY, False),
        (LONGEST_PAUSE + SECOND, 0 * DAY, True),
        # A clock that goes on from its new time is believed after a twelfth of the leap, and after two months at most.
        (120 * DAY, 10 * DAY - SECOND, True),
        (120 * DAY, 10 * DAY, False),
        (3_650 * DAY, 60 * DAY - SECOND, True),
        (3_650 * DAY, 60 * DAY, False),
    ],
)
def test_a_long_pause_is_a_leap_until_the_clock_has_gone_on_for_a_while(
    gap: timedelta, since: timedelta, leapt: bool
) -> None:
    after, now = MIDNIGHT + gap, MIDNIGHT + gap + since
    between = [after + day * DAY for day in range(since.days)]
    assert find_leap([*between, after, MIDNIGHT], now) == (Leap(MIDNIGHT, after) if leapt else None)


def test_the_newest_leap_counts_and_times_after_now_do_not() -> None:
    first, second = MIDNIGHT + 900 * DAY, MIDNIGHT + 1_020 * DAY
    known = [MIDNIGHT, first, second + 200 * DAY]
    leap = find_leap(known, second)
    assert leap == Leap(first, second)
    assert str(leap) == "nothing is known from between 2029-05-11 and 2029-09-08"
    assert find_leap([*known, second], first + DAY) == Leap(MIDNIGHT, first)
    assert find_leap([], MIDNIGHT) is None
