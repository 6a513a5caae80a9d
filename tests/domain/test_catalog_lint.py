"""Probable mistakes in a valid catalog are found."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.catalog_lint import Remark, lint
from ticketattr.infrastructure.catalog.yaml_format import parse_catalog

EXAMPLE = Path(__file__).parents[2] / "examples" / "catalog.yaml"
OTHER = ("Other", "General Inquiry")


def found(*pairs: tuple[str, str]) -> list[Remark]:
    return lint(ServiceCatalog(tuple(RequestType(category, name, SLA(4, "hours")) for category, name in pairs)))


def remarks(*pairs: tuple[str, str]) -> list[str]:
    return [remark.what for remark in found(*pairs)]


def test_the_example_catalog_is_clean() -> None:
    assert [remark for remark in lint(parse_catalog(EXAMPLE.read_bytes(), "example")) if remark.fix] == []


@pytest.mark.parametrize(
    ("pairs", "said", "fix"),
    [
        (
            [("Access", "Password Reset"), ("Security", "password reset"), OTHER],
            "the same name in several categories: 'Password Reset' in Access and Security",
            "Rename them, or give them descriptions that tell them apart.",
        ),
        (
            [("Access", "Password Reset")],
            "no request type is for tickets that fit no other one",
            "Add one, such as 'Other Request'. Without it, such tickets get no request type.",
        ),
        (
            [("Access", "Password Reset"), ("Security", "Pasword Reset"), OTHER],
            "names that differ by one letter: 'Password Reset' and 'Pasword Reset'",
            "Correct the name that is misspelled.",
        ),
        (
            [("Hardware", "Laptop"), ("Hardwear", "Printer"), OTHER],
            "names that differ by one letter: 'Hardware' and 'Hardwear'",
            "Correct the name that is misspelled.",
        ),
        (
            [("Admin", "Laptop"), ("Admim", "Printer"), OTHER],
            "names that differ by one letter: 'Admin' and 'Admim'",
            "Correct the name that is misspelled.",
        ),
        (
            [("Access", "Password\u00a0Reset"), OTHER],
            r"unusual white space or hidden characters in names: 'Password\xa0Reset'",
            "Type these names again.",
        ),
        (
            [("Access  x", "VPN"), OTHER],
            "unusual white space or hidden characters in names: 'Access  x'",
            "Type these names again.",
        ),
        (
            [("Access", "VPN\u202e"), OTHER],
            r"unusual white space or hidden characters in names: 'VPN\u202e'",
            "Type these names again.",
        ),
        (
            [("Printers", "printers"), ("Phones", "Phones"), ("Cars", "Cars"), OTHER],
            "a category whose only request type has the same name: 'Printers', 'Phones', 'Cars'",
            "Name the request type for what it offers.",
        ),
    ],
)
def test_a_probable_mistake_is_named_with_its_fix(pairs: list[tuple[str, str]], said: str, fix: str) -> None:
    assert found(*pairs) == [Remark(said, fix)]


def test_an_sla_of_0_is_named_and_needs_a_fix_only_if_most_are_0() -> None:
    zero, four = (RequestType("Other", name, SLA(value, "hours")) for name, value in (("Zero", 0), ("Other", 4)))
    also_zero = replace(zero, name="Naught")
    (told,) = lint(ServiceCatalog((zero, four)))
    (doubted,) = lint(ServiceCatalog((zero, also_zero, four)))
    assert (told.what, told.fix) == ("an SLA of 0, which means at once: 'Other / Zero'", "")
    assert doubted.fix == "Enter the intended times."


@pytest.mark.parametrize(
    "pairs",
    [
        [("Support 1", "Level 1"), ("Support 2", "Level 2"), OTHER],
        [("Network", "VPN"), ("Servers", "VPS"), OTHER],
        [("Printers", "printers"), ("Printers", "Toner"), OTHER],
        [("Access", "Other"), ("Hardware", "Other"), OTHER],
        [("Access", "Gérer 🔑 l'accès"), OTHER],
        [("アクセス", "パスワード"), OTHER],
        [("Other", "Other"), ("Other", "Something")],
    ],
)
def test_intended_names_cause_no_remark(pairs: list[tuple[str, str]]) -> None:
    assert remarks(*pairs) == []


def test_a_remark_names_at_most_three_mistakes() -> None:
    pairs = [(category, f"Request {'abcdefgh'[number] * 9}") for number in range(8) for category in ("One", "Two")]
    (remark,) = remarks(*pairs, OTHER)
    assert remark.endswith("'Request ccccccccc' in One and Two, and 5 more")
    (remark,) = remarks(*pairs[:8], OTHER)
    assert remark.endswith("'Request ccccccccc' in One and Two, and 1 more")


def test_a_large_catalog_is_checked_quickly() -> None:
    pairs = [(f"Category {number % 50}", f"{number * 7919:x} of the many requests {number}") for number in range(5_000)]
    started = time.monotonic()
    remarks(*pairs, OTHER)
    assert time.monotonic() - started < 5
