"""Words in common between a ticket and other texts: the entries of a catalog, labelled tickets.

Each of those is a bag of words, and of pieces of words, which survive typing errors and inflection. A feature that
many of them share weighs little (inverse document frequency).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ....domain.catalog import RequestType
from ....domain.catch_all import bare_name
from .plain_text import plain

_WORD = re.compile(r"\w\w+")
_PIECE = 4
_PIECE_WEIGHT = 0.5

# Words that say nothing about what a ticket is about, in the languages that queues are most often written in.
_STOP_WORDS = frozenset(
    """
    an and are as at be by can for from has have if in is it its me my no not of on or please so that the their
    there this to was we with you your  der die das und ist ich nicht mein auf ein eine  el la los un una que mi en
    """.split()
)

Vector: TypeAlias = dict[str, float]
WeightedTexts: TypeAlias = Sequence[tuple[str, float]]


class WordIndex:
    """Texts with weights, each group of them a vector of length 1."""

    def __init__(self, groups: Sequence[WeightedTexts]) -> None:
        bags = list(map(_features, groups))
        spread = Counter(feature for bag in bags for feature in bag)
        self._weights = {feature: math.log(1 + len(bags) / count) for feature, count in spread.items()}
        self._unknown_weight = math.log(1 + len(bags)) / 2
        self._vectors = list(map(self._vector, bags))

    def shared(self, title: str, body: str) -> list[Vector]:
        """For each group, what a ticket has in common with it; the values sum up to the cosine."""
        asked = self._vector(_features(texts_of_ticket(title, body)))
        return [
            {feature: weight * vector[feature] for feature, weight in asked.items() if feature in vector}
            for vector in self._vectors
        ]

    def _vector(self, features: Mapping[str, float]) -> Vector:
        """What no group has counts too: a ticket about something else is near to none."""
        vector = {
            feature: (1 + math.log(count) if count > 1 else count) * self._weights.get(feature, self._unknown_weight)
            for feature, count in features.items()
        }
        length = math.sqrt(sum(weight * weight for weight in vector.values()))
        return {feature: weight / length for feature, weight in vector.items()}


def whole_words(shared: Mapping[str, float]) -> list[str]:
    """Those in common that are words, the weightiest first."""
    return [feature for feature in sorted(shared, key=lambda feature: -shared[feature]) if feature[0] != "~"]


def texts_of_ticket(title: str, body: str) -> WeightedTexts:
    return [(title, 2.0), (body, 1.0)]


def texts_of_entry(entry: RequestType) -> WeightedTexts:
    return [
        (bare_name(entry), 1.0),
        (entry.category, 0.5),
        *((keyword, 1.0) for keyword in entry.keywords),
        (entry.description, 0.5),
        *((example, 0.5) for example in entry.examples),
    ]


def _features(texts: WeightedTexts) -> dict[str, float]:
    """Words, and behind a `~` the pieces of words, each with the weight of the texts that it stands in."""
    features: dict[str, float] = {}
    for text, weight in texts:
        for word in _WORD.findall(plain(text)):
            if word in _STOP_WORDS:
                continue
            features[word] = features.get(word, 0.0) + weight
            padded = f" {word} "
            for start in range(len(padded) - _PIECE + 1):
                piece = "~" + padded[start : start + _PIECE]
                features[piece] = features.get(piece, 0.0) + weight * _PIECE_WEIGHT
    return features
