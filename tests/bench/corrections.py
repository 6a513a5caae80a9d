"""Measures what corrections teach the embedded classifier: `python -m tests.bench.corrections GOLD CATALOG [LIMIT]`.

Prints the accuracy of the pair with 0, 5, 20 and 100 corrections, cross-validated: four fifths of the gold set are the
tickets of which some were corrected or confirmed, and the remaining fifth is answered. All is repeated with several
orders. In the second line, people correct first what the classifier has wrong. The third line counts the corrected
tickets that are right when they come again with other words. LIMIT: use that many tickets.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.correction import Correction
from ticketattr.domain.examples import Examples
from ticketattr.domain.gold import GoldTicket
from ticketattr.infrastructure.catalog.source import YAMLCatalog
from ticketattr.infrastructure.classifiers.offline.ranking import Ranking, ticket_vectors
from ticketattr.infrastructure.classifiers.offline.sentence_vectors import Vectors
from ticketattr.infrastructure.evaluation.gold_files import GoldFile
from ticketattr.infrastructure.options import HTTPPolicy

from ..fakes import a_correction

FOLDS, ORDERS, AMOUNTS = 5, 4, (0, 5, 20, 100)


def main(gold_path: str, catalog_path: str, limit: str = "0") -> None:
    catalog = YAMLCatalog(catalog_path, HTTPPolicy()).fetch_catalog()
    gold = GoldFile.read(Path(gold_path)).tickets(catalog)
    random.Random(0).shuffle(gold)  # noqa: S311  # an order that is the same each time
    judged = Judged.of(gold[: int(limit) or len(gold)], catalog)
    places = range(len(judged.gold))
    wrong = {place for place, right in zip(places, judged.right(places, ()), strict=True) if not right}
    for what, first in (("at random", set()), ("wrong ones first", wrong)):
        scores = [accuracy(judged, amount, first) for amount in AMOUNTS]
        print(f"{what:20}", "  ".join(f"{amount}: {score:.3f}" for amount, score in zip(AMOUNTS, scores, strict=True)))

    print(f"{'repeated':20} {repeated(judged, sorted(wrong))} of {len(wrong)}")


def repeated(judged: Judged, wrong: Sequence[int]) -> int:
    """How many of the tickets that were wrong are right when they come again, worded a little differently."""
    again = [_reworded(judged.gold[place]) for place in wrong]
    return sum(Judged.of(again, judged.catalog).right(range(len(again)), (), judged.corrections(wrong)))


def _reworded(case: GoldTicket) -> GoldTicket:
    """The ticket in lower case, without its last word, as an answer to a mail."""
    ticket = case.ticket
    short, long = f"re: {ticket.short_description.lower()}", " ".join(ticket.long_description.lower().split()[:-1])
    return replace(case, ticket=replace(ticket, short_description=short, long_description=long))


@dataclass
class Judged:
    """The gold tickets with their scores without corrections."""

    gold: Sequence[GoldTicket]
    catalog: ServiceCatalog
    ranking: Ranking
    rows: Vectors
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, gold: Sequence[GoldTicket], catalog: ServiceCatalog) -> Judged:
        ranking, tickets = Ranking(catalog), [case.ticket for case in gold]
        return cls(gold, catalog, ranking, ticket_vectors(tickets), ranking.judge(tickets).scores)

    def corrections(self, known: Sequence[int]) -> list[Correction]:
        return [
            a_correction(short, str(place), pair=self.gold[place].entry.pair, long=long)
            for place in known
            for short, long in [self.gold[place].ticket.texts]
        ]

    def right(self, asked: Sequence[int], known: Sequence[int], corrections: Sequence[Correction] = ()) -> list[bool]:
        """Whether each of the tickets `asked` gets its label when those that are `known` were corrected."""
        tickets = [self.gold[place].ticket for place in asked]
        examples = Examples([*self.corrections(known), *corrections], self.catalog)
        gain = self.ranking.gain(self.rows[asked], tickets, examples)
        best = np.round(self.scores[asked] + gain, 4).argmax(axis=1)
        return [self.catalog.entries[one] == self.gold[place].entry for one, place in zip(best, asked, strict=True)]


def accuracy(judged: Judged, amount: int, first: set[int]) -> float:
    right: list[bool] = []
    for order in range(ORDERS):
        places = range(len(judged.gold))
        shuffled = random.Random(order).sample(places, len(places))  # noqa: S311  # the same each time
        for fold in range(FOLDS):
            known = [place for number, place in enumerate(shuffled) if number % FOLDS != fold]
            known.sort(key=lambda place: place not in first)
            right += judged.right(shuffled[fold::FOLDS], known[:amount])
    return float(np.mean(right))


if __name__ == "__main__":
    main(*sys.argv[1:])
