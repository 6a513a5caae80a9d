"""The embedded classifier: the meaning of sentences, a bank of IT concepts, and words. No network, no key.

How entries are scored is told in `ranking.py`. The confidence is a probability: the share of the best entry among
all of them, mapped by a curve that was fitted on labelled tickets (docs/quality.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from ....domain.calibration import Calibration
from ....domain.catalog import RequestType, ServiceCatalog
from ....domain.catch_all import catch_all_entry
from ....domain.examples import NO_EXAMPLES, Examples
from ....domain.gold import LabelledTickets, no_labelled_tickets
from ....domain.ticket import Attribution, Outcome, Ticket, Unattributed
from ....domain.usage import Bill
from .ranking import SPREAD, Ranking

VERSION = 2
"""Raised with every change that changes answers."""

# Fitted on the development sets; those about IT also without their long descriptions, since they were seen when
# the bank was written and are easier than what comes.
SHIPPED_WITH_BANK = Calibration(slope=1.274732, offset=0.934669)
SHIPPED_WITHOUT_BANK = Calibration(slope=1.045195, offset=1.910921)

_ALTERNATIVES = 4
_FEWEST_LETTERS = 2

_NOTHING_NEAR = 0.15
"""Below this score an entry is near by chance."""

_CLEAR = 0.6
"""From this confidence on, even a few words without a telling one are taken for what they seem to be."""

_VAGUE = 0.25
"""The most that an answer to a few words without a telling one can be sure of."""


class OfflineClassifier:
    """`examples` are labelled tickets of the desk, which count as evidence."""

    batch_size = 500
    concurrency = 1
    bill = Bill(model="offline")

    def __init__(self, examples: LabelledTickets = no_labelled_tickets) -> None:
        self._examples = examples
        self._last: tuple[ServiceCatalog, Ranking] | None = None

    def fingerprint(self, catalog: ServiceCatalog) -> str:
        entries = [asdict(entry) for entry in catalog.entries]
        examples = [asdict(gold) for gold in self._examples(catalog)]
        content = json.dumps(["offline", VERSION, entries, examples], ensure_ascii=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def estimate(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES) -> Bill:
        return Bill()

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
        ranking = self._ranking(catalog)
        judgement = ranking.judge(tickets)
        rows = zip(tickets, judgement.scores, judgement.shares, strict=True)
        return [_outcome(ticket, scores, shares, catalog.entries, ranking) for ticket, scores, shares in rows]

    def _ranking(self, catalog: ServiceCatalog) -> Ranking:
        """Kept, because every batch of a run needs it."""
        if self._last is None or self._last[0] is not catalog:
            self._last = (catalog, Ranking(catalog, self._examples(catalog)))
        return self._last[1]


def _share_of_best(scores: NDArray[np.float64]) -> float:
    """How likely the best of all entries is, as far as their scores say."""
    return float(1 / np.exp((scores - scores.max()) / SPREAD).sum())


def _outcome(
    ticket: Ticket,
    scores: NDArray[np.float64],
    shares: NDArray[np.float64],
    entries: Sequence[RequestType],
    ranking: Ranking,
) -> Outcome:
    """`scores` are those of the entries; `shares` say how much the ticket is about each concept of the bank."""
    general = catch_all_entry(entries)
    if _letters(ticket) < _FEWEST_LETTERS:
        return _nothing_said(entries, general)
    # Of equals, the first in the catalog.
    ranked: list[int] = np.argsort(-scores, kind="stable").tolist()
    shipped = SHIPPED_WITH_BANK if ranking.uses_bank else SHIPPED_WITHOUT_BANK
    confidence = shipped.probability(_share_of_best(scores))
    says_little = not ranking.is_telling(ticket, shares)
    if general is None and says_little and scores.max() < _NOTHING_NEAR:
        return Unattributed("no_match", "the ticket says too little")
    if general is not None and says_little and (ranked[0] == general or confidence < _CLEAR):
        ranked = [general, *(place for place in ranked if place != general)]
        confidence = min(confidence, _VAGUE)
    return Attribution(
        entries[ranked[0]],
        source="offline",
        confidence=confidence,
        evidence=", ".join(ranking.evidence(ticket, ranked[0], shares)),
        alternatives=tuple(entries[place] for place in ranked[1 : 1 + _ALTERNATIVES]),
    )


def _letters(ticket: Ticket) -> int:
    return sum(map(str.isalnum, ticket.short_description + ticket.long_description))


def _nothing_said(entries: Sequence[RequestType], general: int | None) -> Outcome:
    reason = "the ticket has no text to go by"
    if general is None:
        return Unattributed("no_match", reason)
    return Attribution(entries[general], source="offline", confidence=0.0, evidence=reason)
