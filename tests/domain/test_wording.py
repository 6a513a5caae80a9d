"""Words for messages."""

from __future__ import annotations

import pytest

from ticketattr.domain.wording import counted, duration, some_of


@pytest.mark.parametrize(
    ("items", "text"), [("", ""), ("a", "a"), ("ab", "a, b"), ("abc", "a, b, and 1 more"), ("abcd", "a, b, and 2 more")]
)
def test_a_list_is_cut_short_and_says_how_many_are_left(items: str, text: str) -> None:
    assert some_of(items, 2) == text


def test_many_are_left_with_a_thousands_separator_and_lists_may_have_another_separator() -> None:
    assert some_of(map(str, range(2_000)), 1, separator="; ") == "0; and 1,999 more"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1 second"),
        (1.4, "1 second"),
        (89.4, "89 seconds"),
        (90, "2 minutes"),
        (5_399, "90 minutes"),
        (5_400, "1.5 hours"),
        (47.9 * 3_600, "47.9 hours"),
        (48 * 3_600, "2.0 days"),
        (1e9, "11,574.1 days"),
    ],
)
def test_a_duration_has_the_unit_that_tells_enough(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_counted_nouns_are_singular_or_plural() -> None:
    assert [counted(number, "ticket") for number in (0, 1, 1_200)] == ["0 tickets", "1 ticket", "1,200 tickets"]
    assert [counted(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]
