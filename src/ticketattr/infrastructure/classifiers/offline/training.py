"""Trains the concept model from the bank: `python -m ticketattr.infrastructure.classifiers.offline.training`.

It needs scikit-learn (extra `dev`) and takes some minutes. Run it after every change of the bank. The program only
reads the result.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .concept_bank import FOLDER, MODEL, TEXTS, bank_digest, concept_bank
from .sentence_vectors import vectors
from .ticket_text import meaning_text
from .word_pieces import PLACES, counted, text_of, words_of

_MEANING_REGULARITY, _NAMES_REGULARITY, _PIECES_REGULARITY = 5.0, 10.0, 30.0
"""Inverse strengths of the regularization (C of scikit-learn), chosen on the development sets."""


def train() -> None:
    """Writes the model."""
    bank = concept_bank()
    rows = [json.loads(line) for line in (FOLDER / TEXTS).read_text(encoding="utf-8").splitlines()]
    texts = [(row["title"], row.get("body", "")) for row in rows]
    labels = [bank.place(row["concept"]) for row in rows]
    pieces, pieces_start, rarity = _learn_pieces(texts, labels)
    scale = np.abs(pieces).max(axis=1) / 127
    np.savez_compressed(
        MODEL,
        digest=np.array(bank_digest(FOLDER)),
        meaning=_learn_vectors([meaning_text(*text) for text in texts], labels, _MEANING_REGULARITY),
        names=_learn_names([concept.names for concept in bank.concepts]),
        domains=_learn_names([domain.names for domain in bank.domains]),
        pieces=np.round(pieces / scale[:, None]).astype(np.int8),
        pieces_scale=scale.astype(np.float32),
        pieces_start=pieces_start.astype(np.float32),
        rarity=rarity.astype(np.float16),
    )


def _learn_names(groups: Sequence[Sequence[str]]) -> NDArray[np.float16]:
    names = [name for group in groups for name in group]
    labels = [place for place, group in enumerate(groups) for _ in group]
    return _learn_vectors(names, labels, _NAMES_REGULARITY)


def _learn_vectors(texts: Sequence[str], labels: Sequence[int], regularity: float) -> NDArray[np.float16]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=regularity, max_iter=500).fit(vectors(texts), labels)
    return np.hstack([model.coef_, model.intercept_[:, None]]).astype(np.float16)


def _learn_pieces(
    texts: Sequence[tuple[str, str]], labels: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Returns the weights, the intercepts, and the inverse document frequency of each bucket."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import normalize

    bags = [counted(words_of(text_of(*text))) for text in texts]
    spread = np.bincount(np.concatenate([places for places, _ in bags]), minlength=PLACES)
    rarity = np.log((1 + len(bags)) / (1 + spread)) + 1
    ends = np.cumsum([0, *(len(places) for places, _ in bags)])
    places = np.concatenate([places for places, _ in bags])
    weights = np.concatenate([counts * rarity[places] for places, counts in bags])
    matrix = normalize(csr_matrix((weights, places, ends), shape=(len(bags), PLACES)))
    model = LogisticRegression(C=_PIECES_REGULARITY, max_iter=200).fit(matrix, labels)
    return model.coef_, model.intercept_, rarity


if __name__ == "__main__":
    train()
    sys.stderr.write(f"{MODEL.name}: {MODEL.stat().st_size:,} bytes\n")
