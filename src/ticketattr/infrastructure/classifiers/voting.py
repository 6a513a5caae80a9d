"""How much a model agrees with itself, instead of its own word about how sure it is.

The same question is asked several times, each time with the catalog in another order: what an answer owes to the
order of the entries, or to chance, then shows as disagreement. Needs a temperature above 0.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from ...application.ports import Classifier
from ...domain.catalog import ServiceCatalog
from ...domain.examples import Example
from ...domain.ticket import Attribution, Outcome, Ticket
from ...domain.usage import Bill, Usage
from .delegating import DelegatingClassifier


class VotingClassifier(DelegatingClassifier):
    """The answer that most of `votes` agree on; their share is its confidence."""

    def __init__(self, classifier: Classifier, votes: int) -> None:
        super().__init__(classifier)
        self._votes = votes

    def fingerprint(self, catalog: ServiceCatalog) -> str:
        return f"{self._classifier.fingerprint(catalog)} {self._votes} votes"

    def estimate(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Sequence[Example] = ()) -> Bill:
        one = self._classifier.estimate(tickets, catalog, examples)
        usage = sum([one.usage] * self._votes, Usage())
        return Bill(usage, None if one.cost is None else one.cost * self._votes)

    async def choose(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Sequence[Example] = ()
    ) -> list[Outcome]:
        ballots = [
            await self._classifier.choose(tickets, _shuffled(catalog, vote), examples) for vote in range(self._votes)
        ]
        return [_elected(outcomes) for outcomes in zip(*ballots, strict=True)]


@lru_cache(maxsize=32)
def _shuffled(catalog: ServiceCatalog, vote: int) -> ServiceCatalog:
    """The first vote has the catalog as it is; the others always have the same orders."""
    if vote == 0:
        return catalog
    entries = list(catalog.entries)
    random.Random(vote).shuffle(entries)  # noqa: S311  # nosec B311  # repeatable, and no secret
    return ServiceCatalog(tuple(entries))


def _elected(outcomes: Sequence[Outcome]) -> Outcome:
    """Failures have no vote; of answers with as many votes, the one that came first."""
    valid = [outcome for outcome in outcomes if not outcome.is_failure]
    if not valid:
        return outcomes[0]
    counts = Counter(_choice(outcome) for outcome in valid)
    winner, votes = counts.most_common(1)[0]
    elected = next(outcome for outcome in valid if _choice(outcome) == winner)
    if isinstance(elected, Attribution):
        return replace(elected, confidence=round(votes / len(outcomes), 4))
    return elected


def _choice(outcome: Outcome) -> tuple[str, str]:
    return outcome.entry.pair if isinstance(outcome, Attribution) else ("", "")
