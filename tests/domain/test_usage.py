"""Tokens, prices and bills."""

from __future__ import annotations

import pytest

from ticketattr.domain.usage import Bill, Price, Usage, total


def test_usages_add_up_field_by_field() -> None:
    one = Usage(calls=1, retries=2, tokens_in=3, tokens_out=4, tokens_thinking=5, tokens_cached=6)
    other = Usage(calls=10, retries=20, tokens_in=30, tokens_out=40, tokens_thinking=50, tokens_cached=60)
    assert one + other == Usage(11, 22, 33, 44, 55, 66)


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        (Usage(), 0.0),
        (Usage(tokens_in=1_000_000), 2.0),
        (Usage(tokens_in=1_000_000, tokens_cached=400_000), 0.6 * 2.0 + 0.4 * 0.5),
        (Usage(tokens_out=100_000, tokens_thinking=300_000), 0.4 * 10.0),
        (Usage(calls=9, retries=9), 0.0),
    ],
    ids=["nothing", "in", "partly cached", "out and thinking", "calls"],
)
def test_tokens_cost_dollars_a_million_and_those_cached_less(usage: Usage, dollars: float) -> None:
    assert Price(input=2.0, output=10.0, cached=0.5).of(usage) == pytest.approx(dollars, rel=1e-9)


def test_bills_add_up_and_one_of_unknown_cost_makes_the_cost_unknown() -> None:
    one, other = Bill(Usage(calls=1, tokens_in=5), cost=0.5), Bill(Usage(calls=2, tokens_out=3), cost=0.25)
    assert total([one, other]) == Bill(Usage(calls=3, tokens_in=5, tokens_out=3), cost=0.75)
    assert total([one, Bill(Usage(calls=1), cost=None)]) == Bill(Usage(calls=2, tokens_in=5), cost=None)
    assert total([]) == Bill()
