"""HTML costs the embedded classifier nothing."""

from __future__ import annotations

import pytest

from ticketattr.infrastructure.catalog.yaml_format import parse_catalog
from ticketattr.infrastructure.evaluation.gold_files import GoldFile
from ticketattr.infrastructure.helpdesk.ticket_fields import read_description

from ...bench.markup import right
from ...conftest import DATA
from ...markup import KINDS

CATALOG = parse_catalog((DATA / "gold" / "catalog.yaml").read_bytes(), "catalog.yaml")
GOLD = GoldFile.read(DATA / "gold" / "others.jsonl").tickets(CATALOG)
TEXTS = [text for case in GOLD if (text := case.ticket.long_description)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_html_reads_as_the_plain_text(kind: str) -> None:
    for text in TEXTS:
        read = read_description(KINDS[kind](text)).replace("[picture]", "").strip()
        assert read.replace("\n\n", "\n") == text.replace("\n\n", "\n")


@pytest.mark.usefixtures("sentences_are_encoded_once")
@pytest.mark.thorough
def test_the_classifier_is_as_often_right_as_on_plain_text() -> None:
    """Only pictures change the text: the other kinds read as the plain text does, which the test above holds."""
    plain = right(GOLD, CATALOG, str)
    wrapped = right(GOLD, CATALOG, lambda text: read_description(KINDS["with `data:` pictures"](text)))
    assert abs(plain - wrapped) <= 0.01 * len(GOLD)
