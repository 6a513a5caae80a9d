"""Tokens, prices and bills."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ticketattr.domain.usage import Bill, ClassificationPlan, Price, Usage, total


def test_usages_add_up_field_by_field() -> None:
    one = Usage(calls=1, retries=2, tokens_in=3, tokens_out=4, tokens_thinking=5, tokens_cached=6, batched=7)
    other = Usage(calls=10, retries=20, tokens_in=30, tokens_out=40, tokens_thinking=50, tokens_cached=60, batched=70)
    assert one + other == Usage(11, 22, 33, 44, 55, 66, 77)


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


def test_seconds_of_bills_add_up_and_costs_have_four_decimals() -> None:
    assert total([Bill(seconds=1.5), Bill(seconds=2.0)]).seconds == 3.5
    assert (Bill(cost=0.12345).cost_in_words, Bill(cost=None).cost_in_words) == ("0.1235 USD", "unknown")


def test_plans_add_up_field_by_field() -> None:
    one = ClassificationPlan(1, 2, 3, 4, 5, Bill(Usage(calls=6)), 7)
    other = ClassificationPlan(10, 20, 30, 40, 50, Bill(Usage(calls=60), cost=None), 70)
    assert one + other == ClassificationPlan(11, 22, 33, 44, 55, Bill(Usage(calls=66), cost=None), 77)


@pytest.mark.parametrize(("calls", "jobs"), [(0, 0), (1, 1), (5_000, 1), (5_001, 2)])
def test_a_batch_job_takes_five_thousand_calls_at_half_the_price(calls: int, jobs: int) -> None:
    plan = ClassificationPlan(1, 0, 0, 1, 1, Bill(Usage(calls=calls), cost=0.5))
    assert (plan.jobs, plan.job_cost) == (jobs, "0.2500 USD")
    assert replace(plan, bill=Bill(cost=None)).job_cost == ""
