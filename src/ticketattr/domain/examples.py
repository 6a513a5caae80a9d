"""Decided tickets as examples for a classifier: the few that are most like a ticket, shortened.

People decide by correcting a report, or by labelling tickets (`--examples`). A correction takes precedence over a
label. Tickets are alike when they share words, and rare words count most. The examples of a ticket depend on its own
text only, so that a new correction changes the cached answers of few other tickets.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .catalog import RequestType, ServiceCatalog
from .correction import Correction
from .gold import GoldTicket
from .term_index import Bag, TermIndex
from .ticket import Ticket

MAX_CORRECTIONS = 2_000
"""How many corrections are examples: the newest ones, so that a desk that corrects for years does not slow down."""

PER_TICKET = 3
PER_BATCH = 12
MAX_TEXT = 400
"""The length of each description in an example, in characters. With PER_BATCH, that is at most 3,000 tokens."""

_NEAR = 0.25
"""The least cosine, from 0 to 1, between the words of a ticket and those of an example that is shown."""

_COMPARED = 1_000
"""How many characters of a long description are compared."""

_REMEMBERED = 10_000
"""How many tickets are remembered with their examples, so that a stream of tickets takes no more and more memory."""

_WORD = re.compile(r"\w\w+")


@dataclass(frozen=True, slots=True)
class Example:
    """A decided ticket that is shown to a classifier: its text, and the request type that a person chose.

    `texts` is what is shown. What changes the text, such as redaction, changes `full_texts`: a secret that is cut in
    two is not recognized any more.
    """

    short_description: str
    long_description: str
    entry: RequestType

    @property
    def texts(self) -> tuple[str, str]:
        """The short and the long description, each with at most MAX_TEXT characters."""
        return self.short_description[:MAX_TEXT], self.long_description[:MAX_TEXT]

    @property
    def full_texts(self) -> tuple[str, str]:
        """The short and the long description, whole."""
        return self.short_description, self.long_description


class Examples:
    """A search index of decided tickets: corrections whose pair is in the catalog, and labelled tickets."""

    def __init__(
        self, corrections: Iterable[Correction], catalog: ServiceCatalog, labelled: Iterable[GoldTicket] = ()
    ) -> None:
        corrected, others = _decided(corrections, catalog, labelled)
        decided = [*corrected, *others]
        self._corrected = len(corrected)
        # The key of an answer and the classifier ask about the same tickets.
        self._found: dict[tuple[str, str], list[int]] = {}
        self._examples = decided
        self._index = TermIndex([_words(*example.full_texts) for example in decided], _rarity)

    @property
    def decided(self) -> tuple[Example, ...]:
        """All tickets that a person corrected or confirmed in a report."""
        return tuple(self._examples[: self._corrected])

    def nearest(self, ticket: Ticket) -> tuple[Example, ...]:
        """Returns at most PER_TICKET examples, the most similar first; of equal ones, corrections first."""
        return tuple(self._examples[position] for position in self._nearest(ticket))

    def decided_like(self, ticket: Ticket) -> tuple[Example, ...]:
        """Returns those of `nearest` that a person corrected or confirmed in a report."""
        if not self._corrected:
            return ()
        return tuple(self._examples[position] for position in self._nearest(ticket) if position < self._corrected)

    def for_batch(self, tickets: Sequence[Ticket]) -> tuple[Example, ...]:
        """Returns at most PER_BATCH examples: the most similar of each ticket, then the second of each, and so on."""
        nearest = [self.nearest(ticket) for ticket in tickets]
        ranked = (found[rank] for rank in range(PER_TICKET) for found in nearest if rank < len(found))
        return tuple(dict.fromkeys(ranked))[:PER_BATCH]

    def _nearest(self, ticket: Ticket) -> list[int]:
        if not self._examples:
            return []
        if ticket.texts not in self._found:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[ticket.texts] = self._search(ticket)
        return self._found[ticket.texts]

    def _search(self, ticket: Ticket) -> list[int]:
        cosines = self._index.cosines(_words(*ticket.texts))
        near = [position for position in sorted(cosines) if cosines[position] >= _NEAR]
        near.sort(key=lambda position: -cosines[position])
        return near[:PER_TICKET]


def _decided(
    corrections: Iterable[Correction], catalog: ServiceCatalog, labelled: Iterable[GoldTicket]
) -> tuple[list[Example], list[Example]]:
    """Returns examples: the corrections, and the labelled tickets that do not have the text of one."""
    newest = sorted(corrections, key=lambda correction: correction.at)[-MAX_CORRECTIONS:]
    chosen = ((correction.texts, catalog.find(*correction.pair)) for correction in newest)
    corrected = {texts: Example(*texts, entry) for texts, entry in chosen if entry}
    others = [Example(*gold.ticket.texts, gold.entry) for gold in labelled if gold.ticket.texts not in corrected]
    return list(corrected.values()), others


def _words(short_description: str, long_description: str) -> Bag:
    """Returns each word once, in a fixed order."""
    words = set(_WORD.findall(f"{short_description} {long_description[:_COMPARED]}".casefold()))
    return dict.fromkeys(sorted(words), 1.0)


def _rarity(examples: int, examples_with_it: int) -> float:
    return math.log(1 + (1 + examples) / (1 + examples_with_it))


NO_EXAMPLES = Examples((), ServiceCatalog(()))
"""For a classifier that is shown no examples."""
