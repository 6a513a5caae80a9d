"""The base of classifiers that wrap another classifier."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TypeVar

from ...application.ports import Classifier
from ...domain.catalog import ServiceCatalog
from ...domain.examples import NO_EXAMPLES, Examples
from ...domain.ticket import Ticket
from ...domain.usage import Bill

Self = TypeVar("Self", bound="DelegatingClassifier")


class DelegatingClassifier:
    """Passes on everything but the answers and the fingerprint."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    @property
    def batch_size(self) -> int:
        return self._classifier.batch_size

    @property
    def concurrency(self) -> int:
        return self._classifier.concurrency

    @property
    def bill(self) -> Bill:
        return self._classifier.bill

    def estimate(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES) -> Bill:
        return self._classifier.estimate(tickets, catalog, examples)

    async def __aenter__(self: Self) -> Self:
        await self._classifier.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._classifier.__aexit__(kind, error, trace)
