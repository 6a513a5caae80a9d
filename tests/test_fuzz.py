"""Whatever comes in from outside, a reader gives a value or one of our errors: never another exception.

The same few examples each time; `nox -s fuzz` tries others, and many more. What is promised stands in
`fuzz/parsers.py`.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .fuzz import parsers
from .fuzz.parsers import PARSERS

MANY = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"


def tries(number: int) -> settings:
    return settings(
        max_examples=number * 200 if MANY else number,
        derandomize=not MANY,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


NAMES = st.sampled_from(
    "data requests response_code id ticket_id subject sla value unit items request_category request_type "
    "confidence evidence short_description".split()
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["hours", "Access", "Password Reset"])
)
JSON: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES | st.text(), inner), max_leaves=20
)


@st.composite
def changed(draw: st.DrawFn, content: bytes, words: tuple[bytes, ...]) -> bytes:
    """A few bytes of it are others, words of its grammar, or none."""
    start = draw(st.integers(0, len(content)))
    length = draw(st.integers(0, 20))
    put_in = draw(st.binary(max_size=20) | st.sampled_from(words))
    return content[:start] + put_in + content[start + length :]


@st.composite
def changed_workbook(draw: st.DrawFn) -> bytes:
    """One part of it says something else; the zip around it is sound."""
    name = draw(st.sampled_from(sorted(parsers.parts())))
    return parsers.with_part(name, draw(changed(parsers.parts()[name], PARSERS["workbook"].words)))


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def nearly(name: str) -> st.SearchStrategy[bytes]:
    """A seed of that parser, changed."""
    return st.sampled_from(PARSERS[name].seeds).flatmap(lambda seed: changed(seed, PARSERS[name].words))


@tries(25)
@given(JSON.map(dumped) | st.binary() | nearly("helpdesk"))
def test_the_helpdesk_answers_tickets_or_an_error(content: bytes) -> None:
    parsers.helpdesk(content)


@tries(60)
@given(nearly("catalog") | st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_the_catalog_is_one_or_an_error(content: bytes) -> None:
    parsers.catalog(content)


@tries(60)
@given(
    st.text().map(lambda text: text.encode("utf-8", "replace"))
    | (JSON | st.fixed_dictionaries({"items": st.lists(JSON)})).map(lambda value: json.dumps(value).encode())
    | nearly("answer")
)
def test_the_model_answers_each_ticket_or_fails_its_batch(content: bytes) -> None:
    parsers.answer(content)


@tries(40)
@given(changed_workbook() | changed(parsers.report(), PARSERS["workbook"].words) | st.binary())
def test_a_workbook_that_comes_back_is_one_or_an_error(content: bytes) -> None:
    parsers.whole_workbook(content)


@tries(200)
@given(nearly("numbers") | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_a_number_of_a_stranger_is_within_bounds_or_none(content: bytes) -> None:
    parsers.numbers(content)


@tries(60)
@given(nearly("service_said") | st.binary() | JSON.map(dumped))
def test_what_a_service_said_is_one_line_without_secrets(content: bytes) -> None:
    parsers.service_said(content)


@tries(60)
@given(nearly("private_text") | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_private_text_comes_back_however_a_ticket_looks(content: bytes) -> None:
    parsers.private_text(content)


@tries(20)
@given(nearly("log_row"))
def test_a_row_of_the_log_that_nobody_wrote_is_an_error(content: bytes) -> None:
    parsers.log_row(content)


@pytest.mark.parametrize("name", ["profile", "markup", "table", "gold", "model", "parquet", "stream", "manifest"])
def test_a_file_of_a_stranger_is_one_or_an_error(name: str) -> None:
    @tries(15)
    @given(nearly(name) | st.binary() | JSON.map(dumped))
    def holds(content: bytes) -> None:
        PARSERS[name].check(content)

    holds()


@pytest.mark.parametrize("name", ["api", "chat"])
def test_what_a_stranger_sends_to_the_service_is_answered_or_refused(name: str) -> None:
    @tries(25)
    @given(nearly(name) | st.tuples(st.binary(max_size=1), JSON.map(dumped)).map(b"".join))
    def holds(content: bytes) -> None:
        PARSERS[name].check(content)

    holds()


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.thorough
def test_what_the_fuzzer_starts_from_holds(name: str) -> None:
    for content in (*PARSERS[name].seeds, b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", *PARSERS[name].words):
        PARSERS[name].check(content)
