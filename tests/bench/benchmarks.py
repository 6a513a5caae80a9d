"""Measures the embedded classifier by the protocol of published benchmarks.

    python -m tests.bench.benchmarks HISTORY CATALOG EACH [TEST]

HISTORY is the training set of a benchmark, and TEST its test set, as labelled tickets (`.jsonl`). EACH examples of
every request type are drawn from HISTORY, five times with the seeds 0 to 4; `all` takes all of them once. Prints the
mean and the standard deviation of the accuracy, of the calibration error, and of the share that is covered when 95 %
must be right.

Without TEST, HISTORY is cross-validated: each of five random fifths is answered by what the examples from the other
four teach. Tickets with the same words are in the same fifth. With `all`, it is the cross-validation of
`ticketattr learn`, which answers 5,000 tickets at most, and has computed each vector once.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import anyio

from ticketattr.application.ports import NO_PROGRESS
from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.learning import FOLDS, same_words
from ticketattr.domain.scoring import Prediction, predictions_of, score
from ticketattr.domain.ticket import Outcome
from ticketattr.infrastructure.catalog.source import YAMLCatalog
from ticketattr.infrastructure.classifiers.offline.classifier import VERSION, OfflineClassifier
from ticketattr.infrastructure.classifiers.offline.teaching import fold_of, teach_history
from ticketattr.infrastructure.evaluation.gold_files import GoldFile
from ticketattr.infrastructure.options import HTTPPolicy

SEEDS, TARGET = 5, 0.95
HEADINGS = ("accuracy", "ECE", "covered")
Figures: TypeAlias = tuple[float, float, float]


def main(history_path: str, catalog_path: str, each: str, test_path: str = "") -> None:
    catalog = YAMLCatalog(catalog_path, HTTPPolicy()).fetch_catalog()
    history = GoldFile.read(Path(history_path)).tickets(catalog)
    test = GoldFile.read(Path(test_path)).tickets(catalog) if test_path else None
    rows = []
    for measured in by_fold(history, catalog) if each == "all" and not test else by_seed(history, catalog, each, test):
        rows.append(measured)
        print(*(f"{name} {value:.3f}" for name, value in zip(HEADINGS, measured, strict=True)), flush=True)
    for heading, values in zip(HEADINGS, zip(*rows, strict=True), strict=True):
        spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
        print(f"{heading:10} {statistics.mean(values):.3f}{spread}")


def by_seed(
    history: Sequence[GoldTicket], catalog: ServiceCatalog, each: str, test: Sequence[GoldTicket] | None
) -> Iterator[Figures]:
    """The figures for each seed."""
    for seed in range(1 if each == "all" else SEEDS):
        learned_from, asked = (shuffled(history, seed), test) if test else fold(shuffled(history, 0), seed)
        learned_from = learned_from if each == "all" else drawn(shuffled(learned_from, seed), int(each))
        print(f"{len(learned_from):,} examples, {len(asked):,} asked:", end=" ")
        yield figures(learned_from, asked, catalog)


def by_fold(history: Sequence[GoldTicket], catalog: ServiceCatalog) -> Iterator[Figures]:
    """The figures of each fold of the cross-validation of `ticketattr learn`."""
    answers = teach_history(catalog, history, (), NO_PROGRESS, version=VERSION).answers
    for number in range(FOLDS):
        inside = [answer for answer in answers if fold_of(history[answer.row].ticket, FOLDS) == number]
        predictions = [
            Prediction.of(history[answer.row], catalog.entries[answer.chosen], answer.confidence) for answer in inside
        ]
        print(f"{len(history):,} tickets, {len(inside):,} asked:", end=" ")
        yield figures_of(predictions)


def shuffled(tickets: Sequence[GoldTicket], seed: int) -> list[GoldTicket]:
    return random.Random(seed).sample(tickets, len(tickets))  # noqa: S311  # the same each time


def fold(tickets: Sequence[GoldTicket], number: int) -> tuple[list[GoldTicket], list[GoldTicket]]:
    """The tickets of the other folds, and those of this one. Each text belongs to one fold."""
    texts = list(dict.fromkeys(same_words(gold.ticket) for gold in tickets))
    inside = set(texts[number::SEEDS])
    parts: tuple[list[GoldTicket], list[GoldTicket]] = [], []
    for gold in tickets:
        parts[same_words(gold.ticket) in inside].append(gold)
    return parts


def drawn(tickets: Sequence[GoldTicket], each: int) -> list[GoldTicket]:
    """The first tickets of every request type, at most `each`."""
    by_type: defaultdict[tuple[str, str], list[GoldTicket]] = defaultdict(list)
    for gold in tickets:
        by_type[gold.entry.pair].append(gold)
    return [gold for found in by_type.values() for gold in found[:each]]


def figures(learned_from: Sequence[GoldTicket], asked: Sequence[GoldTicket], catalog: ServiceCatalog) -> Figures:
    """Those of the classifier that was shown the examples."""
    return figures_of(predictions_of(asked, anyio.run(answers, learned_from, asked, catalog)))


def figures_of(predictions: Sequence[Prediction]) -> Figures:
    scores = score(predictions, target=TARGET)
    assert scores.ece
    assert scores.reach
    return scores.pair_accuracy.value, scores.ece.value, scores.reach.coverage.value


async def answers(
    learned_from: Sequence[GoldTicket], asked: Sequence[GoldTicket], catalog: ServiceCatalog
) -> list[Outcome]:
    classifier = OfflineClassifier(lambda _: learned_from)
    size = classifier.batch_size
    batches = [asked[start : start + size] for start in range(0, len(asked), size)]
    return [
        outcome for batch in batches for outcome in await classifier.choose([case.ticket for case in batch], catalog)
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
