from __future__ import annotations

import html
import json
import time
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ticketattr.domain.scrubbing import ADDRESS, SECRET, Scrubber, scrubber

PASSWORD = 'p4ss wörd/+&"%41\\é?~'
ADDRESS_OF_LEAD = "lead@example.com"


def example_scrubber() -> Scrubber:
    return scrubber([PASSWORD, "hunter2", "abc"], [ADDRESS_OF_LEAD, "desk-login", "desk"])


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


SPELLINGS = {
    "plain": PASSWORD,
    "upper case": PASSWORD.upper(),
    "URL": quote(PASSWORD, safe=""),
    "lower case URL": quote(PASSWORD, safe="").replace("%C3", "%c3").replace("%2F", "%2f"),
    "form": quote_plus(PASSWORD),
    "URL twice": quote(quote(PASSWORD)),
    "HTML": html.escape(PASSWORD),
    "HTML, each character": "".join(f"&#x{ord(character):x};" for character in PASSWORD),
    "JSON": json.dumps(PASSWORD)[1:-1],
    "JSON in JSON": json.dumps(json.dumps(PASSWORD)[1:-1])[1:-1],
    "quoted-printable": "".join(f"={byte:02X}" for byte in PASSWORD.encode()),
    "folded": PASSWORD.replace("w", "w\r\n "),
    "folded, quoted-printable": PASSWORD.replace("w", "w=\r\n"),
    "hexadecimal": PASSWORD.encode().hex(),
    "upper case hexadecimal": PASSWORD.encode().hex().upper(),
    "base64": base64(PASSWORD),
    "base64 without padding": base64(PASSWORD).rstrip("="),
    "base64 for URLs": urlsafe_b64encode(PASSWORD.encode()).decode(),
    "base64 in a URL": quote(base64(PASSWORD), safe=""),
    "base64 of Latin-1": b64encode(PASSWORD.encode("latin-1")).decode(),
    "AUTH PLAIN": base64(f"\0desk-login\0{PASSWORD}"),
    "basic authentication": base64(f"desk-login:{PASSWORD}"),
    "in longer base64": base64(f'{{"a": "{PASSWORD}", "b": 1}}'),
    "cut": PASSWORD[:13],
    "base64, cut": base64(f"\0desk-login\0{PASSWORD}")[:36],
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_is_found_in_every_spelling(spelling: str) -> None:
    assert example_scrubber().scrubbed(f"5.7.8 refused {spelling} by host") == f"5.7.8 refused {SECRET} by host"
    assert example_scrubber().without_secrets(f"refused {spelling} by host") == f"refused {SECRET} by host"


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
def test_a_short_secret_is_found_at_every_place_of_base64(before: str) -> None:
    assert example_scrubber().scrubbed(f"got {base64(f'{before}hunter2;')}.") == f"got {SECRET}."


@pytest.mark.parametrize(
    "spelling",
    [
        ADDRESS_OF_LEAD,
        f"<{ADDRESS_OF_LEAD}>",
        "LEAD@EXAMPLE.COM",
        "ann%40example.org",
        "ann&#64;example.org",
        "ann&commat;example.org",
        "ann\\u0040example.org",
        "ann=40example.org",
        "ann\uff20example.org",
        "ann @ example.org",
        "ann [at] example.org",
        "ann(at)example.org",
        "ann at example dot org",
        '"ann smith"@example.org',
        "jürgen@bücher.example",
        "\u202eann@example.org",
        "=?utf-8?q?ann=40example.org?=",
        base64(ADDRESS_OF_LEAD),
        base64("desk-login"),
        "desk-login",
    ],
)
def test_an_address_is_found_in_every_spelling(spelling: str) -> None:
    assert example_scrubber().scrubbed(f"5.1.1 {spelling} is unknown") == f"5.1.1 {ADDRESS} is unknown"


@pytest.mark.parametrize(
    "words",
    [
        "the host mail.example.com is at the helpdesk",
        "xabc alphabetically, 100% of the ABC",
        "Enable it at https://console.example.com/apis?project=12345",
        "The model models/gemini-2.5-pro is not found for API version v1beta",
    ],
)
def test_other_words_stay(words: str) -> None:
    assert example_scrubber().scrubbed(words) == words


def test_short_secrets_and_names_count_where_they_stand_alone() -> None:
    assert example_scrubber().scrubbed("user desk, password abc") == f"user {ADDRESS}, password {SECRET}"


def test_our_own_messages_keep_what_is_too_short_to_be_told_from_a_word() -> None:
    assert scrubber(["key", "secret"]).without_secrets("the key and the secret") == "the key and the secret"


def test_secrets_of_eight_characters_are_no_words_of_our_own_messages() -> None:
    made = scrubber(["eightlet", "sevenle"], ["eightlet", "ninelette"])
    assert made.without_secrets("xeightletx sevenle") == f"x{SECRET}x sevenle"
    assert made.scrubbed("xsevenlex xninelettex") == f"x{SECRET}x x{ADDRESS}x"
    assert scrubber([], ["personal"]).without_secrets("personal a@example.com") == "personal a@example.com"


@pytest.mark.parametrize(
    ("secret", "text", "left"),
    [
        ("four", "xfourx", f"x{SECRET}x"),
        ("abc", "xabcx abc", f"xabcx {SECRET}"),
        ("twelveletter", "twelvelette and xtwelveletterx", f"twelvelette and x{SECRET}x"),
        ("thirteenalpha", "xthirteenalphx, hirteenalpha", f"x{SECRET}x, {SECRET}"),
        ("open sesame", "q=open+sesame", f"q={SECRET}"),
        ("f\ud800our", "xf%6Furx 666f7572", f"xf%6Furx {SECRET}"),
        ("four", "666F7572 Zm91cg==", f"{SECRET} {SECRET}"),
        ("four", "four, four and xfour", f"{SECRET}, {SECRET} and x{SECRET}"),
        (">>>?\u00bf~~", "Pj4+P8K/fn4= Pj4-P8K_fn4=", f"{SECRET} {SECRET}"),
    ],
)
def test_a_secret_is_found_by_its_length_and_its_characters(secret: str, text: str, left: str) -> None:
    assert scrubber([secret]).scrubbed(text) == left


def test_personal_words_are_replaced_whole_only() -> None:
    made = scrubber([], ["thirteenalpha", "sevenle"])
    assert made.scrubbed("thirteenalph, xthirteenalphax, xsevenlex, sevenle") == (
        f"thirteenalph, x{ADDRESS}x, xsevenlex, {ADDRESS}"
    )


@settings(derandomize=True, database=None)
@given(
    st.text(st.characters(exclude_categories=("C", "Z")), min_size=4, max_size=30),
    st.text(st.characters(exclude_categories=("C", "Zl")), max_size=10),
)
@example("=3D=", "=")
@example("%25%25", "%")
@example("&amp;&", "")
def test_no_secret_is_left(secret: str, around: str) -> None:
    assert SECRET in scrubber([secret]).scrubbed(f"{around} {secret} {around}")


@pytest.mark.parametrize("text", ["a%41@" * 2_000, "\\" * 10_000, "a@" * 5_000, "&#64;" * 2_000, "at (at) " * 1_000])
def test_no_text_takes_long(text: str) -> None:
    started = time.monotonic()
    example_scrubber().scrubbed(text)
    assert time.monotonic() - started < 2
