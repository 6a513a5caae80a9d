"""Placeholders: which are given, and how they are put back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ticketattr.domain.redaction.found import Found
from ticketattr.domain.redaction.redactor import Redaction, Redactor


def find_after_name(text: str) -> Iterator[Found]:
    for match in re.finditer(r"name (\w+( smith)?)", text):
        yield Found(*match.span(1), "TERM")


def redact(*documents: tuple[str, ...]) -> Redaction:
    return Redactor((find_after_name,), "").redact(documents)


@pytest.mark.parametrize(
    ("texts", "redacted"),
    [
        (("name anna and name bert", "name anna"), ("name [TERM_1] and name [TERM_2]", "name [TERM_1]")),
        (("[term_1] name anna [TERM_03]", "name bert"), ("[term_1] name [TERM_2] [TERM_03]", "name [TERM_4]")),
        (("name anna", "anna, hanna, annabel, -anna"), ("name [TERM_1]", "[TERM_1], hanna, annabel, -[TERM_1]")),
        (("name bob", "bob"), ("name [TERM_1]", "bob")),
        (("name anna", "an"), ("name [TERM_1]", "an")),
        ((f"name {'x' * 128}", "x" * 128), ("name [TERM_1]", "[TERM_1]")),
        ((f"name {'x' * 129}", "x" * 129), ("name [TERM_1]", "x" * 129)),
        (("nothing", ""), ("nothing", "")),
    ],
)
def test_a_private_text_has_one_placeholder_that_nobody_wrote(
    texts: tuple[str, ...], redacted: tuple[str, ...]
) -> None:
    assert redact(texts).documents == (redacted,)


def test_placeholders_are_cut_out_of_what_is_found() -> None:
    redactor = Redactor((lambda text: [Found(0, len(text), "SECRET")],), "")
    assert redactor.find("ab [EMAIL_1] cd [IP_2] -") == [Found(0, 3, "SECRET"), Found(12, 16, "SECRET")]
    assert redactor.find("[EMAIL_1]") == []


def test_what_is_found_among_invisible_characters_is_found_with_them() -> None:
    text = "é name an\u200bna\u200b."
    assert Redactor((find_after_name,), "").find(text) == [Found(7, 12, "TERM")]


def test_private_text_is_put_back_in_all_documents_or_in_one() -> None:
    redaction = redact(("name anna",), ("name bert",))
    assert redaction.originals == {"[TERM_1]": "anna", "[TERM_2]": "bert"}
    assert redaction.restored("[term_1] [TERM_02] [TERM_3]") == "anna bert [TERM_3]"
    assert redaction.restored("[TERM_1] [TERM_2]", 1) == "[TERM_1] bert"


def test_private_text_is_hidden_in_another_text_the_longest_first() -> None:
    redaction = redact(("name anna, name anna smith",))
    assert redaction.hidden("anna smith or anna?") == "[TERM_2] or [TERM_1]?"


def test_places_say_what_each_placeholder_stands_for() -> None:
    redaction = redact(("name anna",))
    assert list(redaction.places("to [TERM_1], [TERM_2] and [TERM_1]")) == [
        (Found(3, 11, "TERM"), "anna"),
        (Found(26, 34, "TERM"), "anna"),
    ]
