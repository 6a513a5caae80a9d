"""All entries of a catalog, scored for tickets: from the concept bank, the catalog's own words, and examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....domain.catalog import RequestType, ServiceCatalog
from ....domain.gold import GoldTicket
from ....domain.left_over import bare_name, is_left_over
from ....domain.ticket import Ticket
from .concept_bank import concept_bank, words_found
from .kernel import KernelClassifier
from .lexical import WordIndex, texts_of_entry, whole_words
from .plain_text import plain
from .routing import route
from .sentence_vectors import Vectors, kept_vectors, unit, vectors

_MAX_MEANING = 500
"""How much of a text its vector is made of, in characters: the matter stands at the beginning."""

_MAX_WORDS = 4_000

_CATALOG_WEIGHT = 0.5
_WORDS_WEIGHT = 0.1
_EXAMPLES_WEIGHT = 1.0
_LEFT_OVER_WEIGHT = 0.6
_WORDS_SHOWN = 5
_FEW_WORDS = 3
_FEW_CHARACTERS = 25


@dataclass(frozen=True, slots=True)
class Signals:
    """What may count; all of it by default. An ablation leaves some out."""

    bank: bool = True
    patterns: bool = True
    words: bool = True


class Ranking:
    """The scores of one catalog. Deterministic: no chance, and scores are rounded before they are compared."""

    def __init__(
        self, catalog: ServiceCatalog, examples: Sequence[GoldTicket] = (), signals: Signals = Signals()
    ) -> None:
        self._entries = catalog.entries
        self._signals = signals
        self._bank = concept_bank()
        self._routes = route(self._bank, self._entries) if signals.bank else {}
        self._words = WordIndex(list(map(texts_of_entry, self._entries)))
        self._texts = _texts_by_entry(self._entries)
        self._text_rows = kept_vectors(tuple(text for _, text in self._texts))
        self._examples = _learnt(self._entries, examples)

    @property
    def uses_bank(self) -> bool:
        return bool(self._routes)

    def scores(self, tickets: Sequence[Ticket]) -> NDArray[np.float64]:
        """A row for each ticket, a column for each entry."""
        rows = ticket_vectors(tickets)
        total = _CATALOG_WEIGHT * self._catalog_scores(rows)
        if self._signals.words:
            total += _WORDS_WEIGHT * self._word_scores(tickets)
        if self._routes:
            total += self._bank_scores(rows, tickets)
        if self._examples:
            total += _EXAMPLES_WEIGHT * self._examples.scores(rows)
        return np.asarray(np.round(total, 4), dtype=np.float64)

    def is_telling(self, ticket: Ticket) -> bool:
        """Whether a ticket says more than a few words, or at least one that means something to us."""
        text = f"{ticket.short_description} {ticket.long_description}".strip()
        if len(text.split()) > _FEW_WORDS or len(text) > _FEW_CHARACTERS:
            return True
        concepts = [concept for concept in self._bank.concepts if concept.domain != "general"]
        return any(words_found(concept, plain(text)) for concept in concepts) or any(
            map(whole_words, self._words.shared(text, ""))
        )

    def evidence(self, ticket: Ticket, place: int) -> list[str]:
        """Words of the ticket that speak for that entry."""
        text = plain(f"{ticket.short_description}\n{ticket.long_description[:_MAX_WORDS]}")
        leading = [self._bank.concepts[concept] for concept, entry in self._routes.items() if entry == place]
        telling = [word for concept in leading for word in words_found(concept, text)]
        shared = self._words.shared(ticket.short_description, ticket.long_description[:_MAX_WORDS])[place]
        return list(dict.fromkeys([*telling, *whole_words(shared)]))[:_WORDS_SHOWN]

    def _bank_scores(self, rows: Vectors, tickets: Sequence[Ticket]) -> NDArray[np.float64]:
        titles = [ticket.short_description if self._signals.patterns else "" for ticket in tickets]
        bodies = [ticket.long_description[:_MAX_WORDS] if self._signals.patterns else "" for ticket in tickets]
        by_concept = self._bank.scores(rows, titles, bodies)
        scores = np.full((len(rows), len(self._entries)), by_concept.min(initial=0.0))
        for concept, place in self._routes.items():
            scores[:, place] = np.maximum(scores[:, place], by_concept[:, concept])
        return scores

    def _catalog_scores(self, rows: Vectors) -> NDArray[np.float64]:
        """How near each ticket is to the nearest text of an entry.

        With the bank, the name of an entry that is left over says nothing, and it counts as an average one.
        """
        likeness = rows @ self._text_rows.T
        scores = np.full((len(rows), len(self._entries)), np.nan)
        for column, (place, _) in enumerate(self._texts):
            scores[:, place] = np.fmax(scores[:, place], likeness[:, column])
        for place, entry in enumerate(self._entries):
            if is_left_over(entry.name) and not _own_texts(entry):
                scores[:, place] = np.nan if self._routes else scores[:, place] * _LEFT_OVER_WEIGHT
        known = np.nan_to_num(scores, nan=0.0)
        average = known.sum(axis=1, keepdims=True) / np.maximum((~np.isnan(scores)).sum(axis=1, keepdims=True), 1)
        return np.where(np.isnan(scores), average, scores)

    def _word_scores(self, tickets: Sequence[Ticket]) -> NDArray[np.float64]:
        return np.array(
            [
                [
                    sum(shared.values()) * (_LEFT_OVER_WEIGHT if is_left_over(entry.name) else 1.0)
                    for shared, entry in zip(
                        self._words.shared(ticket.short_description, ticket.long_description[:_MAX_WORDS]),
                        self._entries,
                        strict=True,
                    )
                ]
                for ticket in tickets
            ]
        )


def ticket_vectors(tickets: Sequence[Ticket]) -> Vectors:
    """Both descriptions count the same, however long they are."""
    titles = vectors([ticket.short_description[:_MAX_MEANING] for ticket in tickets])
    bodies = vectors([(ticket.long_description or ticket.short_description)[:_MAX_MEANING] for ticket in tickets])
    return unit(titles + bodies)


def _texts_by_entry(entries: Sequence[RequestType]) -> list[tuple[int, str]]:
    # As a question: the model then takes a name for something that somebody says.
    return [
        (place, text)
        for place, entry in enumerate(entries)
        for text in (f"{bare_name(entry) or entry.name}?", *_own_texts(entry))
    ]


def _own_texts(entry: RequestType) -> list[str]:
    texts = (entry.description, ", ".join(entry.keywords), *entry.examples)
    return [text for text in texts if text]


def _learnt(entries: Sequence[RequestType], examples: Sequence[GoldTicket]) -> KernelClassifier | None:
    """From labelled tickets of the desk, and from what the catalog itself gives as examples."""
    place_of = {entry: place for place, entry in enumerate(entries)}
    given = [(place, text) for place, entry in enumerate(entries) for text in entry.examples]
    labels = [place for place, _ in given] + [place_of[gold.entry] for gold in examples]
    if not labels:
        return None
    rows = [vectors([text for _, text in given]), ticket_vectors([gold.ticket for gold in examples])]
    return KernelClassifier(np.concatenate(rows), labels, len(entries))
