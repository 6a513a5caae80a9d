"""Which decided tickets a model is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from ticketattr.domain.correction import Correction, in_force
from ticketattr.domain.examples import MAX_CORRECTIONS, MAX_TEXT, PER_BATCH, PER_TICKET, Example, Examples
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.ticket import Ticket

from ..fakes import CATALOG, LAPTOP, MIDNIGHT, PASSWORD, a_correction


def texts(found: Sequence[Example]) -> list[str]:
    return [example.short_description for example in found]


def test_the_most_similar_come_first_and_dissimilar_ones_are_left_out() -> None:
    examples = Examples(
        [a_correction("Lunch menu"), a_correction("The blue screen flickers"), a_correction("Screen flickers")], CATALOG
    )
    assert texts(examples.nearest(Ticket("1", "screen flickers"))) == ["Screen flickers", "The blue screen flickers"]
    assert examples.nearest(Ticket("1", "badge")) == ()
    assert examples.nearest(Ticket("1", "")) == ()


def test_a_rare_word_in_common_counts_more_than_a_common_one() -> None:
    common = [a_correction(f"laptop {word}") for word in ("green", "blue", "red", "white")]
    examples = Examples([*common, a_correction("frobnicator brown")], CATALOG)
    assert texts(examples.nearest(Ticket("1", "laptop frobnicator")))[0] == "frobnicator brown"


def test_a_ticket_has_at_most_3_examples_and_a_batch_at_most_12() -> None:
    examples = Examples([a_correction(f"Screen flickers {number}x") for number in range(50)], CATALOG)
    assert len(examples.nearest(Ticket("1", "screen flickers"))) == PER_TICKET
    tickets = [Ticket(str(number), f"screen flickers {number}x") for number in range(50)]
    found = examples.for_batch(tickets)
    assert len(found) == len(set(found)) == PER_BATCH


def test_an_example_is_short() -> None:
    (example,) = Examples([a_correction("Screen " * 900)], CATALOG).nearest(Ticket("1", "screen"))
    assert len(example.texts[0]) <= MAX_TEXT < len(example.full_texts[0])


def test_a_pair_that_left_the_catalog_is_not_an_example() -> None:
    assert Examples([a_correction("Screen", pair=("Canteen", "Menu"))], CATALOG).nearest(Ticket("1", "screen")) == ()


def test_the_latest_correction_of_a_ticket_is_in_force() -> None:
    first, other = a_correction("Screen"), a_correction("Mouse", "T-2")
    later = a_correction("Screen", pair=("Access", "Password Reset"))
    assert in_force([first, other, later]) == [later, other]
    (example,) = Examples(in_force([first, later]), CATALOG).nearest(Ticket("1", "screen"))
    assert example.entry is PASSWORD


@pytest.mark.parametrize("pair", [("Hardware", "Laptop Repair"), (" hardware ", "LAPTOP  repair")])
def test_the_pair_of_an_example_is_that_of_the_catalog(pair: tuple[str, str]) -> None:
    (example,) = Examples([a_correction("Screen", pair=pair)], CATALOG).nearest(Ticket("1", "screen"))
    assert example.entry is LAPTOP


def test_a_correction_is_known_by_id_and_text() -> None:
    keys = {
        Correction("r", 1, *told, "", "", "", "", "", "", MIDNIGHT, has_unique_id=False).key
        for told in (("1", "a", "b"), ("1", "ab", ""), ("1", "", "ab"), ("1a", "", "b"), ("1", "a", "\ud800"))
    }
    assert len(keys) == 5


def test_labelled_tickets_are_examples_too_and_corrections_come_first() -> None:
    labelled = [
        GoldTicket(Ticket("", text), PASSWORD) for text in ("Screen flickers", "Lunch menu", "flickers screen!")
    ]
    examples = Examples([a_correction("Screen, flickers")], CATALOG, labelled)
    found = examples.nearest(Ticket("1", "screen flickers"))
    assert texts(found) == ["Screen, flickers", "Screen flickers", "flickers screen!"]
    assert [example.entry for example in found] == [LAPTOP, PASSWORD, PASSWORD]


def test_a_correction_beats_the_label_of_the_same_text() -> None:
    labelled = [GoldTicket(Ticket("9", "Screen"), PASSWORD)]
    (example,) = Examples([a_correction("Screen")], CATALOG, labelled).nearest(Ticket("1", "screen"))
    assert example.entry is LAPTOP
    gone = a_correction("Screen", pair=("Canteen", "Menu"))
    (example,) = Examples([gone], CATALOG, labelled).nearest(Ticket("1", "screen"))
    assert example.entry is PASSWORD


def test_labelled_tickets_are_not_taken_for_decisions_in_reports() -> None:
    gold = GoldTicket(Ticket("g", "Screen flickers"), PASSWORD)
    examples = Examples([a_correction("Screen flickers badly")], CATALOG, [gold])
    assert texts(examples.nearest(Ticket("1", "screen flickers"))) == ["Screen flickers", "Screen flickers badly"]
    assert texts(examples.decided_like(Ticket("1", "screen flickers"))) == ["Screen flickers badly"]
    assert Examples((), CATALOG, [gold]).decided_like(Ticket("1", "screen flickers")) == ()


def test_the_oldest_of_very_many_corrections_are_left_out() -> None:
    corrections = [
        replace(a_correction(f"word{number}", str(number)), at=MIDNIGHT - timedelta(minutes=number))
        for number in range(MAX_CORRECTIONS + 1)
    ]
    examples = Examples(corrections, CATALOG)
    assert texts(examples.nearest(Ticket("1", "word0"))) == ["word0"]
    assert examples.nearest(Ticket("1", f"word{MAX_CORRECTIONS}")) == ()
