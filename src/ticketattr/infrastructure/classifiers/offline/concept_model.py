"""The probability that tickets, and names of a catalog, are about each concept of the bank.

Two linear models classify a ticket, one by its sentence vector and one by the pieces of its words, and their
probabilities are multiplied. The first works across languages and wordings, the second knows products and terms. Names
are classified by their sentence vector alone. `training.py` trains all models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .concept_bank import MODEL
from .plain_text import plain
from .sentence_vectors import Vectors
from .word_pieces import PLACES, counted, text_of, words_of

Shares = NDArray[np.float64]
"""Probabilities: a row for each text and a column for each class. Each row adds up to 1."""

_MEANING, _PIECES = 0.45, 0.55
_LEAST = 1e-9
_SAYS_LITTLE = 0.3
_LONGEST_SHOWN = 30
_SIGNS = ".,;:!?()[]{}<>\"'«»„“”…-*"


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear model: a row of weights for each class, and the intercepts."""

    weights: NDArray[np.float32]
    start: NDArray[np.float32]

    def shares(self, rows: Vectors) -> Shares:
        """Returns the probability of each class for each of the vectors."""
        return _softmax(rows.astype(np.float64) @ self.weights.T.astype(np.float64) + self.start)


@dataclass(frozen=True, slots=True)
class ConceptModel:
    """`rarity` is the weight of each bucket of word pieces. `digest` is that of the training data."""

    meaning: Linear
    names: Linear
    domains: Linear
    pieces: Linear
    rarity: NDArray[np.float32]
    digest: str

    def of_tickets(self, rows: Vectors, texts: Sequence[tuple[str, str]]) -> Shares:
        """Returns the probability of each concept. `texts` are titles and bodies, `rows` their sentence vectors."""
        by_meaning = np.log(self.meaning.shares(rows) + _LEAST)
        by_pieces = np.log(self.by_pieces(texts) + _LEAST)
        return _softmax(_MEANING * by_meaning + _PIECES * by_pieces)

    def by_pieces(self, texts: Sequence[tuple[str, str]]) -> Shares:
        """Returns the probability of each concept by the pieces of words alone."""
        scores = [self.pieces.start + self._scores(words_of(text_of(*text))) for text in texts]
        return _softmax(np.array(scores, dtype=np.float64).reshape(len(texts), len(self.pieces.start)))

    def telling_words(self, text: str, concept: int) -> list[str]:
        """Returns the words of `text` that are evidence for a concept, as they are written, the strongest first.

        Leaves out words that are much weaker than the first. Finds none in scripts without spaces between words.
        """
        leads: dict[str, float] = {}
        for token in dict.fromkeys(words_of(text)):
            scores = self._scores([plain(token)])
            word = token.strip(_SIGNS)
            if 0 < len(word) <= _LONGEST_SHOWN:
                leads[word] = float(scores[concept] - np.delete(scores, concept).max())
        least = _SAYS_LITTLE * max(leads.values(), default=0.0)
        return sorted((word for word in leads if leads[word] > max(least, 0.0)), key=lambda word: -leads[word])

    def _scores(self, words: Sequence[str]) -> NDArray[np.float64]:
        places, counts = counted(words)
        weights = counts * self.rarity[places]
        length = np.sqrt((weights * weights).sum()) or 1.0
        return np.asarray(self.pieces.weights[:, places] @ (weights / length), dtype=np.float64)


@lru_cache(maxsize=1)
def concept_model() -> ConceptModel:
    """Returns the model of the package."""
    with np.load(MODEL) as stored:
        weights = stored["pieces"].astype(np.float32) * stored["pieces_scale"].astype(np.float32)[:, None]
        return ConceptModel(
            meaning=_linear(stored["meaning"]),
            names=_linear(stored["names"]),
            domains=_linear(stored["domains"]),
            pieces=Linear(weights.reshape(-1, PLACES), stored["pieces_start"].astype(np.float32)),
            rarity=stored["rarity"].astype(np.float32),
            digest=str(stored["digest"]),
        )


def _linear(stored: NDArray[np.float16]) -> Linear:
    """The last column of `stored` has the intercepts."""
    return Linear(stored[:, :-1].astype(np.float32), stored[:, -1].astype(np.float32))


def _softmax(scores: NDArray[np.float64]) -> Shares:
    weights = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float64)
