"""The embedded classifier: sentence vectors, a bank of IT concepts, and words. It needs no network and no key.

`ranking.py` explains how entries are scored. The confidence is a probability: the softmax of the scores, mapped by a
curve that was fitted on labelled tickets (docs/explanation/quality.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ....domain.calibration import Calibration
from ....domain.catalog import RequestType, ServiceCatalog
from ....domain.catch_all import catch_all_entry
from ....domain.examples import NO_EXAMPLES, Example, Examples
from ....domain.gold import LabelledTickets, no_labelled_tickets
from ....domain.ticket import Attribution, Outcome, Ticket, Unattributed
from ....domain.usage import Bill
from .learned import Learned
from .learning import shares_of_best
from .ranking import Ranking
from .teaching import taught, taught_by_corrections
from .ticket_text import without_pictures

VERSION = 3
"""Increase it with every change that changes answers."""

# Fitted on the development sets. Those about IT are also used without their long descriptions, because their authors
# knew them when they wrote the bank, so that they are easier than new tickets.
SHIPPED_WITH_BANK = Calibration(slope=1.274732, offset=0.934669)
SHIPPED_WITHOUT_BANK = Calibration(slope=1.045195, offset=1.910921)

_TEXTS_PER_SECOND = 140
"""What a processor core answers: 120 to 165 of some 35 words were measured at 2.5 GHz."""

_ALTERNATIVES = 4
_FEWEST_LETTERS = 2

_NOTHING_NEAR = 0.15
"""A lower score means that an entry is similar by chance."""

_CLEAR = 0.6
"""From this confidence on, the best entry is taken even for a short text without a specific word."""

_VAGUE = 0.25
"""The highest confidence for a short text without a specific word."""


class LearnedModel(Protocol):
    """A model that was learned from the history of a helpdesk. `digest` is that of its content."""

    @property
    def digest(self) -> str: ...

    def fitting(self, catalog: ServiceCatalog) -> Learned:
        """Returns what was learned. Raises InputError if it was learned for another catalog."""


class OfflineClassifier:
    """`model` is what was learned from the history of the helpdesk for this catalog.

    `labelled` returns further labelled tickets for a catalog. The classifier learns from them, and from what people
    decided in reports, when it is asked for the first time.
    """

    batch_size = 500
    concurrency = 1
    bill = Bill(model="offline")

    def __init__(self, labelled: LabelledTickets = no_labelled_tickets, model: LearnedModel | None = None) -> None:
        self._labelled = labelled
        self._model = model
        self._known: tuple[ServiceCatalog, Ranking] | None = None
        self._last: tuple[Ranking, Sequence[Example], Ranking] | None = None

    def fingerprint(self, catalog: ServiceCatalog) -> str:
        entries = [asdict(entry) for entry in catalog.entries]
        examples = [asdict(gold) for gold in self._labelled(catalog)]
        model = [self._model.digest] if self._model else []
        content = json.dumps(["offline", VERSION, entries, examples, *model], ensure_ascii=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def estimate(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES) -> Bill:
        return Bill(seconds=len(tickets) / _TEXTS_PER_SECOND)

    async def __aenter__(self) -> OfflineClassifier:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def choose(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES
    ) -> list[Outcome]:
        if not tickets:
            return []
        ranking = self._ranking(catalog, examples)
        tickets = [without_pictures(ticket) for ticket in tickets]
        judgement = ranking.judge(tickets, examples)
        rows = zip(tickets, judgement.scores, judgement.shares, strict=True)
        general = catch_all_entry(catalog.entries)
        return [_outcome(ticket, scores, shares, catalog.entries, general, ranking) for ticket, scores, shares in rows]

    def _ranking(self, catalog: ServiceCatalog, examples: Examples) -> Ranking:
        """Keeps the ranking of the last catalog and the last decisions, because every batch of a run needs it."""
        before, decided = self._before_decisions(catalog), examples.decided
        if self._last is None or self._last[0] is not before or self._last[1] != decided:
            learned = taught_by_corrections(before, decided, before.learned)
            self._last = (before, decided, Ranking(catalog, learned=learned) if decided else before)
        return self._last[2]

    def _before_decisions(self, catalog: ServiceCatalog) -> Ranking:
        """Returns the ranking by model and labelled tickets, without what people decided in reports."""
        if self._known is None or self._known[0] is not catalog:
            model = self._model.fitting(catalog) if self._model else None
            learned = taught(Ranking(catalog), self._labelled(catalog), model)
            self._known = (catalog, Ranking(catalog, learned=learned))
        return self._known[1]


def _outcome(
    ticket: Ticket,
    scores: NDArray[np.float64],
    shares: NDArray[np.float64],
    entries: Sequence[RequestType],
    general: int | None,
    ranking: Ranking,
) -> Outcome:
    """`scores` are those of the entries. `shares` is the probability of each concept of the bank.

    `general` is the position of the entry for everything, if there is one.
    """
    if _letters(ticket) < _FEWEST_LETTERS:
        return _without_text(entries, general)
    # Of entries with equal scores, the first in the catalog comes first.
    ranked: list[int] = np.argsort(-scores, kind="stable").tolist()
    confidence = _calibration(ranking).probability(float(shares_of_best(scores[None, :])[0]))
    is_vague = not ranking.is_specific(ticket, shares)
    if general is None and is_vague and scores.max() < _NOTHING_NEAR:
        return Unattributed("no_match", "the text of the ticket is too short")
    if general is not None and is_vague and (ranked[0] == general or confidence < _CLEAR):
        ranked = [general, *(place for place in ranked if place != general)]
        confidence = min(confidence, _VAGUE)
    return Attribution(
        entries[ranked[0]],
        source="offline",
        confidence=confidence,
        evidence=", ".join(ranking.evidence(ticket, ranked[0], shares)),
        alternatives=tuple(entries[place] for place in ranked[1 : 1 + _ALTERNATIVES]),
    )


def _calibration(ranking: Ranking) -> Calibration:
    """Returns the map of the confidence that was fitted on labelled tickets of the helpdesk, or the shipped one."""
    if ranking.learned and ranking.learned.mix.calibration:
        return ranking.learned.mix.calibration
    return SHIPPED_WITH_BANK if ranking.uses_bank else SHIPPED_WITHOUT_BANK


def _letters(ticket: Ticket) -> int:
    return sum(map(str.isalnum, ticket.short_description + ticket.long_description))


def _without_text(entries: Sequence[RequestType], general: int | None) -> Outcome:
    reason = "the ticket has no text"
    if general is None:
        return Unattributed("no_match", reason)
    return Attribution(entries[general], source="offline", confidence=0.0, evidence=reason)
