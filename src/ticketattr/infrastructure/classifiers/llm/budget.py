"""The budget of a run: what the calls so far used, and what the next call may use at most.

A call is made only if the cost limit holds even when the call costs all that is set aside for it: one token for each
byte that is sent, and all tokens that the answer may have. The service gets that number with the call.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio

from ....application.ports import ClassifierStopped
from ....domain.usage import JOB_PRICE, Price, Usage
from .known_models import answers_for, retirement_of
from .prices import PriceList

_TOKENS_PER_ANSWER = 150
"""The estimated output for one ticket, with thinking, in tokens, while there is no answer to learn from."""

_CAUTION = 1.25
"""The next answer is estimated to need so many times the average so far."""

_MOST_PER_ANSWER = 1_500
"""The most tokens that the answer about one ticket may have, with thinking, while there is no answer to learn from."""

_MOST_BESIDE = 4_096
"""The tokens that an answer may have beside those for each ticket: thinking that does not depend on their number."""

_ROOM = 2.0
"""An answer may have so many times the most tokens for a ticket so far."""

_MOST_OF_ALL = 65_536
"""No model writes a longer answer, in tokens."""

_TOKENS_AROUND = 256
"""The most tokens that a service adds to the texts of a request."""


class Reserved:
    """What is set aside for a call: `max_tokens` for the answer (None: no limit), and `cost` in US dollars."""

    def __init__(self, max_tokens: int | None = None, cost: float = 0.0) -> None:
        self.max_tokens = max_tokens
        self.cost = cost


class Budget:
    """`max_cost` is in US dollars. A call that could exceed it, together with the calls in flight, is not made."""

    def __init__(self, prices: PriceList, max_cost: float | None) -> None:
        self._prices = prices
        self._max_cost = max_cost
        self._calls = Usage()
        self._used: dict[tuple[str, str], Usage] = {}
        self._used_by_jobs: dict[tuple[str, str], Usage] = {}
        self._reserved = 0.0
        self._lost = 0.0
        self._in_flight = 0
        self._released: anyio.Event | None = None
        self._answers = 0
        self._most_per_answer = 0.0
        self._estimated_in = 0
        self._most_in_error = self._most_out_error = 1.0

    @property
    def usage(self) -> Usage:
        """The calls so far, and their tokens."""
        return sum(self._used.values(), self._calls)

    @property
    def job_usage(self) -> Usage:
        """The calls in batch jobs whose answers were read, and their tokens."""
        return sum(self._used_by_jobs.values(), Usage())

    @property
    def models(self) -> list[str]:
        """The models that answered, in the order of their first answer."""
        return list(dict.fromkeys(answered for _, answered in (*self._used, *self._used_by_jobs)))

    @property
    def cost(self) -> float | None:
        """The cost so far, in US dollars, at the prices of the models that answered; None if one is not known.

        Without batch jobs, whose cost counts for the limit when they are made.
        """
        return self._cost(self._used)

    @property
    def cost_with_jobs(self) -> float | None:
        """`cost`, and that of the answers of batch jobs."""
        of_jobs = self._cost(self._used_by_jobs)
        return None if self.cost is None or of_jobs is None else self.cost + JOB_PRICE * of_jobs

    def _cost(self, used: Mapping[tuple[str, str], Usage]) -> float | None:
        costs = [self.cost_of(usage, asked, answered) for (asked, answered), usage in used.items()]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    def cost_of(self, usage: Usage, asked: str, answered: str = "") -> float | None:
        """Returns what `usage` costs when `answered` answers in the place of `asked`; None if no price is known."""
        price = self._price(asked, answered or asked)
        return price.of(usage) if price else None

    def _price(self, asked: str, answered: str) -> Price | None:
        return self._prices.of(answered) or (self._prices.of(asked) if answers_for(asked, answered) else None)

    def estimate(self, tokens_in: int, tickets: int) -> Usage:
        """Returns the estimated usage of one call about so many tickets, corrected by the calls so far."""
        used = self.usage
        surprise = max(1.0, used.tokens_in / self._estimated_in) if self._estimated_in else 1.0
        produced = used.tokens_out + used.tokens_thinking
        per_answer = _CAUTION * produced / self._answers if self._answers else _TOKENS_PER_ANSWER
        return Usage(calls=1, tokens_in=round(tokens_in * surprise), tokens_out=round(per_answer * tickets))

    @asynccontextmanager
    async def reserve(self, *, model: str, sent: int, tickets: int) -> AsyncIterator[Reserved]:
        """Sets aside what a call about so many tickets may cost at most, while it is in flight.

        `sent` is the size of the request in bytes. Waits for the calls in flight when they may need what is left.
        Raises ClassifierStopped when less is left than the call is likely to need.
        """
        reserved = Reserved()
        if self._max_cost is not None:
            reserved = await self._set_aside(self._max_cost, model, sent, tickets)
        self._reserved += reserved.cost
        self._in_flight += 1
        try:
            yield reserved
        finally:
            self._reserved -= reserved.cost
            self._in_flight -= 1
            if self._released:
                self._released.set()
                self._released = None

    async def _set_aside(self, limit: float, model: str, sent: int, tickets: int) -> Reserved:
        most_in = Usage(tokens_in=round((sent + _TOKENS_AROUND) * self._most_in_error))
        while True:
            price = self._highest_price(model)
            if price is None:
                raise self._stop("the price of the model that answers is not known")
            # A service that does not keep to the limit of an answer is expected to exceed the next one as far.
            price = replace(price, output=price.output * self._most_out_error)
            left = limit - self._spent(price) - self._reserved - price.of(most_in)
            affordable = int(left * 1_000_000 / price.output) if price.output else _MOST_OF_ALL
            wanted = self._most_tokens(tickets)
            if left >= 0 and affordable >= wanted:
                return self._reservation(price, most_in, wanted)
            if not self._in_flight:
                break
            self._released = self._released or anyio.Event()
            await self._released.wait()
        if left < 0 or affordable < self.estimate(0, tickets).tokens_out:
            raise self._stop("the next call might have exceeded it")
        return self._reservation(price, most_in, affordable)

    def _reservation(self, price: Price, most_in: Usage, tokens_out: int) -> Reserved:
        return Reserved(tokens_out, price.of(replace(most_in, tokens_out=tokens_out)))

    def _most_tokens(self, tickets: int) -> int:
        learned = _ROOM * max(self._most_per_answer, _TOKENS_PER_ANSWER)
        per_answer = learned if self._answers else _MOST_PER_ANSWER
        return min(_MOST_OF_ALL, round(per_answer * tickets) + _MOST_BESIDE)

    def _highest_price(self, model: str) -> Price | None:
        """Returns prices that no answer exceeds, whichever model answers; None if one of them is not known."""
        retirement = retirement_of(model)
        prices = [self._price(asked, answered) for asked, answered in self._used]
        prices += [self._prices.of(model)] if not prices else []
        if None in prices:
            return None
        other = self._prices.of(retirement.answered_by) if retirement else None
        known = [price for price in [*prices, self._prices.of(model), other] if price]
        return Price(
            input=max(max(price.input, price.cached) for price in known),
            output=max(price.output for price in known),
            cached=max(price.cached for price in known),
        )

    def _spent(self, price: Price) -> float:
        cost = self.cost
        return self._lost + (price.of(self.usage) if cost is None else cost)

    def _stop(self, why: str) -> ClassifierStopped:
        return ClassifierStopped("cost_limit", f"not asked, because of LLM_MAX_COST ({self._max_cost:g} USD): {why}")

    def record_call(self, *, is_retry: bool) -> None:
        """Counts a call."""
        self._calls += Usage(calls=1, retries=int(is_retry))

    def record_lost(self, reserved: Reserved) -> None:
        """Counts all that was set aside for a call, because nobody knows what it cost: its answer was lost."""
        self._lost += reserved.cost

    def limits_of_job(self, model: str, calls: Sequence[tuple[int, int]]) -> list[int | None]:
        """Returns how many tokens the answer to each call of a batch job may have; None: no limit.

        `calls` are the bytes that are sent and the number of tickets of each. Calls that the cost limit does not allow
        are left out at the end. What the others may cost at most is set aside for good.
        """
        if self._max_cost is None:
            return [None] * len(calls)
        price = self._highest_price(model)
        left = 0.0 if price is None else self._max_cost - self._spent(price) - self._reserved
        if price is None or left <= 0:
            return []
        price = Price(JOB_PRICE * price.input, JOB_PRICE * price.output, JOB_PRICE * price.cached)
        sent, least = 0.0, 0.0
        allowed = []
        for size, tickets in calls:
            sent += price.of(Usage(tokens_in=size + _TOKENS_AROUND))
            least += price.of(Usage(tokens_out=self.estimate(0, tickets).tokens_out))
            if sent + least > left:
                break
            allowed.append((sent, tickets))
        if not allowed:
            return []
        room = (left - allowed[-1][0]) / (len(allowed) * price.output) * 1_000_000 if price.output else _MOST_OF_ALL
        limits = [min(self._most_tokens(tickets), int(room)) for _, tickets in allowed]
        self._lost += allowed[-1][0] + price.of(Usage(tokens_out=sum(limits)))
        return list(limits)

    def record_job(self, usage: Usage, *, asked: str, answered: str) -> None:
        """Adds the usage of an answer of a batch job."""
        key = (asked, answered)
        self._used_by_jobs[key] = self._used_by_jobs.get(key, Usage()) + replace(usage, calls=1, batched=1)

    def record_answer(
        self, usage: Usage, reserved: Reserved, *, asked: str, answered: str, tokens_in: int, sent: int, tickets: int
    ) -> None:
        """Adds the usage of an answer about so many tickets. `tokens_in` is the size of the request as estimated."""
        key = (asked, answered)
        self._used[key] = self._used.get(key, Usage()) + usage
        self._estimated_in += tokens_in
        self._answers += tickets
        produced = usage.tokens_out + usage.tokens_thinking
        self._most_per_answer = max(self._most_per_answer, produced / tickets)
        if reserved.max_tokens:
            self._most_out_error = max(self._most_out_error, produced / reserved.max_tokens)
        self._most_in_error = max(self._most_in_error, usage.tokens_in / (sent + _TOKENS_AROUND))
