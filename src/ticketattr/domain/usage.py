"""Calls of a model, the tokens that they used, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from operator import add

JOB_PRICE = 0.5
"""What a call in a batch job costs, as a share of its usual price."""

CALLS_PER_JOB = 5_000
"""The most calls in a batch job."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Numbers of calls and tokens. `retries` and `batched` are among the calls, `tokens_cached` among `tokens_in`.

    `batched` calls were answered in batch jobs, at half the price.
    """

    calls: int = 0
    retries: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_thinking: int = 0
    tokens_cached: int = 0
    batched: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(*map(add, astuple(self), astuple(other)))


@dataclass(frozen=True, slots=True)
class Price:
    """Prices in US dollars for a million tokens, as published at `source` on `date`."""

    input: float
    output: float
    cached: float
    date: str = ""
    source: str = ""

    def of(self, usage: Usage) -> float:
        """Returns what `usage` costs, in US dollars."""
        fresh = usage.tokens_in - usage.tokens_cached
        produced = usage.tokens_out + usage.tokens_thinking
        return (fresh * self.input + usage.tokens_cached * self.cached + produced * self.output) / 1_000_000


@dataclass(frozen=True, slots=True)
class Bill:
    """What a classification took. `cost` is in US dollars, or None when the price is not known.

    `model` names the models that answered, separated by commas. `notes` say, in sentences, what differs from what was
    asked for: another model, or a parameter that the model does not take.
    """

    usage: Usage = Usage()
    cost: float | None = 0.0
    seconds: float = 0.0
    model: str = ""
    notes: tuple[str, ...] = ()

    @property
    def cost_in_words(self) -> str:
        """The cost as text, with its currency."""
        return "unknown" if self.cost is None else f"{self.cost:.4f} USD"


def total(bills: Iterable[Bill]) -> Bill:
    """Returns tokens, cost and seconds of all `bills` together. The cost is None if that of any bill is."""
    every = list(bills)
    costs = [bill.cost for bill in every]
    return Bill(
        usage=sum((bill.usage for bill in every), Usage()),
        cost=None if None in costs else sum(cost for cost in costs if cost is not None),
        seconds=sum(bill.seconds for bill in every),
    )


@dataclass(frozen=True, slots=True)
class ClassificationPlan:
    """What a classification would do. `to_ask` counts distinct texts.

    `bill` is an estimate. Its seconds are those of the classifier, at the rates that are set.
    """

    tickets: int
    kept: int
    cached: int
    to_ask: int
    batches: int
    bill: Bill
    corrected: int = 0

    def __add__(self, other: ClassificationPlan) -> ClassificationPlan:
        return ClassificationPlan(
            tickets=self.tickets + other.tickets,
            kept=self.kept + other.kept,
            cached=self.cached + other.cached,
            to_ask=self.to_ask + other.to_ask,
            batches=self.batches + other.batches,
            bill=total((self.bill, other.bill)),
            corrected=self.corrected + other.corrected,
        )

    @property
    def jobs(self) -> int:
        """The least number of batch jobs that all calls take."""
        return math.ceil(self.bill.usage.calls / CALLS_PER_JOB)

    @property
    def job_cost(self) -> str:
        """The cost in a batch job as text, with its currency; empty when the price is not known."""
        return "" if self.bill.cost is None else replace(self.bill, cost=self.bill.cost * JOB_PRICE).cost_in_words


NOTHING_PLANNED = ClassificationPlan(0, 0, 0, 0, 0, Bill())
