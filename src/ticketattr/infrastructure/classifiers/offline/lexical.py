"""Tickets and entries of a catalog as bags of words, and of pieces of words, for the index of their terms.

Pieces of words match in spite of typing errors and inflection.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from ....domain.catalog import RequestType
from ....domain.catch_all import bare_name
from ....domain.term_index import Bag
from .plain_text import plain

_WORD = re.compile(r"\w\w+")
_PIECE = 4
_PIECE_WEIGHT = 0.5

# Words without meaning of their own, in the languages that queues are most often written in.
_STOP_WORDS = frozenset(
    """
    an and are as at be by can for from has have if in is it its me my no not of on or please so that the their
    there this to was we with you your  der die das und ist ich nicht mein auf ein eine  el la los un una que mi en
    """.split()
)

WeightedTexts: TypeAlias = Sequence[tuple[str, float]]


def rarity(texts: int, texts_with_it: int) -> float:
    """Returns the weight of a feature for TermIndex. A feature that no text has gets a medium weight."""
    return math.log(1 + texts / texts_with_it) if texts_with_it else math.log(1 + texts) / 2


def whole_words(features: Iterable[str]) -> list[str]:
    """Returns the features that are words, in their order."""
    return [feature for feature in features if not feature.startswith("~")]


def texts_of_ticket(title: str, body: str) -> WeightedTexts:
    """Returns the texts of a ticket. The title counts twice."""
    return [(title, 2.0), (body, 1.0)]


def texts_of_entry(entry: RequestType) -> WeightedTexts:
    """Returns the texts of an entry, with a weight for each."""
    return [
        (bare_name(entry), 1.0),
        (entry.category, 0.5),
        *((keyword, 1.0) for keyword in entry.keywords),
        (entry.description, 0.5),
        *((example, 0.5) for example in entry.examples),
    ]


def features(texts: WeightedTexts) -> Bag:
    """Returns words, and behind a `~` the pieces of words, each with the weight of the texts that have it."""
    bag: dict[str, float] = {}
    for text, weight in texts:
        for word in _WORD.findall(plain(text)):
            if word in _STOP_WORDS:
                continue
            bag[word] = bag.get(word, 0.0) + weight
            padded = f" {word} "
            for start in range(len(padded) - _PIECE + 1):
                piece = "~" + padded[start : start + _PIECE]
                bag[piece] = bag.get(piece, 0.0) + weight * _PIECE_WEIGHT
    return bag
