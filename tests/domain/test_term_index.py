"""How alike texts are, as bags of terms."""

from __future__ import annotations

import math

import pytest

from ticketattr.domain.term_index import TermIndex


def rarity(bags: int, bags_with_it: int) -> float:
    return math.log(1 + (1 + bags) / (1 + bags_with_it))


def index_of_three() -> TermIndex:
    return TermIndex([{"red": 1.0, "screen": 1.0}, {"blue": 1.0, "screen": 1.0}, {"lunch": 1.0}], rarity)


def test_the_same_terms_have_the_cosine_1_and_no_common_term_is_left_out() -> None:
    cosines = index_of_three().cosines({"red": 1.0, "screen": 1.0})
    assert cosines[0] == pytest.approx(1.0)
    assert 0 < cosines[1] < 0.5
    assert 2 not in cosines


def test_a_term_that_no_bag_has_makes_a_query_less_alike() -> None:
    assert index_of_three().cosines({"red": 1.0, "unheard": 1.0})[0] < index_of_three().cosines({"red": 1.0})[0]


def test_a_rare_term_counts_more_than_a_common_one() -> None:
    shared = index_of_three().shared({"red": 1.0, "screen": 1.0}, 0)
    assert shared["red"] > shared["screen"]


def test_a_term_that_counts_often_weighs_more_than_once_but_not_that_often() -> None:
    index = TermIndex([{"a": 1.0, "b": 1.0}], rarity)
    once, often = index.shared({"a": 1.0, "b": 1.0}, 0), index.shared({"a": 10.0, "b": 1.0}, 0)
    assert 1 < (often["a"] / often["b"]) / (once["a"] / once["b"]) < 10


def test_the_parts_of_the_shared_terms_sum_up_to_the_cosine() -> None:
    query = {"red": 2.0, "screen": 1.0, "unheard": 0.5}
    for position, cosine in index_of_three().cosines(query).items():
        assert sum(index_of_three().shared(query, position).values()) == cosine


def test_it_knows_the_terms_of_its_bags_only() -> None:
    assert "screen" in index_of_three()
    assert "unheard" not in index_of_three()


def test_nothing_is_like_nothing() -> None:
    assert index_of_three().cosines({}) == {}
    assert TermIndex([{}], rarity).cosines({"red": 1.0}) == {}
    assert TermIndex([], lambda bags, bags_with_it: 0.0).cosines({"red": 1.0}) == {}


def test_the_cosine_is_that_of_the_logarithm_of_the_count_times_the_rarity() -> None:
    index = TermIndex([{"a": 3.0, "b": 1.0}, {"b": 0.5}], lambda bags, bags_with_it: bags * 10 + bags_with_it)
    # a is in one bag of two, b in both, c in none.
    a, b, c = (1 + math.log(3)) * 21, 22.0, 20.0
    assert index.cosines({"b": 1.0, "c": 1.0}) == {
        0: pytest.approx(b * b / math.hypot(a, b) / math.hypot(b, c)),
        1: pytest.approx(b / math.hypot(b, c)),
    }
    assert index.shared({"b": 0.5, "a": 0.0}, 1) == {"b": 1.0}
