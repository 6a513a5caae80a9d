"""The text in the form in which it is searched, and what was found in it."""

from __future__ import annotations

import pytest

from ticketattr.domain.redaction.found import Found, lowered, merged, numbers_in, readable
from ticketattr.domain.redaction.masking import masked
from ticketattr.domain.redaction.names import find_names
from ticketattr.domain.redaction.rules import RULES_VERSION, with_rules


@pytest.mark.parametrize(
    ("text", "searched", "places"),
    [
        ("plain", "plain", None),
        ("ＡＢ～１", "AB~1", None),
        ("١٢ 𝟗", "12 9", None),
        ("a\u2010b\u2212c", "a-b-c", None),
        ("\u201ca\u00bb \u2019b\u00b4", "\"a\" 'b'", None),
        ("a\u00a0b\u3000c\u200ad", "a b c d", None),
        ("a\ufe6bb", "a@b", None),
        ("a\u200bb\u00adé", "abé", [0, 2, 4, 5]),
    ],
)
def test_signs_that_look_like_those_of_ascii_become_them(text: str, searched: str, places: list[int] | None) -> None:
    assert readable(text) == (searched, places)


@pytest.mark.parametrize(("text", "lower"), [("ÄB", "äb"), ("İB", "İb"), ("", "")])
def test_lower_case_keeps_the_number_of_characters(text: str, lower: str) -> None:
    assert lowered(text) == lower


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("x" * 20 + "123456" + "y" * 20, [(8, 38)]),
        ("123456", [(0, 6)]),
        ("12345", []),
        ("123" + " " * 8 + "456", [(0, 14)]),
        ("123" + " " * 9 + "456", []),
        ("123456" + "x" * 30 + "1" + "x" * 30 + "654321", [(0, 18), (55, 73)]),
    ],
)
def test_a_number_has_its_digits_close_together(text: str, places: list[tuple[int, int]]) -> None:
    assert list(numbers_in(text, 6)) == places


def test_finds_that_overlap_become_one_of_the_kind_that_comes_first() -> None:
    finds = [Found(8, 9, "IP"), Found(2, 6, "PHONE"), Found(0, 3, "SECRET"), Found(6, 8, "ID"), Found(0, 1, "TERM")]
    assert merged(finds) == [Found(0, 6, "SECRET"), Found(6, 8, "ID"), Found(8, 9, "IP")]
    assert merged([Found(0, 9, "PHONE"), Found(2, 3, "CARD")]) == [Found(0, 9, "CARD")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ask anna SMITH, please", ["anna SMITH"]),
        ("Anna.  Smith", ["Anna.  Smith"]),
        ("Anna    Smith", []),
        ("Anna and Smith", []),
        ("Anna", []),
        ("Anna Lee van Dyke", ["Anna Lee van Dyke"]),
        ("Anna Lee van", []),
        ("Bert, bertram", ["Bert"]),
    ],
)
def test_names_are_found_as_whole_words_in_their_order(text: str, found: list[str]) -> None:
    finds = list(find_names(["Anna Smith", "Anna Lee van Dyke", "Bert", "-"])(text))
    assert [text[one.start : one.end] for one in finds] == found
    assert {one.kind for one in finds} <= {"TERM"}


def test_masked_text_shows_the_first_character_of_each_word_and_of_a_secret_nothing() -> None:
    assert masked("Anna-Lena \n Smith_b 12", "TERM") == "A***-L*** S****_b 1*"
    assert masked("hunter2", "SECRET") == "********"
    assert masked("a" * 40, "TERM") == "a" + "*" * 39
    assert masked("a" * 41, "TERM") == "a" + "*" * 39 + "…"


def test_the_rules_find_every_kind_and_the_terms_of_the_user() -> None:
    redactor = with_rules(lambda number: True, [find_names(["Anna Smith"])], "terms of a desk")
    numbers = "DE89370400440532013000, 4111111111111111; 219-09-9999, 10.0.0.1; 0301 555 123"
    text = f"Anna Smith, a@example.com, {numbers}\npin: 4711"
    assert redactor.redact([(text,)]).documents == (
        ("[TERM_1], [EMAIL_1], [IBAN_1], [CARD_1]; [ID_1], [IP_1]; [PHONE_1]\npin: [REDACTED_1]",),
    )
    assert redactor.fingerprint == f"{RULES_VERSION} terms of a desk"
    assert with_rules(lambda number: True).fingerprint == f"{RULES_VERSION}"
