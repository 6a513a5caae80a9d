"""What the classifier learns from in a ticket: its sentence vector, and its words and their pieces as a short vector.

The features of a ticket depend on its own text alone. So they can be computed part by part over a long history, and
are the same in every history.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ....domain.ticket import Ticket
from .concept_model import concept_model
from .plain_text import plain
from .sentence_vectors import DIMENSIONS, Vectors, vectors
from .ticket_text import meaning_text, without_pictures
from .word_pieces import PLACES, counted

WORD_DIMENSIONS = 1024
"""The length of the vector of words. Products of such vectors are those of the bags of words, give or take 0.03."""

_LONGEST_BODY = 2_000
_WORD = re.compile(r"\w+")
_SIGN_BIT = 20

Places: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Features:
    """A row for each ticket, all of length 1: `meaning` has `DIMENSIONS` columns, `words` `WORD_DIMENSIONS`.

    Many rows may be kept as numbers of 16 bits, and are computed with as numbers of 32 bits.
    """

    meaning: Vectors | NDArray[np.float16]
    words: Vectors | NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.meaning)

    def part(self, rows: Sequence[int] | NDArray[np.int64] | slice) -> Features:
        """Returns these rows, in this order."""
        return Features(self.meaning[rows], self.words[rows])


def features_of(tickets: Sequence[Ticket]) -> Features:
    """Returns the features of tickets, in their order."""
    shown = [without_pictures(ticket) for ticket in tickets]
    return features_of_texts([ticket.texts for ticket in shown])


def features_of_texts(texts: Sequence[tuple[str, str]]) -> Features:
    """Returns the features of titles and bodies, in their order. The body may be empty."""
    return Features(vectors([meaning_text(*text) for text in texts]), word_vectors(texts))


def word_vectors(texts: Sequence[tuple[str, str]]) -> Vectors:
    """Returns the vector of the words of each text; it is zero for a text without words."""
    rows = np.zeros((len(texts), WORD_DIMENSIONS), dtype=np.float32)
    for row, (title, body) in zip(rows, texts, strict=True):
        words = _WORD.findall(plain(f"{title} {body[:_LONGEST_BODY]}"))
        row[:] = _length_one(_length_one(_pieces(words)) + _length_one(_words_and_pairs(words)))
    return rows


def joined(parts: Sequence[Features]) -> Features:
    """Returns the rows of all parts, one part after the other."""
    nothing = Features(np.zeros((0, DIMENSIONS), np.float16), np.zeros((0, WORD_DIMENSIONS), np.float16))
    all_parts = [nothing, *parts]
    return Features(
        np.concatenate([part.meaning for part in all_parts]), np.concatenate([part.words for part in all_parts])
    )


def _pieces(words: Sequence[str]) -> NDArray[np.float64]:
    """Returns the pieces of words, rare ones with more weight: the bank of concepts knows which are rare."""
    places, counts = counted(words)
    columns, signs = _directions()
    weights = signs[places] * counts * concept_model().rarity[places]
    return np.asarray(np.bincount(columns[places], weights=weights, minlength=WORD_DIMENSIONS), dtype=np.float64)


def _words_and_pairs(words: Sequence[str]) -> NDArray[np.float64]:
    """Returns the words and the pairs of neighbouring words."""
    row = np.zeros(WORD_DIMENSIONS)
    for word in [*words, *(f"{one} {next_one}" for one, next_one in pairwise(words))]:
        hashed = zlib.crc32(word.encode("utf-8", "replace"))
        row[hashed % WORD_DIMENSIONS] += 1.0 if (hashed >> _SIGN_BIT) & 1 else -1.0
    return row


@lru_cache(maxsize=1)
def _directions() -> tuple[Places, Places]:
    """Returns for each bucket of word pieces the column that it is added to, and its sign.

    Signs make sums of unrelated pieces cancel out. Both come from a hash, so that they never change.
    """
    hashed = np.array([zlib.crc32(place.to_bytes(4, "little")) for place in range(PLACES)], dtype=np.int64)
    return hashed % WORD_DIMENSIONS, ((hashed >> _SIGN_BIT) & 1) * 2 - 1


def _length_one(row: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.sqrt((row * row).sum()))
    return row / length if length else row
