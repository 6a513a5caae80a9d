"""What is found in tickets, measured on marked ones; and that nothing is lost, however the text looks."""

from __future__ import annotations

import random
import re
import string
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketattr.domain.redaction.found import Found
from ticketattr.infrastructure.redaction.rules import build_redactor
from ticketattr.infrastructure.redaction.terms_file import Terms

from ...conftest import DATA
from ...private_texts import private_texts

REDACTOR = build_redactor(Terms())
_MARK = re.compile(r"⟦(?P<kind>[A-Z]+)\|(?P<private>.*?)⟧", re.DOTALL)


@dataclass(frozen=True)
class Marked:
    text: str
    private: list[Found]


def marked_tickets(name: str) -> Iterator[Marked]:
    for line in (DATA / "redaction" / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield _marked(line.partition("\t")[2].replace("\\n", "\n"))


def _marked(line: str) -> Marked:
    text, done, private = "", 0, []
    for match in _MARK.finditer(line):
        text += line[done : match.start()]
        private.append(Found(len(text), len(text) + len(match["private"]), match["kind"]))  # type: ignore[arg-type]  # a kind
        text += match["private"]
        done = match.end()
    return Marked(text + line[done:], private)


def redacted(text: str) -> str:
    return REDACTOR.redact([(text,)]).documents[0][0]


def overlap(one: Found, other: Found) -> bool:
    return one.start < other.end and other.start < one.end


@pytest.mark.parametrize("name", ["labelled.txt", "further.txt"])
def test_marked_tickets_are_redacted_and_look_alikes_stay(name: str) -> None:
    hidden = private = right = found = 0
    for ticket in marked_tickets(name):
        finds = REDACTOR.find(ticket.text)
        private += len(ticket.private)
        found += len(finds)
        hidden += sum(
            any(find.start <= mark.start and mark.end <= find.end for find in finds) for mark in ticket.private
        )
        right += sum(any(overlap(find, mark) for mark in ticket.private) for find in finds)
    assert private > 120
    assert hidden / private >= 0.99, "recall"
    assert right / found >= 0.99, "precision"


def test_private_text_of_every_kind_is_hidden_in_every_spelling() -> None:
    for private in private_texts():
        text = redacted(private.text)
        assert f"[{'REDACTED' if private.kind == 'SECRET' else private.kind}_1]" in text, private
        assert re.sub(r"\W", "", private.private) not in re.sub(r"\W", "", text), private


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[EMAIL_1] was written by a person, and [email_2] and [ REDACTED_3 ]",
        "password: [REDACTED_1]hunter2",
        "a@example.com b@example.com a@example.com",
        "Passwort: hunter2\nhunter2 ging nicht, HUNTER2 auch nicht",
        "\ud800 a@example.com \ud800",
        "İ Passwort: hunter2 İ",
        "can\u200bary@example.com\u200b",
    ],
)
def test_what_was_hidden_comes_back(text: str) -> None:
    redaction = REDACTOR.redact([(text, "x@example.com")])
    assert redaction.restored(redaction.documents[0][0]) == text


def test_the_same_text_has_the_same_placeholder_in_all_tickets_of_a_batch() -> None:
    one, two = REDACTOR.redact([("Add a@example.com",), ("b@example.com or a@example.com",)]).documents
    assert one == ("Add [EMAIL_1]",)
    assert two == ("[EMAIL_2] or [EMAIL_1]",)


def test_a_password_is_hidden_everywhere_in_its_ticket() -> None:
    redaction = REDACTOR.redact([("hunter2 refused", "My password is hunter2.\nI typed hunter2 twice.")])
    assert redaction.documents[0] == (
        "[REDACTED_1] refused",
        "My password is [REDACTED_1].\nI typed [REDACTED_1] twice.",
    )


def test_a_placeholder_that_a_person_wrote_is_never_given() -> None:
    redaction = REDACTOR.redact([("[EMAIL_1] is not a@example.com",)])
    assert redaction.documents[0] == ("[EMAIL_1] is not [EMAIL_2]",)
    assert redaction.restored("[EMAIL_1] [email_2]") == "[EMAIL_1] a@example.com"


def test_words_about_one_ticket_never_get_the_private_text_of_another() -> None:
    redaction = REDACTOR.redact([("a@example.com",), ("b@example.com",)])
    assert redaction.restored("[EMAIL_1] [EMAIL_2]", 0) == "a@example.com [EMAIL_2]"


def test_text_that_is_all_secrets_leaves_placeholders_only() -> None:
    text = "a@example.com, 10.0.0.1, DE89370400440532013000, ghp_" + "a1B2" * 9
    assert redacted(text) == "[EMAIL_1], [IP_1], [IBAN_1], [REDACTED_1]"


_PIECES = st.sampled_from(
    [
        *(private.text for private in private_texts()),
        *(private.private for private in private_texts()),
        *("password is ", "Passwort: ", "[REDACTED_1]", "[EMAIL_", "1]", "\n", " ", "://", "@", "=", "-----BEGIN", "0"),
    ]
)


@given(st.lists(_PIECES | st.text(max_size=12), max_size=8).map("".join))
def test_any_text_comes_back_and_redacting_twice_changes_nothing(text: str) -> None:
    redaction = REDACTOR.redact([(text,)])
    (once,) = redaction.documents[0]
    assert redaction.restored(once) == text
    assert redacted(once) == once


@cache
def slow_texts() -> dict[str, str]:
    some = random.Random(1)  # noqa: S311  # the same texts each time
    size = 30_000
    return {
        "digits": "0" * size,
        "digits and spaces": "1 " * (size // 2),
        "digits and dashes": "0-" * (size // 2),
        "letters": "a" * size,
        "capitals": "A" * size,
        "at signs": "a@" * (size // 2),
        "dots": "a." * (size // 2),
        "addresses": "a@b.c" * (size // 5),
        "keywords": "password is " * (size // 12),
        "keywords and signs": "password: " * (size // 10),
        "quotation marks": 'pw "' * (size // 4),
        "begins of keys": "-----BEGIN PRIVATE KEY-----" * (size // 27),
        "ends of keys": "-----END PRIVATE KEY-----" * (size // 25),
        "URLs": "https://a:b/?a=" * (size // 15),
        "slashes": "http://" + "/s" * (size // 2),
        "parameters": "?token=" * (size // 7),
        "words": "token " * (size // 6),
        "placeholders": "[EMAIL_1]" * (size // 9),
        "colons": "1:" * (size // 2),
        "IBAN": "DE89" * (size // 4),
        "spaces": " " * size,
        "lines": "pin\n" * (size // 4),
        "pairs": "login: a/" * (size // 9),
        "secrets": " ".join(f"password: Aa1!{number}" for number in range(size // 16)),
        "phones": "tel +49 30 123456 " * (size // 18),
        "anything": "".join(some.choices(string.printable, k=size)),
        "letters and digits": "".join(some.choices(string.ascii_letters + string.digits, k=size)),
    }


@pytest.mark.parametrize("name", slow_texts())
@pytest.mark.thorough
def test_the_time_is_linear_in_the_text(name: str) -> None:
    text = slow_texts()[name]
    small, large = _seconds(text[:3_000]), _seconds(text)
    assert large < 30 * max(small, 0.02), f"{small:.3f} s, and {large:.3f} s for ten times as much"


def _seconds(text: str) -> float:
    start = time.process_time()
    REDACTOR.redact([(text,)])
    return time.process_time() - start
