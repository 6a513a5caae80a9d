"""A cascade: a model is asked about those tickets only that the embedded classifier is not sure about."""

from __future__ import annotations

from collections.abc import Sequence

from ...application.batches import chunks
from ...application.ports import BatchFailed, Classifier, ClassifierStopped
from ...domain.catalog import ServiceCatalog
from ...domain.examples import NO_EXAMPLES, Examples
from ...domain.ticket import Attribution, Outcome, Ticket, Unattributed
from ...domain.usage import Bill, total
from .delegating import DelegatingClassifier

_BATCHES_AT_ONCE = 5
"""How many batches of the model the first classifier looks at together, so that the rest fills whole batches."""


class CascadeClassifier(DelegatingClassifier):
    """`first` decides from the confidence `threshold` on, and `second` decides the rest."""

    def __init__(self, first: Classifier, second: Classifier, threshold: float) -> None:
        super().__init__(second)
        self._first = first
        self._threshold = threshold
        self._stopped: Unattributed | None = None

    @property
    def second(self) -> Classifier:
        """The classifier that decides what the first one is not sure about."""
        return self._classifier

    @property
    def batch_size(self) -> int:
        return _BATCHES_AT_ONCE * self._classifier.batch_size

    def fingerprint(self, catalog: ServiceCatalog) -> str:
        parts = self._first.fingerprint(catalog), self._classifier.fingerprint(catalog), self._threshold
        return " ".join(["cascade", *map(str, parts)])

    def estimate(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES) -> Bill:
        """Estimates the cost of asking the model about all tickets: which ones are doubtful is not known yet."""
        batches = chunks(tickets, self._classifier.batch_size)
        asked = [self._classifier.estimate(batch, catalog, examples) for batch in batches]
        return total([self._first.estimate(tickets, catalog, examples), *asked])

    async def choose(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES
    ) -> list[Outcome]:
        outcomes = dict(enumerate(await self.sure(tickets, catalog, examples)))
        doubtful = [place for place, outcome in outcomes.items() if outcome is None]
        for places in chunks(doubtful, self._classifier.batch_size):
            answers = await self._second_opinion([tickets[place] for place in places], catalog, examples)
            outcomes.update(zip(places, answers, strict=True))
        return [outcome for outcome in outcomes.values() if outcome is not None]

    async def sure(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES
    ) -> list[Outcome | None]:
        """Returns what the first classifier decides, in the order of the tickets; None for those left to the second.

        Takes at most `batch_size` tickets.
        """
        outcomes = await self._first.choose(tickets, catalog, examples)
        return [outcome if self._is_sure(outcome) else None for outcome in outcomes]

    async def _second_opinion(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples
    ) -> list[Outcome]:
        """Returns failures as outcomes, because the other tickets of the batch have their answer already."""
        if self._stopped:
            return [self._stopped] * len(tickets)
        try:
            return await self._classifier.choose(tickets, catalog, examples)
        except BatchFailed as failure:
            return [Unattributed(failure.reason, str(failure))] * len(tickets)
        except ClassifierStopped as stop:
            self._stopped = Unattributed(stop.reason, str(stop))
            return [self._stopped] * len(tickets)

    def _is_sure(self, outcome: Outcome) -> bool:
        return isinstance(outcome, Attribution) and (outcome.confidence or 0.0) >= self._threshold
