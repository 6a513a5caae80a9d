"""Scores by tickets that a person decided: an entry gains if a ticket is almost the same as a decided one.

Only tickets that are very similar count. Among tickets about the same subject, which share half of their meaning, the
most similar one often has another request type, so that a few corrections would do more harm than good
(docs/explanation/quality.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ....domain.catalog import RequestType
from ....domain.examples import Example
from .sentence_vectors import Vectors, vectors
from .ticket_text import meaning_text

_NEAR = 0.7
"""The cosine of two sentence vectors from which on a decided ticket counts. Each 0.01 above it adds the same."""

_KEPT = 5_000
"""How many sentence vectors of decided tickets are kept, which takes 10 MB."""


def decided_scores(
    rows: Vectors, decided: Sequence[Sequence[Example]], place_of: Mapping[RequestType, int]
) -> NDArray[np.float64]:
    """Returns a row for each ticket, with 0 to 1 for each entry: 1 if a decided ticket has the same text.

    `rows` are the sentence vectors of the tickets, `decided` the decided tickets that are like each of them.
    """
    scores = np.zeros((len(rows), len(place_of)))
    for row, examples, found in zip(rows, decided, scores, strict=True):
        for example in examples:
            cosine = float(row @ _vector(meaning_text(*example.texts)))
            place = place_of[example.entry]
            found[place] = max(found[place], (cosine - _NEAR) / (1 - _NEAR))
    return scores


@lru_cache(maxsize=_KEPT)
def _vector(text: str) -> Vectors:
    kept: Vectors = vectors([text])[0]
    return kept
