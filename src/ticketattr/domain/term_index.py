"""Similarity of texts as bags of weighted terms: the cosine, in which rare terms count most."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

Bag: TypeAlias = Mapping[str, float]
"""How much each term of a text counts. Sums depend on the order of the terms, so it must be the same every time."""

Rarity: TypeAlias = Callable[[int, int], float]
"""The weight of a term, from the number of bags in the index and the number of those that have the term (0, too)."""


class TermIndex:
    """An index of bags, for any number of queries. Bags are known by their position in `bags`."""

    def __init__(self, bags: Sequence[Bag], rarity: Rarity) -> None:
        spread = Counter(term for bag in bags for term in bag)
        self._rarity = {term: rarity(len(bags), count) for term, count in spread.items()}
        self._unknown_rarity = rarity(len(bags), 0)
        self._bags_with: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for position, bag in enumerate(bags):
            for term, weight in self._normalized(bag).items():
                self._bags_with[term].append((position, weight))

    def __contains__(self, term: str) -> bool:
        return term in self._rarity

    def cosines(self, query: Bag) -> dict[int, float]:
        """Returns the cosine, from 0 to 1, of each bag that shares a term with `query`, by position."""
        cosines: defaultdict[int, float] = defaultdict(float)
        for term, weight in self._normalized(query).items():
            for position, other in self._bags_with.get(term, ()):
                cosines[position] += weight * other
        return cosines

    def shared(self, query: Bag, position: int) -> dict[str, float]:
        """Returns the terms that `query` shares with one bag, each with its part of their cosine."""
        return {
            term: weight * other
            for term, weight in self._normalized(query).items()
            for found, other in self._bags_with.get(term, ())
            if found == position
        }

    def _normalized(self, bag: Bag) -> dict[str, float]:
        """Returns the bag as a vector of length 1. Terms that no bag of the index has count, too."""
        vector = {
            term: (1 + math.log(count) if count > 1 else count) * self._rarity.get(term, self._unknown_rarity)
            for term, count in bag.items()
        }
        length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
        return {term: weight / length for term, weight in vector.items()}
