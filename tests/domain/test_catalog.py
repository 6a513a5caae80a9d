from __future__ import annotations

import time

import pytest

from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog, SLAUnit, sla_unit
from ticketattr.errors import CatalogError

HOURS = SLA(4, "hours")


def entry(category: str, name: str) -> RequestType:
    return RequestType(category, name, HOURS)


@pytest.mark.parametrize(
    ("category", "request_type"),
    [
        pytest.param("Access", "Password Reset", id="as written"),
        pytest.param("ACCESS", "password reset", id="other case"),
        pytest.param("  Access ", "Password \t\n Reset", id="other white space"),
        pytest.param("Access", "Password\u00a0Reset", id="no-break space"),
    ],
)
def test_find_ignores_case_and_white_space(category: str, request_type: str) -> None:
    reset = entry("Access", "Password Reset")
    assert ServiceCatalog((entry("Access", "Other"), reset)).find(category, request_type) is reset


@pytest.mark.parametrize(
    ("written", "asked"),
    [("Zugänge", "Zuga\u0308nge"), ("Zuga\u0308nge", "ZUGÄNGE"), ("Straße", "STRASSE")],
    ids=["composed", "decomposed", "sharp s"],
)
def test_find_ignores_how_a_letter_is_spelled_in_unicode(written: str, asked: str) -> None:
    assert ServiceCatalog((entry(written, "New"),)).find(asked, "New")


@pytest.mark.parametrize(("length", "is_found"), [(1_000, True), (1_001, False)])
def test_the_letters_of_a_very_long_name_are_not_composed(length: int, is_found: bool) -> None:
    name = "x" * (length - 2) + "a\u0308"
    found = ServiceCatalog((entry(name, "New"),)).find("x" * (length - 2) + "ä", "New")
    assert (found is not None) is is_found


@pytest.mark.parametrize(
    ("sla", "words"),
    [
        (SLA(1, "days"), "1 day"),
        (SLA(2, "days"), "2 days"),
        (SLA(0, "minutes"), "0 minutes"),
        (SLA(1.5, "weeks"), "1.5 weeks"),
    ],
)
def test_an_sla_is_written_with_its_unit_in_singular_or_plural(sla: SLA, words: str) -> None:
    assert str(sla) == words


@pytest.mark.parametrize(
    ("category", "request_type"),
    [("Hardware", "Password Reset"), ("Access", "Password"), ("", ""), ("Access Password", "Reset")],
    ids=["other category", "half a name", "nothing", "split elsewhere"],
)
def test_find_returns_none_for_an_unknown_pair(category: str, request_type: str) -> None:
    assert ServiceCatalog((entry("Access", "Password Reset"),)).find(category, request_type) is None


def test_two_categories_may_share_the_name_of_a_request_type() -> None:
    first, second = entry("Access", "Other"), entry("Hardware", "Other")
    catalog = ServiceCatalog((first, second))
    assert (catalog.find("access", "other"), catalog.find("hardware", "other")) == (first, second)


@pytest.mark.parametrize("name", ["Other", "OTHER", " Other  "], ids=["the same", "other case", "white space"])
def test_two_entries_with_the_same_name_are_refused(name: str) -> None:
    with pytest.raises(CatalogError, match="the same request type") as caught:
        ServiceCatalog((entry("Access", "Other"), entry("access", name)))
    assert caught.value.hint == "Rename one of the two in the service catalog."


def test_catalogs_of_the_same_entries_are_equal() -> None:
    assert ServiceCatalog((entry("Access", "Other"),)) == ServiceCatalog((entry("Access", "Other"),))


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("minutes", "minutes"),
        ("hour", "hours"),
        (" Days ", "days"),
        ("WEEK", "weeks"),
        ("fortnights", None),
        ("h", None),
        ("", None),
    ],
)
def test_a_unit_may_be_singular_and_in_any_case(text: str, unit: SLAUnit | None) -> None:
    assert sla_unit(text) == unit


@pytest.mark.parametrize(
    ("sla", "text"),
    [(SLA(4, "hours"), "4 hours"), (SLA(0, "minutes"), "0 minutes"), (SLA(1.5, "days"), "1.5 days")],
    ids=["whole", "zero", "fraction"],
)
def test_an_sla_is_shown_as_in_the_catalog(sla: SLA, text: str) -> None:
    assert str(sla) == text


def test_a_very_long_name_is_compared_quickly() -> None:
    """Putting all its accents in order would take half a minute."""
    began = time.monotonic()
    assert ServiceCatalog(()).find("a" + "\u0301" * 60_000 + "\u0316" * 60_000, "x") is None
    assert time.monotonic() - began < 5


def test_long_names_that_differ_are_different() -> None:
    ends = ("one", "two")
    entries = tuple(RequestType("Access", "x" * 2_000 + end, SLA(1, "hours")) for end in ends)
    catalog = ServiceCatalog(entries)
    assert [catalog.find("Access", "X" * 2_000 + end) for end in ends] == list(entries)
