"""Reading the answer of a model, and checking it against the batch and the catalog."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketattr.application.ports import BatchFailed
from ticketattr.domain.ticket import Attribution, Outcome, Unattributed
from ticketattr.infrastructure.classifiers.llm.answer import read_answer

from ...fakes import CATALOG, LAPTOP, PASSWORD

PASSWORD_PAIR = {"request_category": "Access", "request_type": "Password Reset"}
LAPTOP_PAIR = {"request_category": "Hardware", "request_type": "Laptop Repair"}


def read(*items: Any, asked: int = 1) -> list[Outcome]:
    return read_answer(json.dumps({"items": items}), asked, CATALOG)


def attribution(item: dict[str, Any]) -> Attribution:
    (outcome,) = read({"id": 1, **PASSWORD_PAIR, **item})
    assert isinstance(outcome, Attribution)
    return outcome


def reasons(outcomes: list[Outcome]) -> list[str]:
    return [outcome.reason if isinstance(outcome, Unattributed) else outcome.entry.name for outcome in outcomes]


def test_an_answer_becomes_an_attribution_to_the_entry_of_the_catalog() -> None:
    (outcome,) = read({"id": 1, **PASSWORD_PAIR, "confidence": 0.9, "evidence": "forgot"})
    assert outcome == Attribution(PASSWORD, source="model", confidence=0.9, evidence="forgot")


def test_outcomes_come_in_the_order_of_the_question() -> None:
    outcomes = read({"id": 2, **LAPTOP_PAIR}, {"id": 1, **PASSWORD_PAIR}, asked=2)
    assert reasons(outcomes) == ["Password Reset", "Laptop Repair"]


@pytest.mark.parametrize("id", [1, "1", " 1 ", "01", 1.0], ids=repr)
def test_an_id_means_the_number_however_it_is_written(id: Any) -> None:
    assert reasons(read({"id": id, **PASSWORD_PAIR})) == ["Password Reset"]


@pytest.mark.parametrize(
    "id",
    [0, 2, -1, 1.5, True, None, "", "one", "T-1", "²", "1" * 5000, [1], {"id": 1}, 10**30, 1e308],
    ids=lambda value: repr(value)[:20],
)
def test_an_answer_about_an_unknown_ticket_is_ignored(id: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert reasons(read({"id": id, **PASSWORD_PAIR})) == ["not_answered"]
    assert "about 1 ticket not in the batch" in caplog.text


def test_a_ticket_that_was_left_out_is_not_answered() -> None:
    assert reasons(read({"id": 2, **PASSWORD_PAIR}, asked=3)) == ["not_answered", "Password Reset", "not_answered"]


def test_answers_that_agree_count_once() -> None:
    shouted = {"request_category": "ACCESS", "request_type": "PASSWORD RESET"}
    assert reasons(read({"id": 1, **PASSWORD_PAIR}, {"id": "1", **shouted})) == ["Password Reset"]


@pytest.mark.parametrize(
    "answers",
    [
        [PASSWORD_PAIR, LAPTOP_PAIR],
        [PASSWORD_PAIR, {}],
        [{}, PASSWORD_PAIR],
        [PASSWORD_PAIR, {"request_category": "Access", "request_type": "Nonsense"}],
        [PASSWORD_PAIR, LAPTOP_PAIR, LAPTOP_PAIR],
    ],
    ids=["two types", "a type, then none", "none, then a type", "one outside", "outvoted"],
)
def test_two_different_answers_count_as_none(answers: list[dict[str, Any]]) -> None:
    outcomes = read(*({"id": 1, **answer} for answer in answers), {"id": 2, **PASSWORD_PAIR}, asked=2)
    assert reasons(outcomes) == ["bad_answer", "Password Reset"]


def test_slas_are_ignored_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    item = {**PASSWORD_PAIR, "sla": {"unit": "minutes", "value": 1}, "sla_value": 1}
    outcomes = read({"id": 1, **item}, {"id": 2, **item}, asked=2)
    assert [outcome.entry.sla for outcome in outcomes if isinstance(outcome, Attribution)] == [PASSWORD.sla] * 2
    (warning,) = [record.getMessage() for record in caplog.records if "SLA" in record.getMessage()]
    assert "ignored" in warning


def test_a_good_answer_causes_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        read({"id": 1, **PASSWORD_PAIR})
    assert not caplog.records


@pytest.mark.parametrize(
    ("category", "request_type"),
    [("Access", "Laptop Repair"), ("Access", "Passwords"), ("Access", None), (None, "Password Reset"), (1, 2)],
    ids=["of two entries", "invented", "no type", "no category", "numbers"],
)
def test_a_pair_outside_the_catalog_is_rejected(category: Any, request_type: Any) -> None:
    outcomes = read({"id": 1, "request_category": category, "request_type": request_type})
    assert reasons(outcomes) == ["not_in_catalog"]


def test_a_rejected_pair_is_quoted_up_to_a_limit() -> None:
    (outcome,) = read({"id": 1, "request_category": "x" * 5000, "request_type": "y" * 5000})
    assert isinstance(outcome, Unattributed)
    assert "xxx" in outcome.detail
    assert len(outcome.detail) < 300


def test_case_and_white_space_of_names_do_not_matter() -> None:
    (outcome,) = read({"id": 1, "request_category": " HARDWARE\n", "request_type": "laptop\t  REPAIR"})
    assert isinstance(outcome, Attribution)
    assert outcome.entry is LAPTOP


@pytest.mark.parametrize(
    "item",
    [{}, {"request_category": None, "request_type": None}, {"request_category": "", "request_type": ""}],
    ids=["absent", "null", "empty"],
)
def test_an_item_without_a_pair_means_that_nothing_fits(item: dict[str, Any]) -> None:
    assert reasons(read({"id": 1, **item})) == ["no_match"]


@pytest.mark.parametrize(
    ("told", "taken"),
    [
        (0, 0.0),
        (1, 1.0),
        (0.5, 0.5),
        (1.01, None),
        (-0.1, None),
        (1.99, None),
        (95, 0.95),
        (100, 1.0),
        (101, None),
        (10**400, None),
        ("9" * 5000, None),
        ("0.9", 0.9),
        (" 95 % ", 0.95),
        ("95", 0.95),
        ("high", None),
        ("1e-1", None),
        (True, None),
        (None, None),
        ([0.9], None),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_a_confidence_is_from_0_to_1_or_none(told: Any, taken: float | None) -> None:
    assert attribution({"confidence": told}).confidence == taken


@pytest.mark.parametrize("told", [None, 1, ["forgot"], {"a": 1}, True], ids=repr)
def test_evidence_that_is_not_text_is_left_out(told: Any) -> None:
    assert attribution({"evidence": told}).evidence == ""


def test_evidence_is_cut_to_a_few_words() -> None:
    assert len(attribution({"evidence": "very " * 1000}).evidence) <= 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sure! Here you are:",
        '{"items": [',
        "null",
        '"items"',
        "{}",
        '{"items": null}',
        '{"items": {"1": {}}}',
        '{"items": [1]}',
        '{"items": [[]]}',
        '{"items": [{"request_category": "Access"}]}',
        "[" * 100_000,
        '{"items": [{"id": 1, "evidence": ' + "[" * 100_000 + "]" * 100_000 + "}]}",
        "<html>busy</html>",
    ],
    ids=lambda text: text[:30] or "empty",
)
def test_an_answer_of_another_form_fails_the_batch(text: str) -> None:
    with pytest.raises(BatchFailed) as failed:
        read_answer(text, 1, CATALOG)
    assert failed.value.reason == "bad_answer"


ITEMS = json.dumps({"items": [{"id": 1, **PASSWORD_PAIR}, {"id": 2, **LAPTOP_PAIR}]})


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{ITEMS}\n```",
        f"```\n{ITEMS}\n```",
        f"Sure! Here are the request types [as JSON]:\n\n{ITEMS}\n\nI hope {{this}} helps.",
        f"{ITEMS}\n{ITEMS}",
        f"{ITEMS}{ITEMS}",
        json.dumps(json.loads(ITEMS)["items"]),
        f"\ufeff \n{ITEMS}",
        ITEMS.replace('"id": 1', '"confidence": NaN, "id": 1').replace('"id": 2', '"confidence": -Infinity, "id": 2'),
        ITEMS.replace('"id": 1', f'"confidence": {"9" * 5000}, "id": 1'),
        ITEMS.replace('"id": 1', '"evidence": "a\nb", "id": 1'),
    ],
    ids=["fence", "plain fence", "prose", "twice", "twice in one line", "list", "BOM", "NaN", "digits", "line end"],
)
def test_a_right_answer_counts_whatever_is_around_it(text: str) -> None:
    assert reasons(read_answer(text, 2, CATALOG)) == ["Password Reset", "Laptop Repair"]


def test_one_confidence_that_is_not_a_number_does_not_cost_the_others_theirs() -> None:
    text = ITEMS.replace('"id": 1', '"confidence": NaN, "id": 1').replace('"id": 2', '"confidence": 0.9, "id": 2')
    outcomes = read_answer(text, 2, CATALOG)
    assert [outcome.confidence for outcome in outcomes if isinstance(outcome, Attribution)] == [None, 0.9]


def test_the_second_json_of_a_text_counts_as_a_second_answer() -> None:
    other = json.dumps({"items": [{"id": 1, **LAPTOP_PAIR}]})
    assert reasons(read_answer(ITEMS + other, 2, CATALOG)) == ["bad_answer", "Laptop Repair"]


@given(before=st.text(alphabet='ab `:{}[]"\n', max_size=12), after=st.text(max_size=30))
def test_no_text_around_an_answer_is_taken_for_a_ticket(before: str, after: str) -> None:
    try:
        outcomes = read_answer(before + ITEMS + after, 2, CATALOG)
    except BatchFailed:
        return
    assert len(outcomes) == 2


@pytest.mark.parametrize("text", ["[" * 1_000_000, '{"a":' * 200_000, "[1," * 300_000, '"{' * 500_000], ids=str.__len__)
def test_a_repetition_without_end_is_read_quickly(text: str) -> None:
    with pytest.raises(BatchFailed, match="no list of items"):
        read_answer(text, 1, CATALOG)


def test_an_item_without_id_fails_the_batch_even_beside_good_ones() -> None:
    with pytest.raises(BatchFailed, match="without an id"):
        read({"id": 1, **PASSWORD_PAIR}, PASSWORD_PAIR)


def test_half_a_surrogate_pair_does_not_reach_the_outcome() -> None:
    text = (
        '{"items": [{"id": 1, "request_category": "Access", "request_type": "Password Reset", "evidence": "\\ud83d"}]}'
    )
    (outcome,) = read_answer(text, 1, CATALOG)
    assert isinstance(outcome, Attribution)
    assert outcome.evidence.encode()


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)
names = st.sampled_from(["Access", "access ", "Hardware", "Password Reset", "LAPTOP REPAIR", "General Inquiry"])
items = st.fixed_dictionaries(
    {"id": st.integers(0, 5) | st.sampled_from(["1", "2", 3.0, None]) | json_values},
    optional={
        "request_category": names | json_values,
        "request_type": names | json_values,
        "confidence": st.floats(0, 1) | json_values,
        "evidence": json_values,
        "sla": json_values,
    },
)
answers = st.fixed_dictionaries({"items": st.lists(items, max_size=6)})


@given(answer=answers | json_values, asked=st.integers(0, 5))
def test_any_json_gives_each_ticket_one_outcome_in_the_catalog(answer: Any, asked: int) -> None:
    try:
        outcomes = read_answer(json.dumps(answer), asked, CATALOG)
    except BatchFailed:
        return
    assert len(outcomes) == asked
    for outcome in outcomes:
        if isinstance(outcome, Attribution):
            assert outcome.entry in CATALOG.entries
            assert outcome.confidence is None or 0 <= outcome.confidence <= 1


@given(text=st.text(st.characters(exclude_categories=())), asked=st.integers(0, 3))
def test_text_that_is_not_json_fails_the_batch_only(text: str, asked: int) -> None:
    try:
        outcomes = read_answer(text, asked, CATALOG)
    except BatchFailed:
        return
    assert len(outcomes) == asked
