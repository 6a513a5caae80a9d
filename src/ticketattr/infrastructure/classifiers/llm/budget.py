"""The budget of a run: what the calls so far used, and whether the next call fits into the cost limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ....application.ports import ClassifierStopped
from ....domain.usage import Price, Usage

_TOKENS_PER_ANSWER = 150
"""The estimated output for one ticket, with thinking, in tokens, while there is no answer to learn from."""

_CAUTION = 1.25
"""The next answer is estimated to need so many times the average so far."""


class Budget:
    """`max_cost` is in US dollars. A call that could exceed it, together with the calls in flight, is refused."""

    def __init__(self, price: Price | None, max_cost: float | None) -> None:
        self.usage = Usage()
        self._price = price
        self._max_cost = max_cost
        self._reserved = 0.0
        self._answers = 0
        self._estimated_in = 0

    @property
    def cost(self) -> float | None:
        """The cost so far, in US dollars; None when the price is not known."""
        return self.cost_of(self.usage)

    def cost_of(self, usage: Usage) -> float | None:
        """Returns what `usage` costs, in US dollars; None when the price is not known."""
        return self._price.of(usage) if self._price else None

    def estimate(self, tokens_in: int, tickets: int) -> Usage:
        """Returns the estimated usage of one call about so many tickets, corrected by the calls so far."""
        surprise = max(1.0, self.usage.tokens_in / self._estimated_in) if self._estimated_in else 1.0
        produced = self.usage.tokens_out + self.usage.tokens_thinking
        per_answer = _CAUTION * produced / self._answers if self._answers else _TOKENS_PER_ANSWER
        return Usage(calls=1, tokens_in=round(tokens_in * surprise), tokens_out=round(per_answer * tickets))

    @contextmanager
    def reserve(self, estimate: Usage) -> Iterator[None]:
        """Reserves the estimated cost while a call is in flight. Raises ClassifierStopped when too little is left."""
        expected = self.cost_of(estimate) or 0.0
        if self._max_cost is not None and (self.cost or 0.0) + self._reserved + expected > self._max_cost:
            raise ClassifierStopped(
                "cost_limit",
                f"not asked, because the next call might have exceeded LLM_MAX_COST ({self._max_cost:g} USD)",
            )
        self._reserved += expected
        try:
            yield
        finally:
            self._reserved -= expected

    def record_call(self, *, is_retry: bool) -> None:
        """Counts a call."""
        self.usage += Usage(calls=1, retries=int(is_retry))

    def record_answer(self, usage: Usage, tokens_in: int, tickets: int) -> None:
        """Adds the usage of an answer about so many tickets. `tokens_in` is the size of the request as estimated."""
        self.usage += usage
        self._estimated_in += tokens_in
        self._answers += tickets
