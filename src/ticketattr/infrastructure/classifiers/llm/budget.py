"""What calls took so far, and whether the next one may still be paid for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ....application.ports import ClassifierStopped
from ....domain.usage import Price, Usage

_TOKENS_PER_ANSWER = 150
"""What one ticket is taken to cost in output, thinking included, before there is an answer to learn from."""

_CAUTION = 1.25
"""How much more than the average so far the next answer is taken to cost."""


class Budget:
    """`max_cost` in US dollars: a call that could exceed it, with those in flight, is not made."""

    def __init__(self, price: Price | None, max_cost: float | None) -> None:
        self.usage = Usage()
        self._price = price
        self._max_cost = max_cost
        self._reserved = 0.0
        self._answers = 0
        self._estimated_in = 0

    @property
    def cost(self) -> float | None:
        """In US dollars; None when nobody knows the price."""
        return self.cost_of(self.usage)

    def cost_of(self, usage: Usage) -> float | None:
        return self._price.of(usage) if self._price else None

    def estimate(self, tokens_in: int, tickets: int) -> Usage:
        """What one call will take, judged by the calls so far."""
        surprise = max(1.0, self.usage.tokens_in / self._estimated_in) if self._estimated_in else 1.0
        produced = self.usage.tokens_out + self.usage.tokens_thinking
        per_answer = _CAUTION * produced / self._answers if self._answers else _TOKENS_PER_ANSWER
        return Usage(calls=1, tokens_in=round(tokens_in * surprise), tokens_out=round(per_answer * tickets))

    @contextmanager
    def reserve(self, estimate: Usage) -> Iterator[None]:
        """Set money aside while a call is in flight. Raises ClassifierStopped when there is not enough."""
        expected = self.cost_of(estimate) or 0.0
        if self._max_cost is not None and (self.cost or 0.0) + self._reserved + expected > self._max_cost:
            raise ClassifierStopped(
                "cost_limit", f"not asked: the next call might have exceeded LLM_MAX_COST ({self._max_cost:g} USD)"
            )
        self._reserved += expected
        try:
            yield
        finally:
            self._reserved -= expected

    def record_call(self, *, is_retry: bool) -> None:
        self.usage += Usage(calls=1, retries=int(is_retry))

    def record_answer(self, usage: Usage, tokens_in: int, tickets: int) -> None:
        """What an answer about so many tickets took; `tokens_in` is what it was first thought to take."""
        self.usage += usage
        self._estimated_in += tokens_in
        self._answers += tickets
