"""Text in cells that another program saved."""

from __future__ import annotations

import pytest

from ticketattr.infrastructure.reports.cell_text import cell_matches, decode_escapes


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("Printer on fire", "Printer on fire"),
        (" printer\non   FIRE ", "Printer on fire"),
        ("Printer onfire", "Printer on fire"),
        ("Cafe\u0301", "Café"),
        ("bell␇", "bell\x07"),
        ("A printer", "_x0041_ printer"),
        ("_x005F_x0041_ printer", "A printer"),
        ("x" * 150 + "one end", "x" * 150 + "the other"),
        ("", " \n"),
    ],
    ids=[
        "the same",
        "space and case",
        "space lost",
        "Unicode",
        "a sign",
        "an escape",
        "an escaped escape",
        "long",
        "blank",
    ],
)
def test_a_cell_that_another_program_saved_still_matches(cell: str, text: str) -> None:
    assert cell_matches(cell, text)


@pytest.mark.parametrize(
    ("cell", "text"),
    [("Printer on fire", "Printer on ice"), ("", "Printer"), ("x" * 99 + "a", "x" * 99 + "b"), ("_x41_", "A")],
    ids=["another end", "blank", "a hundred characters count", "no escape"],
)
def test_the_text_of_another_ticket_does_not_match(cell: str, text: str) -> None:
    assert not cell_matches(cell, text)


def test_escapes_are_decoded() -> None:
    assert decode_escapes("_x0041__x000a_ and _x00eF_, _x41_") == "A\n and ï, _x41_"
