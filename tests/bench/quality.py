"""Measures what each signal of the embedded classifier adds: `python -m tests.bench.quality GOLD CATALOG`.

Prints the accuracy of the pair with its interval. The last line is cross-validated: a classifier that has learned from
four fifths of the gold set answers the remaining fifth.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.statistics import wilson_estimate
from ticketattr.infrastructure.catalog.source import YAMLCatalog
from ticketattr.infrastructure.classifiers.offline.ranking import Ranking, Signals
from ticketattr.infrastructure.classifiers.offline.teaching import taught
from ticketattr.infrastructure.evaluation.gold_files import GoldFile
from ticketattr.infrastructure.options import HTTPPolicy

FOLDS = 5


def main(gold_path: str, catalog_path: str) -> None:
    catalog = YAMLCatalog(catalog_path, HTTPPolicy()).fetch_catalog()
    gold = GoldFile.read(Path(gold_path)).tickets(catalog)
    names_only = Signals(bank=False, words=False)
    show("meaning of the names alone", right(gold, catalog, names_only), len(gold))
    show("+ words of the catalog", right(gold, catalog, Signals(bank=False)), len(gold))
    show("+ bank: meaning", right(gold, catalog, Signals(pieces=False)), len(gold))
    show("+ bank: pieces of words (as shipped)", right(gold, catalog, Signals()), len(gold))
    shown = sum(
        right(gold[fold::FOLDS], catalog, Signals(), [case for place, case in enumerate(gold) if place % FOLDS != fold])
        for fold in range(FOLDS)
    )
    show("+ examples of the desk", shown, len(gold))


def right(
    gold: Sequence[GoldTicket], catalog: ServiceCatalog, signals: Signals, examples: Sequence[GoldTicket] = ()
) -> int:
    known = Ranking(catalog, signals)
    scores = Ranking(catalog, signals, taught(known, examples)).judge([case.ticket for case in gold]).scores
    return sum(catalog.entries[best] == case.entry for best, case in zip(scores.argmax(axis=1), gold, strict=True))


def show(what: str, right: int, total: int) -> None:
    estimate = wilson_estimate(right, total)
    print(f"{what:40} {estimate.value:.3f}  ({estimate.low:.3f} to {estimate.high:.3f})")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
