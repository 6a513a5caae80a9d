"""Text from strangers is safe to show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketattr.domain.sanitizing import sanitize, truncate


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Printer on fire", "Printer on fire"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("bell\x07", "bell␇"),
        ("unit\x1f", "unit␟"),
        ("delete\x7f", "delete␡"),
        ("next line\x85", "next line[U+0085]"),
        ("right \u202e to left", "right [U+202E] to left"),
        ("half a pair \ud800, the other \udfff", "half a pair �, the other �"),
        ("no characters \ufffe\uffff", "no characters ��"),
        ("日本語, עברית, 👩‍💻", "日本語, עברית, 👩‍💻"),
    ],
)
def test_nothing_is_hidden_and_every_script_stays(text: str, seen: str) -> None:
    assert sanitize(text) == seen


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("x" * 20, "x" * 20),
        ("x" * 21, "x" * 12 + " … [cut]"),
        ("😀" * 10, "😀" * 10),
        ("😀" * 11, "😀" * 6 + " … [cut]"),
        # The cut would leave half of a pair.
        ("x" + "😀" * 11, "x" + "😀" * 5 + " … [cut]"),
    ],
    ids=["fits", "too long", "pairs that fit", "pairs too many", "a pair at the cut"],
)
def test_a_long_text_is_cut_by_utf_16_units_and_says_so(text: str, left: str) -> None:
    assert truncate(text, 20) == left


@given(st.text(max_size=60), st.integers(10, 40))
def test_a_cut_text_fits(text: str, units: int) -> None:
    left = truncate(sanitize(text), units)
    assert len(left.encode("utf-16-le")) // 2 <= units
