"""A decision of a person holds for the ticket, whatever happens to its text, until it is another text."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise, permutations
from pathlib import Path

import pytest

from ticketattr.domain.correction import Correction, ReviewedRow, decisions, in_force
from ticketattr.domain.text_similarity import ANOTHER_BELOW, has_same_words, similarity
from ticketattr.domain.ticket import Decision, Ticket

from ..fakes import CATALOG, MIDNIGHT, a_correction

GOLD = Path(__file__).parents[1] / "data" / "gold"
TEXTS = {
    language: [
        (str(row["short_description"]), str(row.get("long_description") or ""))
        for row in map(json.loads, (GOLD / f"{name}.jsonl").read_text().splitlines())
    ]
    for language, name in {"22 languages": "others", "German": "stadt", "17 languages": "works"}.items()
}
BROKEN = replace(
    a_correction("Printer on floor 3 is broken", "7"), long_description="It prints nothing since Monday morning."
)


def decided(ticket: Ticket, *corrections: Correction, queue: tuple[Ticket, ...] = ()) -> Decision | None:
    return decisions([ticket, *queue], in_force(corrections), CATALOG)[0]


def effect(short: str, long: str = "", id: str = "7", *, correction: Correction = BROKEN) -> str:
    decision = decided(Ticket(id, short, long), correction)
    return decision.effect if decision else "nobody decided"


REPLY = "\n\nOn Tuesday, Ann wrote:\nAny news? The whole accounting department waits for its invoices, please hurry."


@pytest.mark.parametrize(
    ("short", "long", "expected"),
    [
        (*BROKEN.texts, "holds"),
        ("PRINTER on floor 3 is broken ", "It prints nothing\r\nsince Monday morning", "holds"),
        (BROKEN.short_description, BROKEN.long_description + REPLY, "holds for a changed text"),
        ("Re: Printer on floor 3 is broken", REPLY + BROKEN.long_description, "holds for a changed text"),
        ("Printer on floor 3 is broken", "", "holds for a changed text"),
        ("Printer on floor 3 is brokn", "It printed nothing since Monday.", "holds for a changed text"),
        ("New laptop for a colleague", "She begins on Monday and needs a docking station.", "another text"),
        ("", "", "another text"),
    ],
)
def test_a_decision_holds_until_the_text_becomes_another_one(short: str, long: str, expected: str) -> None:
    assert effect(short, long) == expected


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        # Each letter of a word counts, twice in the short description.
        (("printer jams", ""), ("printer works", ""), 14 / 22),
        (("a", "printer"), ("b", "printer now"), 7 / 9),
        (("printer", "printer x"), ("printer y", "printer"), 21 / 22),
        (("打印机", ""), ("打印", ""), 1.0),
        (("打印机", ""), ("打印店", ""), 0.5),
        (("", ""), ("printer", ""), 0.0),
        (("?!", ""), ("", ""), 0.0),
    ],
)
def test_texts_are_as_similar_as_the_part_of_the_shorter_one_that_both_have(
    one: tuple[str, str], other: tuple[str, str], share: float
) -> None:
    assert similarity(one, other) == similarity(other, one) == share


def test_texts_without_spaces_are_compared_too() -> None:
    correction = a_correction("打印机无法打印，请派人检查三楼的打印机", "7")
    assert effect("打印机无法打印，请派人检查三楼的打印机。还没有人来，请尽快处理", correction=correction) == (
        "holds for a changed text"
    )
    assert effect("新员工需要一台笔记本电脑和一个显示器", correction=correction) == "another text"


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_replies_leave_a_text_the_same_and_other_tickets_are_other_texts(texts: list[tuple[str, str]]) -> None:
    some = texts[::3]
    pairs = list(permutations(some, 2))
    mistaken = sum(similarity(one, other) >= ANOTHER_BELOW for one, other in pairs)
    assert mistaken <= len(pairs) / 500
    replied = [(short, f"{' '.join(reply)}\n> {long}") for (short, long), reply in pairwise(some)]
    assert min(similarity(one, other) for one, other in zip(some, replied, strict=False)) >= 0.99


def test_a_text_has_the_same_words_only_in_the_same_order_and_place() -> None:
    assert has_same_words(("a b", "c"), ("A  b!", "c"))
    assert not has_same_words(("a b", "c"), ("b a", "c"))
    assert not has_same_words(("a b", "c"), ("a", "b c"))


def test_without_a_unique_id_only_the_same_text_is_known() -> None:
    shared = replace(BROKEN, has_unique_id=False)
    changed = Ticket("7", BROKEN.short_description, BROKEN.long_description + REPLY)
    assert decided(Ticket("7", *BROKEN.texts), shared)
    assert decided(changed, shared) is None
    assert decided(changed, BROKEN, queue=(Ticket("7", "another one"),)) is None
    assert decided(Ticket("", *BROKEN.texts), replace(shared, ticket_id="")) is not None
    assert decided(Ticket("", "other"), replace(shared, ticket_id="")) is None
    assert decided(Ticket("8", *BROKEN.texts), BROKEN) is None


def test_the_later_of_two_decisions_counts_whichever_way_they_know_the_ticket() -> None:
    by_text = replace(BROKEN, has_unique_id=False, request_category="Access", request_type="Password Reset")
    ticket = Ticket("7", *BROKEN.texts)
    for first, second in ((by_text, BROKEN), (BROKEN, by_text)):
        decision = decided(ticket, first, replace(second, at=MIDNIGHT + timedelta(days=1)))
        assert decision
        assert decision.request_type == second.request_type


def test_of_decisions_that_know_a_ticket_by_id_and_by_text_the_last_one_is_in_force() -> None:
    by_text, last = replace(BROKEN, has_unique_id=False), replace(BROKEN, request_type="Stolen Device")
    assert in_force([BROKEN, by_text, last]) == [last]
    assert in_force([by_text, BROKEN, by_text]) == [by_text]


def test_without_corrections_nobody_decided() -> None:
    assert decisions([Ticket("7", "a"), Ticket("8", "b")], [], CATALOG) == [None, None]


def test_a_pair_that_left_the_catalog_does_not_hold() -> None:
    gone = replace(BROKEN, request_type="Fax Repair")
    assert effect(*BROKEN.texts, correction=gone) == "not in the catalog"
    assert effect("New laptop", correction=gone) == "another text"


def test_a_decision_for_the_reported_pair_is_a_confirmation() -> None:
    confirmation = replace(BROKEN, reported_category="Hardware", reported_type="Laptop Repair")
    decision = decided(Ticket("7", *BROKEN.texts), confirmation)
    assert decision == Decision("Hardware", "Laptop Repair", is_confirmation=True, at=MIDNIGHT)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("x", True), (" X ", True), ("✓", True), ("ja", True), ("1.0", True), ("True", True), ("", False), ("no", False),
     ("0", False), ("?", None), ("later", None)],
)  # fmt: skip
def test_a_mark_confirms_and_anything_else_is_not_guessed(written: str, expected: bool | None) -> None:
    row = ReviewedRow(1, "7", "text", "Hardware", "Laptop Repair", "B2", "C2", written, "H2")
    assert row.is_checked is expected
