"""Which entry of a catalog each concept of the bank leads to.

A concept leads to the entry whose name is most like its own names. One that no entry is made for leads to what
is left over: the "Other …" entry of its domain, or the general entry. So those are what remains, and attract
nothing by their names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ....domain.catalog import RequestType
from ....domain.left_over import bare_name, general_entry, is_left_over
from .concept_bank import ConceptBank
from .plain_text import plain
from .sentence_vectors import kept_vectors

_ALIKE = 0.55
"""From this likeness on, a concept and the name of an entry mean the same."""

_BEHIND = 0.25
"""An entry takes no concept that is so much less like it than another one is: it is made for that one."""

_SAME_WORDS = 0.2
"""How much more alike they are when the name holds words of the concept."""

_ENOUGH_MATCH = 0.5
"""The share of a catalog that must be about IT for the bank to be of use."""


def route(bank: ConceptBank, entries: Sequence[RequestType]) -> dict[int, int]:
    """The place of an entry by that of the concept; empty for a catalog that is not about IT.

    A concept that leads nowhere is left out.
    """
    likeness = _likeness(bank, entries)
    specific = [place for place, entry in enumerate(entries) if not is_left_over(entry.name)]
    matching = sum(likeness[place].max() >= _ALIKE for place in specific)
    if not specific or matching < _ENOUGH_MATCH * len(specific):
        return {}
    made_for = _made_for(likeness, specific)
    rest = _Rest(bank, entries, made_for, likeness)
    left_over = {concept: rest.entry(concept) for concept in rest.concepts}
    return made_for | {concept: place for concept, place in left_over.items() if place is not None}


def _made_for(likeness: NDArray[np.float64], specific: Sequence[int]) -> dict[int, int]:
    least = np.maximum(_ALIKE, likeness.max(axis=1, keepdims=True) - _BEHIND)
    claims = np.where(likeness >= least, likeness, 0.0)[list(specific)]
    claimed = np.flatnonzero(claims.any(axis=0)).tolist()
    return {concept: specific[int(claims[:, concept].argmax())] for concept in claimed}


class _Rest:
    """Where the concepts go that no entry is made for."""

    def __init__(
        self,
        bank: ConceptBank,
        entries: Sequence[RequestType],
        made_for: Mapping[int, int],
        likeness: NDArray[np.float64],
    ) -> None:
        self.concepts = [concept for concept in range(len(bank.concepts)) if concept not in made_for]
        self._bank = bank
        self._general = general_entry(entries)
        self._by_domain: dict[str, int] = {}
        for place, entry in enumerate(entries):
            if is_left_over(entry.name) and place != self._general:
                neighbours = [c for c, other in made_for.items() if entries[other].category == entry.category]
                domain = _domain(bank, neighbours) or bank.concepts[int(likeness[place].argmax())].domain
                self._by_domain.setdefault(domain, place)

    def entry(self, concept: int) -> int | None:
        return self._by_domain.get(self._bank.concepts[concept].domain, self._general)


def _domain(bank: ConceptBank, concepts: Sequence[int]) -> str:
    """The one that most of them belong to; empty when there are none."""
    counts = Counter(bank.concepts[concept].domain for concept in concepts)
    return counts.most_common(1)[0][0] if counts else ""


def _likeness(bank: ConceptBank, entries: Sequence[RequestType]) -> NDArray[np.float64]:
    names = [bare_name(entry) for entry in entries]
    likeness = bank.likeness_of_names(kept_vectors(tuple(names)))
    same = [[bool(concept.pattern.search(plain(name))) for concept in bank.concepts] for name in names]
    return likeness + _SAME_WORDS * np.array(same, dtype=np.float64)
