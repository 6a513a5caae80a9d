"""Catch-all entries of a catalog."""

from __future__ import annotations

import pytest

from ticketattr.domain.catalog import SLA, RequestType
from ticketattr.domain.catch_all import bare_name, catch_all_entry, is_catch_all


def entry(category: str, name: str) -> RequestType:
    return RequestType(category, name, SLA(1, "days"))


@pytest.mark.parametrize("name", ["Other", "OTHER requests", "General Inquiry", "Misc.", "Sonstiges", "Uncategorised"])
def test_a_catch_all_name_is_recognized(name: str) -> None:
    assert is_catch_all(name)


@pytest.mark.parametrize("names", [("Mother board",), ("Another thing",), ("Other", "Laptop"), ("Laptop", "Other")])
def test_a_specific_name_is_not_a_catch_all(names: tuple[str, ...]) -> None:
    assert not is_catch_all(*names)


def test_the_catch_all_entry_is_a_catch_all_in_both_names() -> None:
    some = [entry("Hardware", "Other Hardware"), entry("Other", "Parking"), entry("Other", "General Inquiry")]
    assert catch_all_entry(some) == 2
    assert catch_all_entry(some[:2]) is None


@pytest.mark.parametrize(
    ("name", "bare"),
    [("Other Hardware Request", "Hardware Request"), ("Hardware (other)", "Hardware"), ("VPN/Wi-Fi", "VPN Wi-Fi")],
)
def test_a_bare_name_has_no_catch_all_words(name: str, bare: str) -> None:
    assert bare_name(entry("Any", name)) == bare
