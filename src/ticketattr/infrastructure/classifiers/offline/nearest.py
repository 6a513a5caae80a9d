"""The labelled tickets that have most words in common with those that are asked about."""

from __future__ import annotations

from collections.abc import Sequence

from ....domain.gold import GoldTicket
from ....domain.ticket import Ticket
from .lexical import WeightedTexts, WordIndex, texts_of_ticket

MOST = 12
"""For one question to a model."""

_FOR_EACH = 2


class NearestExamples:
    def __init__(self, examples: Sequence[GoldTicket]) -> None:
        self._examples = examples
        self._index = WordIndex([_texts(gold.ticket) for gold in examples])

    def to(self, tickets: Sequence[Ticket]) -> list[GoldTicket]:
        """At most `MOST`, the nearest first; of them, no more than two for each ticket."""
        if not self._examples:
            return []
        best: dict[int, float] = {}
        for ticket in tickets:
            shared = self._index.shared(ticket.short_description, ticket.long_description)
            likeness = [sum(features.values()) for features in shared]
            for place in sorted(range(len(likeness)), key=lambda place: -likeness[place])[:_FOR_EACH]:
                best[place] = max(best.get(place, 0.0), likeness[place])
        ranked = sorted(best, key=lambda place: -best[place])
        return [self._examples[place] for place in ranked[:MOST] if best[place] > 0]


def _texts(ticket: Ticket) -> WeightedTexts:
    return texts_of_ticket(ticket.short_description, ticket.long_description)
