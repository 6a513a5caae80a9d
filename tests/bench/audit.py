"""Measures how many wrong labels an audit finds: `python -m tests.bench.audit HISTORY CATALOG [LIMIT]`.

Every fifth label is replaced by another one at random. LIMIT: use that many tickets.
"""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path

from ticketattr.application.ports import NO_PROGRESS
from ticketattr.domain.label_audit import audit
from ticketattr.infrastructure.catalog.source import YAMLCatalog
from ticketattr.infrastructure.classifiers.offline.teaching import guess_labels
from ticketattr.infrastructure.evaluation.gold_files import GoldFile
from ticketattr.infrastructure.options import HTTPPolicy

SEED, PART = 7, 5


def main(history_path: str, catalog_path: str, limit: str = "0") -> None:
    catalog = YAMLCatalog(catalog_path, HTTPPolicy()).fetch_catalog()
    gold = GoldFile.read(Path(history_path)).tickets(catalog)
    chance = random.Random(SEED)  # noqa: S311  # the same each time
    gold = chance.sample(gold, int(limit) or len(gold))
    wrong = set(chance.sample(range(len(gold)), len(gold) // PART))
    history = [
        replace(one, entry=chance.choice([entry for entry in catalog.entries if entry != one.entry]))
        if row in wrong
        else one
        for row, one in enumerate(gold)
    ]
    guesses = guess_labels(history, catalog, NO_PROGRESS)
    labels = audit(history, catalog, guesses, [None] * len(history)).labels
    first = sum(label.row in wrong for label in labels[: len(history) // PART])
    listed = [label for label in labels if label.row in wrong]
    right = sum(label.suggested == gold[label.row].entry for label in listed)
    print(
        f"{len(history):,} tickets, {len(wrong):,} wrong labels: {first / len(wrong):.3f} in the first fifth, "
        f"{len(listed) / len(wrong):.3f} of them among {len(labels):,} listed, {right / len(wrong):.3f} rightly named"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
