"""Routes: which entries of a catalog get the tickets of each concept of the bank.

A concept is routed to the entries whose names mean it. If no entry is made for it, it is routed to the catch-all
entry of the most similar category, to a wider entry of its group, or to the general entry. So "Other …" entries get
what remains, and attract no tickets by their names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ....domain.catalog import RequestType
from ....domain.catch_all import bare_name, catch_all_entry, is_catch_all
from .concept_bank import GENERAL, ConceptBank
from .concept_model import ConceptModel, Shares
from .sentence_vectors import kept_vectors

_MEANT = 0.2
"""From this probability of its name on, an entry counts as made for a concept."""

_AS_WELL = 0.5
"""Another entry shares the tickets of a concept from this part of the best entry's probability on."""

_MISSED = 0.05
"""The part of a concept's tickets that helpdesks file under "Other …" nevertheless."""

_PART = 0.8
"""The weight of a part of a name, compared with the whole name."""

_ABOUT_IT = 0.55
"""A name is about IT from this probability of its most likely concept on."""

_ENOUGH_MATCH = 0.5
"""The part of a catalog that must be about IT for the bank to be used."""

_SECOND_DOMAIN = 0.8
_WIDER = 0.55
_NEAR_ENOUGH = 0.3

_AND_OR = "or and und oder ou et o y e en of och ve veya lub или и".split()
_BETWEEN_PARTS = re.compile(rf"\s*(?:[,/()&;:]|\b(?:{'|'.join(_AND_OR)})\b)\s*", re.IGNORECASE)
_SHORTEST_PART = 3

Routes = NDArray[np.float64]
"""A row for each entry and a column for each concept: the part of the concept's tickets that the entry gets."""


def route(bank: ConceptBank, model: ConceptModel, entries: Sequence[RequestType]) -> Routes | None:
    """Returns the routes of a catalog, or None if it is not about IT."""
    meant = _meant(model, entries)
    specific = np.array([not is_catch_all(entry.name) for entry in entries], dtype=bool)
    if not specific.any() or (meant[specific].max(axis=1) >= _ABOUT_IT).mean() < _ENOUGH_MATCH:
        return None
    return _Router(bank, model, entries, np.where(specific[:, None], meant, 0.0)).routes()


def _meant(model: ConceptModel, entries: Sequence[RequestType]) -> Shares:
    """Returns the probability that each name means each concept: as a whole, with its category, and by its parts."""
    names = [bare_name(entry) or entry.name for entry in entries]
    alone = model.names.shares(kept_vectors(tuple(names)))
    within = model.names.shares(
        kept_vectors(tuple(f"{entry.category}: {name}" for entry, name in zip(entries, names, strict=True)))
    )
    meant = (alone + within) / 2
    for place, name in enumerate(names):
        if parts := _parts(name):
            meant[place] = np.maximum(meant[place], _PART * model.names.shares(kept_vectors(parts)).max(axis=0))
    return meant


def _parts(name: str) -> tuple[str, ...]:
    """Returns the parts of a name that lists several things: "Joiner, mover or leaver"."""
    parts = tuple(part for part in _BETWEEN_PARTS.split(name) if len(part) >= _SHORTEST_PART)
    return parts if len(parts) > 1 else ()


class _Router:
    """What does not depend on a concept is found once: a catalog can have thousands of entries."""

    def __init__(self, bank: ConceptBank, model: ConceptModel, entries: Sequence[RequestType], meant: Shares) -> None:
        self._bank = bank
        self._model = model
        self._entries = entries
        self._meant = meant
        self._general = catch_all_entry(entries)
        self._catch_all = [place for place, entry in enumerate(entries) if is_catch_all(entry.name)]
        self._places: dict[str, list[int]] = {}
        for place, entry in enumerate(entries):
            self._places.setdefault(entry.category, []).append(place)
        self._rests: dict[str, list[int]] = {}
        for place in self._catch_all:
            if place != self._general:
                self._rests.setdefault(entries[place].category, []).append(place)
        self._domains: dict[str, dict[str, float]] = {}
        groups = [concept.group for concept in bank.concepts]
        self._about_group = {group: _about(meant, [group == other for other in groups]) for group in set(groups)}

    def routes(self) -> Routes:
        columns = [self._column(concept) for concept in range(len(self._bank.concepts))]
        return np.stack(columns, axis=1)

    def _column(self, concept: int) -> NDArray[np.float64]:
        if self._bank.concepts[concept].name == GENERAL:
            return self._whole(self._places_of_general())
        strength = self._meant[:, concept]
        if strength.max() < _MEANT:
            return self._whole([self._rest(concept)])
        shares = np.where(strength >= _AS_WELL * strength.max(), strength, 0.0)
        shares = shares / shares.sum()
        category = self._entries[int(strength.argmax())].category
        missed = [place for place in self._catch_all if self._entries[place].category == category]
        shares[missed] += _MISSED
        return np.asarray(shares / shares.sum(), dtype=np.float64)

    def _whole(self, places: Sequence[int]) -> NDArray[np.float64]:
        """Returns a column that divides a concept equally among the entries at `places`."""
        column = np.zeros(len(self._entries))
        column[list(places)] = 1 / len(places)
        return column

    def _places_of_general(self) -> list[int]:
        if self._general is not None:
            return [self._general]
        return self._catch_all or list(range(len(self._entries)))

    def _rest(self, concept: int) -> int:
        """Returns the position of the entry for a concept that no entry is made for."""
        nearness = self._nearness(concept)
        best = int(np.argmax(nearness))
        return self._general if self._general is not None and nearness[best] < _NEAR_ENOUGH else best

    def _nearness(self, concept: int) -> NDArray[np.float64]:
        """Returns how well each entry suits: a catch-all by its category, others by the group of the concept."""
        about = self._about_group[self._bank.concepts[concept].group]
        nearness = np.asarray(_WIDER * about + self._meant[:, concept], dtype=np.float64)
        for category, rests in self._rests.items():
            # If the category has a catch-all entry, that gets the tickets.
            others = [place for place in self._places[category] if place not in rests]
            nearness[self._places[category]] = 0.0
            average = sum(about[others].tolist()) / len(others) if others else 0.0
            nearness[rests] = self._includes(category, concept) + average
        if self._general is not None:
            nearness[self._general] = 0.0
        return nearness

    def _includes(self, category: str, concept: int) -> float:
        """Returns the probability that the name of a category is about a domain of the concept."""
        by_name = self._domains_of(category)
        first, *others = (by_name.get(domain, 0.0) for domain in self._bank.concepts[concept].domains)
        return float(max([first, *(_SECOND_DOMAIN * other for other in others)]))

    def _domains_of(self, category: str) -> dict[str, float]:
        """Returns the probability of each domain of the bank for the name of a category."""
        if category not in self._domains:
            (shares,) = self._model.domains.shares(kept_vectors((category,)))
            names = (domain.name for domain in self._bank.domains)
            self._domains[category] = dict(zip(names, shares.tolist(), strict=True))
        return self._domains[category]


def _about(meant: Shares, columns: Sequence[bool]) -> NDArray[np.float64]:
    """Returns the probability that each name means one of the concepts in `columns`."""
    return np.asarray(np.minimum(np.ascontiguousarray(meant[:, np.array(columns)]).sum(axis=1), 1.0), dtype=np.float64)
