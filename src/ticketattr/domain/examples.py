"""Tickets that people decided, as examples for a model: the nearest ones, few and short.

People decide by correcting a report, or by labelling tickets for the classifier (`--examples`); a correction beats
a label. Near are those that share words, rare ones counting most. Which examples a ticket has depends on its own
text alone, so that a new correction changes the question about few other tickets.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .catalog import RequestType, ServiceCatalog
from .correction import Correction
from .gold import GoldTicket
from .term_index import Bag, TermIndex
from .ticket import Ticket

PER_TICKET = 3
PER_BATCH = 12
MAX_TEXT = 400
"""How much of each description an example has, in characters: with PER_BATCH, about 3,000 tokens at most."""

_NEAR = 0.25
"""From this likeness on (0 to 1, the cosine of the words that two tickets share) an example is shown."""

_COMPARED = 1_000
"""How much of a long description is compared, in characters."""

_WORD = re.compile(r"\w\w+")


@dataclass(frozen=True, slots=True)
class Example:
    short_description: str
    long_description: str
    entry: RequestType

    @property
    def texts(self) -> tuple[str, str]:
        return self.short_description, self.long_description


class Examples:
    """Decided tickets, ready to be searched: corrections in force whose pair the catalog has, then labelled ones."""

    def __init__(
        self, corrections: Iterable[Correction], catalog: ServiceCatalog, labelled: Iterable[GoldTicket] = ()
    ) -> None:
        decided = list(_decided(corrections, catalog, labelled))
        self._examples = [_shortened(example) for example in decided]
        self._index = TermIndex([_words(*example.texts) for example in decided], _rarity)

    def nearest(self, ticket: Ticket) -> tuple[Example, ...]:
        """At most PER_TICKET, the nearest first; of equally near ones, a correction."""
        if not self._examples:
            return ()
        cosines = self._index.cosines(_words(*ticket.texts))
        near = [position for position in sorted(cosines) if cosines[position] >= _NEAR]
        near.sort(key=lambda position: -cosines[position])
        return tuple(self._examples[position] for position in near[:PER_TICKET])

    def for_batch(self, tickets: Sequence[Ticket]) -> tuple[Example, ...]:
        """At most PER_BATCH: the nearest of every ticket, then the second nearest, and so on."""
        nearest = [self.nearest(ticket) for ticket in tickets]
        ranked = (found[rank] for rank in range(PER_TICKET) for found in nearest if rank < len(found))
        return tuple(dict.fromkeys(ranked))[:PER_BATCH]


def _decided(
    corrections: Iterable[Correction], catalog: ServiceCatalog, labelled: Iterable[GoldTicket]
) -> Iterator[Example]:
    """In full. Of the tickets that have the text of a correction, only the correction counts."""
    corrected = set()
    for correction in corrections:
        if entry := catalog.find(*correction.pair):
            corrected.add(correction.texts)
            yield Example(*correction.texts, entry)
    for gold in labelled:
        if gold.ticket.texts not in corrected:
            yield Example(*gold.ticket.texts, gold.entry)


def _shortened(example: Example) -> Example:
    return Example(example.short_description[:MAX_TEXT], example.long_description[:MAX_TEXT], example.entry)


def _words(short_description: str, long_description: str) -> Bag:
    """Returns each word once, in a fixed order."""
    words = set(_WORD.findall(f"{short_description} {long_description[:_COMPARED]}".casefold()))
    return dict.fromkeys(sorted(words), 1.0)


def _rarity(examples: int, examples_with_it: int) -> float:
    return math.log(1 + (1 + examples) / (1 + examples_with_it))


NO_EXAMPLES = Examples((), ServiceCatalog(()))
"""For a classifier that is shown none."""
