"""Scores all entries of a catalog for a ticket.

Scores come from the concept bank, the catalog's own texts, labelled tickets, and what people decided in reports. What
is known without any ticket, and what was learned from them, are weighed by `Mix`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....domain.catalog import RequestType, ServiceCatalog
from ....domain.catch_all import bare_name, is_catch_all
from ....domain.examples import NO_EXAMPLES, Examples
from ....domain.term_index import Bag, TermIndex
from ....domain.ticket import Ticket
from .concept_bank import GENERAL, concept_bank
from .concept_model import Shares, concept_model
from .decided_tickets import decided_scores
from .features import Features, word_vectors
from .learned import Learned
from .learning import SPREAD
from .lexical import features, rarity, texts_of_entry, texts_of_ticket, whole_words
from .plain_text import plain
from .routing import route
from .sentence_vectors import Vectors, kept_vectors, vectors
from .ticket_text import meaning_text

_MAX_WORDS = 4_000
_MAX_EVIDENCE = 400

_CATCH_ALL_WEIGHT = 0.6
_LEAST_SHARE = 1e-4
_WORDS_SHOWN = 5
_FEW_WORDS = 3
_FEW_CHARACTERS = 25
_SPECIFIC = 0.4


@dataclass(frozen=True, slots=True)
class Signals:
    """The signals that count, by default all. The ablation in tests/bench leaves some out."""

    bank: bool = True
    pieces: bool = True
    words: bool = True


@dataclass(frozen=True, slots=True)
class _Weights:
    catalog: float
    words: float
    learned: float
    decided: float


# A ticket with the text of a decided one gets its entry, whatever the other scores are.
_WITH_BANK = _Weights(catalog=0.18, words=0.12, learned=0.3, decided=0.9)
_WITHOUT_BANK = _Weights(catalog=0.5, words=0.1, learned=1.2, decided=0.45)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A row for each ticket. `scores` has a column for each entry, `shares` one for each concept of the bank."""

    scores: NDArray[np.float64]
    shares: Shares


class Ranking:
    """Scores for one catalog. They are deterministic, and rounded before they are compared."""

    def __init__(self, catalog: ServiceCatalog, signals: Signals = Signals(), learned: Learned | None = None) -> None:
        self.catalog = catalog
        self.learned = learned
        self._entries = catalog.entries
        self._place_of = {entry: place for place, entry in enumerate(self._entries)}
        self._signals = signals
        self._bank, self._model = concept_bank(), concept_model()
        self._routes = route(self._bank, self._model, self._entries) if signals.bank else None
        self._weights = _WITHOUT_BANK if self._routes is None else _WITH_BANK
        self._words = TermIndex([features(texts_of_entry(entry)) for entry in self._entries], rarity)
        self._texts = texts_by_entry(self._entries)
        self._text_rows = kept_vectors(tuple(text for _, text in self._texts))

    @property
    def uses_bank(self) -> bool:
        """Whether the catalog is about IT, so that the concept bank counts."""
        return self._routes is not None

    @property
    def weight_of_learned(self) -> float:
        """How much what many tickets teach counts beside what is known without them, before that is measured."""
        return self._weights.learned

    def judge(self, tickets: Sequence[Ticket], examples: Examples = NO_EXAMPLES) -> Judgement:
        """Returns the scores of all entries for each ticket. Of `examples`, corrected and confirmed tickets count."""
        rows = ticket_vectors(tickets)
        known = self.known(tickets, rows)
        total = known.scores
        if self.learned:
            mix = self.learned.mix
            found = Features(rows, word_vectors([ticket.texts for ticket in tickets]))
            total = mix.known * total + mix.learned * self.learned.scores_in(self.catalog, found)
        total = total + self.gain(rows, tickets, examples)
        return Judgement(np.asarray(np.round(total, 4), dtype=np.float64), known.shares)

    def known(self, tickets: Sequence[Ticket], rows: Vectors) -> Judgement:
        """Returns what is known without any labelled ticket. `rows` are the sentence vectors of the tickets."""
        shares = self._concept_shares(rows, tickets)
        total = self._weights.catalog * self._catalog_scores(rows)
        if self._signals.words:
            total += self._weights.words * self._word_scores(tickets)
        if self._routes is not None:
            total += SPREAD * np.log(shares @ self._routes.T + _LEAST_SHARE)
        return Judgement(total, shares)

    def gain(self, rows: Vectors, tickets: Sequence[Ticket], examples: Examples) -> NDArray[np.float64]:
        """Returns what corrected and confirmed tickets add to the scores; `rows` are the vectors of the tickets."""
        decided = [examples.decided_like(ticket) for ticket in tickets]
        return self._weights.decided * decided_scores(rows, decided, self._place_of)

    def is_specific(self, ticket: Ticket, shares: NDArray[np.float64]) -> bool:
        """Returns whether a ticket has more than a few words, or a word that a concept or an entry is known by.

        `shares` is the probability of each concept.
        """
        text = f"{ticket.short_description} {ticket.long_description}".strip()
        if len(text.split()) > _FEW_WORDS or len(text) > _FEW_CHARACTERS:
            return True
        likeliest = int(shares.argmax())
        means_something = shares[likeliest] >= _SPECIFIC and self._bank.concepts[likeliest].name != GENERAL
        return means_something or any(word in self._words for word in whole_words(_features_of(text, "")))

    def evidence(self, ticket: Ticket, place: int, shares: NDArray[np.float64]) -> list[str]:
        """Returns words of the ticket that are evidence for the entry at `place`, by the catalog or by the bank.

        `shares` is the probability of each concept.
        """
        shared = self._words.shared(_features_of(*_texts_of(ticket)), place)
        words = whole_words(sorted(shared, key=lambda feature: -shared[feature]))
        telling: list[str] = []
        if self._routes is not None:
            # The concept that contributes most to the score of the entry.
            concept = int((shares * self._routes[place]).argmax())
            text = f"{ticket.short_description} {ticket.long_description[:_MAX_EVIDENCE]}"
            telling = self._model.telling_words(text, concept)
        by_plain = {plain(word): word for word in [*words, *telling]}
        return list(by_plain.values())[:_WORDS_SHOWN]

    def _concept_shares(self, rows: Vectors, tickets: Sequence[Ticket]) -> Shares:
        if not self._signals.pieces:
            return self._model.meaning.shares(rows)
        return self._model.of_tickets(rows, list(map(_texts_of, tickets)))

    def _catalog_scores(self, rows: Vectors) -> NDArray[np.float64]:
        """Returns the similarity of each ticket to the most similar text of each entry.

        With the bank, the name of a catch-all entry carries no meaning, so that it gets the average of the others.
        """
        likeness = rows @ self._text_rows.T
        scores = np.full((len(rows), len(self._entries)), np.nan)
        for column, (place, _) in enumerate(self._texts):
            scores[:, place] = np.fmax(scores[:, place], likeness[:, column])
        for place, entry in enumerate(self._entries):
            if is_catch_all(entry.name) and not _own_texts(entry):
                scores[:, place] = np.nan if self.uses_bank else scores[:, place] * _CATCH_ALL_WEIGHT
        known = np.nan_to_num(scores, nan=0.0)
        average = known.sum(axis=1, keepdims=True) / np.maximum((~np.isnan(scores)).sum(axis=1, keepdims=True), 1)
        return np.where(np.isnan(scores), average, scores)

    def _word_scores(self, tickets: Sequence[Ticket]) -> NDArray[np.float64]:
        scores = np.zeros((len(tickets), len(self._entries)))
        for row, ticket in zip(scores, tickets, strict=True):
            cosines = self._words.cosines(_features_of(*_texts_of(ticket)))
            row[list(cosines.keys())] = list(cosines.values())
        return scores * [_CATCH_ALL_WEIGHT if is_catch_all(entry.name) else 1.0 for entry in self._entries]


def ticket_vectors(tickets: Sequence[Ticket]) -> Vectors:
    """Returns the sentence vectors of the tickets, a row each."""
    return vectors([meaning_text(ticket.short_description, ticket.long_description) for ticket in tickets])


def _features_of(title: str, body: str) -> Bag:
    return features(texts_of_ticket(title, body))


def _texts_of(ticket: Ticket) -> tuple[str, str]:
    return ticket.short_description, ticket.long_description[:_MAX_WORDS]


def texts_by_entry(entries: Sequence[RequestType]) -> list[tuple[int, str]]:
    """Returns the texts of each entry in the catalog with its position: its name first."""
    # With a question mark, the sentence model takes a name for something that a person says.
    return [
        (place, text)
        for place, entry in enumerate(entries)
        for text in (f"{bare_name(entry) or entry.name}?", *_own_texts(entry))
    ]


def _own_texts(entry: RequestType) -> list[str]:
    texts = (entry.description, ", ".join(entry.keywords), *entry.examples)
    return [text for text in texts if text]
