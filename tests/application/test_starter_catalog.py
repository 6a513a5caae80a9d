"""The catalog that a desk begins with."""

from __future__ import annotations

import pytest

from ticketattr.application.starter_catalog import MAX_TYPES, StarterType, catalog_text
from ticketattr.domain.catalog import SLA
from ticketattr.infrastructure.catalog.yaml_format import parse_catalog

HEAD = """\
# yaml-language-server: $schema=catalog.schema.json
# The service catalog: what the service desk offers, and in what time. docs/reference/formats.md explains each field.
#
# description, keywords and examples are optional. They help whoever chooses: write words that your users write.
# units of an SLA: minutes, hours, days, weeks
service_catalog:
  catalog:
    categories:
"""


def text(*types: StarterType) -> str:
    whole = catalog_text(types, "catalog.schema.json")
    assert whole.startswith(HEAD)
    return whole[len(HEAD) :]


def test_types_are_grouped_by_category_each_once_in_the_order_in_which_they_came() -> None:
    assert text(
        StarterType("Access", "Reset", SLA(1.5, "hours"), "A lost password."),
        StarterType("Other", " General "),
        StarterType(" ACCESS", "Badge", SLA(0, "minutes")),
        StarterType("access", "RESET", SLA(9, "weeks")),
        StarterType("", "Nothing"),
        StarterType("Nothing", " "),
    ) == (
        "    - name: Access\n      requests:\n"
        '      - name: Reset\n        description: "A lost password."\n        sla: {value: 1.5, unit: hours}\n'
        "      - name: Badge\n        sla: {value: 0, unit: minutes}\n"
        "    - name: Other\n      requests:\n"
        "      - name: General\n        sla: {value: 3, unit: days}  # set the time that you promise\n"
    )


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Wi-Fi  and\nVPN", "Wi-Fi and VPN"),
        ("-x", '"-x"'),
        ("No", '"No"'),
        ("null", '"null"'),
        ("Y", '"Y"'),
        ("Yes we can", "Yes we can"),
        ("a: b", '"a: b"'),
        ("3", '"3"'),
        ('"', '"\\""'),
        ("\U0001f4e7\x7f", '"\U0001f4e7\\u007f"'),
        ("Zugänge", "Zugänge"),
    ],
)
def test_a_name_that_yaml_would_read_otherwise_is_quoted(name: str, written: str) -> None:
    assert text(StarterType("Category", name, SLA(1, "days"))).splitlines()[2] == f"      - name: {written}"


@pytest.mark.parametrize("name", ["E-mail \U0001f4e7", "Büro: 3", "a\\b", "\u200bhidden", "'", "#1", "- x", "null"])
def test_the_catalog_is_read_with_the_names_that_it_was_made_from(name: str) -> None:
    catalog = catalog_text([StarterType(name, name, SLA(1, "days"), name)], "catalog.schema.json")
    (entry,) = parse_catalog(catalog.encode(), "catalog.yaml").entries
    assert (entry.pair, entry.description) == ((name, name), name)


@pytest.mark.parametrize("count", [MAX_TYPES - 1, MAX_TYPES, MAX_TYPES + 1])
def test_a_catalog_begins_with_at_most_5000_types(count: int) -> None:
    types = [StarterType("Category", f"Type {number}") for number in range(count)]
    assert text(*types).count("      - name: ") == min(count, 5_000)
