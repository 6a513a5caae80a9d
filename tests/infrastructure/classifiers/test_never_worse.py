"""What was learned never makes the embedded classifier worse than it is without, beyond chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.statistics import mcnemar_p
from ticketattr.infrastructure.catalog.source import YAMLCatalog
from ticketattr.infrastructure.classifiers.offline.ranking import Ranking
from ticketattr.infrastructure.classifiers.offline.teaching import taught
from ticketattr.infrastructure.evaluation.gold_files import GoldFile
from ticketattr.infrastructure.options import HTTPPolicy

from ...conftest import DATA

pytestmark = pytest.mark.usefixtures("sentences_are_encoded_once")

GOLD = DATA / "gold"
FOLDS = 5
SETS = {
    "others.jsonl": "catalog.yaml",
    "further.jsonl": "catalog.yaml",
    "works.jsonl": "works.yaml",
    "stadt.jsonl": "stadt.yaml",
}
DEVELOPMENT = {
    "development/trades.jsonl": "catalog.yaml",
    "development/insurer.jsonl": "development/insurer.yaml",
    "development/mairie.jsonl": "development/mairie.yaml",
}


def a_set(gold: str, catalog: str) -> tuple[ServiceCatalog, list[GoldTicket]]:
    entries = YAMLCatalog(str(GOLD / catalog), HTTPPolicy()).fetch_catalog()
    return entries, GoldFile.read(GOLD / gold).tickets(entries)


def lost_and_won(
    entries: ServiceCatalog, examples: Sequence[GoldTicket], asked: Sequence[GoldTicket]
) -> tuple[int, int]:
    """How many answers the examples turn from right to wrong, and from wrong to right."""
    known = Ranking(entries)
    learned = Ranking(entries, learned=taught(known, examples))
    tickets = [case.ticket for case in asked]
    labels = np.array([entries.entries.index(case.entry) for case in asked])
    without = known.judge(tickets).scores.argmax(axis=1) == labels
    with_it = learned.judge(tickets).scores.argmax(axis=1) == labels
    return int((without & ~with_it).sum()), int((with_it & ~without).sum())


@pytest.mark.thorough
@pytest.mark.parametrize(("gold", "catalog"), SETS.items())
def test_half_of_a_set_does_not_make_the_answers_about_the_other_half_worse(gold: str, catalog: str) -> None:
    entries, cases = a_set(gold, catalog)
    lost, won = lost_and_won(entries, cases[::2], cases[1::2])
    assert lost <= won or mcnemar_p(lost, won) > 0.05, (gold, lost, won)


@pytest.mark.learning
@pytest.mark.parametrize("each", [1, 3, 1_000])
@pytest.mark.parametrize(("gold", "catalog"), [*SETS.items(), *DEVELOPMENT.items()])
def test_few_or_all_examples_of_each_type_do_not_make_the_answers_of_a_cross_validation_worse(
    gold: str, catalog: str, each: int
) -> None:
    entries, cases = a_set(gold, catalog)
    results = []
    for fold in range(FOLDS):
        others = [case for place, case in enumerate(cases) if place % FOLDS != fold]
        results.append(lost_and_won(entries, first_of_each_type(others, each), cases[fold::FOLDS]))
    lost, won = map(sum, zip(*results, strict=True))
    print(f"{gold}, {each} of each type: {lost} lost, {won} won of {len(cases)}, p = {mcnemar_p(lost, won):.3f}")
    assert lost <= won or mcnemar_p(lost, won) > 0.05


def first_of_each_type(cases: Sequence[GoldTicket], each: int) -> list[GoldTicket]:
    counts: Counter[tuple[str, str]] = Counter()
    found = []
    for case in cases:
        counts[case.entry.pair] += 1
        if counts[case.entry.pair] <= each:
            found.append(case)
    return found
