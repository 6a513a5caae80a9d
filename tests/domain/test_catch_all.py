"""Entries for what nothing else fits."""

from __future__ import annotations

import pytest

from ticketattr.domain.catalog import SLA, RequestType
from ticketattr.domain.catch_all import bare_name, catch_all_entry, is_catch_all


def entry(category: str, name: str) -> RequestType:
    return RequestType(category, name, SLA(1, "days"))


@pytest.mark.parametrize("name", ["Other", "OTHER requests", "General Inquiry", "Misc.", "Sonstiges", "Uncategorised"])
def test_a_name_for_the_rest_is_known(name: str) -> None:
    assert is_catch_all(name)


@pytest.mark.parametrize("names", [("Mother board",), ("Another thing",), ("Other", "Laptop"), ("Laptop", "Other")])
def test_what_names_something_is_not_for_the_rest(names: tuple[str, ...]) -> None:
    assert not is_catch_all(*names)


def test_the_general_entry_is_for_the_rest_of_everything() -> None:
    some = [entry("Hardware", "Other Hardware"), entry("Other", "Parking"), entry("Other", "General Inquiry")]
    assert catch_all_entry(some) == 2
    assert catch_all_entry(some[:2]) is None


@pytest.mark.parametrize(
    ("name", "bare"),
    [("Other Hardware Request", "Hardware Request"), ("Hardware (other)", "Hardware"), ("VPN/Wi-Fi", "VPN Wi-Fi")],
)
def test_a_bare_name_says_what_it_is_the_rest_of(name: str, bare: str) -> None:
    assert bare_name(entry("Any", name)) == bare
