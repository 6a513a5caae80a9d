"""Measure a classifier on gold tickets, or compare two classifiers on the same ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..domain.calibration import Calibration, fit_calibration
from ..domain.catalog import ServiceCatalog
from ..domain.consistency import Consistency, consistency_of
from ..domain.gold import GoldTicket, GoldTickets, LabelledTickets
from ..domain.scoring import (
    CascadePoint,
    Comparison,
    Prediction,
    Scores,
    cascade_points,
    compare,
    predictions_of,
    score,
)
from ..domain.ticket import Ticket
from ..domain.usage import Bill, total
from ..domain.wording import counted
from ..errors import InputError
from .classify import classify_texts
from .ports import AnswerCache, Classifier, Progress, SavedCalibration

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GoldSet:
    """Gold tickets, and the catalog that their labels belong to."""

    tickets: GoldTickets
    catalog: ServiceCatalog


@dataclass(frozen=True, slots=True)
class Candidate:
    """A classifier to measure.

    `name` and `confidence_source` (what turns its confidence into a probability) appear in the results. It learns from
    the tickets in `labelled`, and has learned from those of which `has_learned` is true.
    """

    name: str
    confidence_source: str
    classifier: Classifier
    cache: AnswerCache
    labelled: LabelledTickets
    has_learned: Callable[[Ticket], bool] = lambda ticket: False


@dataclass(frozen=True, slots=True)
class EvaluationResults:
    """What an evaluation found. `calibration` is the confidence source; it is empty when nobody knows it.

    `consistency` is None unless the evaluation was repeated. If it was, `bill` is that of all runs, and the scores are
    those of the first.
    """

    classifier: str
    calibration: str
    scores: Scores
    predictions: tuple[Prediction, ...]
    bill: Bill
    consistency: Consistency | None = None


@dataclass(frozen=True, slots=True)
class ComparedResults:
    """Two classifiers on the same tickets. `cascade` is empty when the first does not state its confidence."""

    first: EvaluationResults
    second: EvaluationResults
    comparison: Comparison
    cascade: Sequence[CascadePoint]


def evaluate_classifier(
    candidate: Candidate, gold: GoldSet, progress: Progress, *, target: float, timer: Callable[[], float]
) -> EvaluationResults:
    """The results of `candidate` on the gold tickets, with the precision `target` for the coverage.

    `timer` counts seconds. Raises InputError when a gold ticket is also an example of the classifier, and SettingsError
    when the classifier can give no answer.
    """
    started = timer()
    predictions = _predict(candidate, gold, progress)
    return EvaluationResults(
        classifier=candidate.name,
        calibration=candidate.confidence_source,
        scores=score(predictions, target=target),
        predictions=tuple(predictions),
        bill=replace(candidate.classifier.bill, seconds=round(timer() - started, 3)),
    )


def repeated_results(runs: Sequence[EvaluationResults]) -> EvaluationResults:
    """The results of the first of at least two runs, with the bill of all of them and how far they agree."""
    bills = [run.bill for run in runs]
    bill = replace(
        total(bills),
        model=", ".join(dict.fromkeys(bill.model for bill in bills)),
        notes=tuple(dict.fromkeys(note for bill in bills for note in bill.notes)),
    )
    return replace(runs[0], bill=bill, consistency=consistency_of([run.predictions for run in runs]))


def compare_results(first: EvaluationResults, second: EvaluationResults) -> ComparedResults:
    """Two results on the same tickets, with a test of their difference and the cascade of both classifiers."""
    return ComparedResults(
        *(first, second),
        comparison=compare(first.predictions, second.predictions),
        cascade=cascade_points(first.predictions, second.predictions),
    )


def calibrate(predictions: Sequence[Prediction]) -> tuple[Calibration, int]:
    """The calibration that fits these predictions best, and the number of predictions that state their confidence.

    Raises InputError when none does.
    """
    with_confidence = [(case.confidence, case.is_right) for case in predictions if case.confidence is not None]
    if not with_confidence:
        raise InputError(
            "the classifier does not state its confidence, so there is nothing to calibrate",
            hint="Leave --save-calibration out.",
        )
    confidences, right = zip(*with_confidence, strict=True)
    return fit_calibration(confidences, right), len(with_confidence)


def refuse_foreign_calibration(
    calibration: SavedCalibration, name: str, classifier: Classifier, catalog: ServiceCatalog
) -> None:
    """Raise InputError unless the calibration in the file `name` was made for this classifier and catalog.

    `classifier` is the one without any calibration.
    """
    if not calibration.fits(classifier, catalog):
        raise InputError(
            f"{name} was made for another classifier or catalog",
            hint="Make one for this classifier and catalog with --save-calibration.",
        )


def refuse_single_label(gold: GoldTickets, name: str) -> None:
    """Raise InputError when all gold tickets in the file `name` have the same label, or when there are none."""
    first = next(iter(gold), None)
    if first is None or all(case.entry == first.entry for case in gold):
        raise InputError(
            f"{name}: all tickets have the same label, so a classifier cannot be measured on them",
            hint="Add tickets with other labels: docs/explanation/quality.md describes the file.",
        )


def _predict(candidate: Candidate, gold: GoldSet, progress: Progress) -> list[Prediction]:
    labelled = candidate.labelled(gold.catalog)
    _refuse_known_examples(gold.tickets, labelled)
    if known := sum(candidate.has_learned(case.ticket) for case in gold.tickets):
        log.warning(
            "%s of %d that are measured on are among those that the model was learned from: the scores are too high",
            *(counted(known, "ticket"), len(gold.tickets)),
        )
    tickets = (case.ticket for case in gold.tickets)
    outcomes = classify_texts(
        tickets,
        len(gold.tickets),
        gold.catalog,
        candidate.classifier,
        candidate.cache,
        progress,
        labelled,
    )
    return predictions_of(gold.tickets, outcomes)


def _refuse_known_examples(gold: GoldTickets, labelled: Sequence[GoldTicket]) -> None:
    """A classifier that has seen the label of a ticket scores too high on it."""
    shown = {case.ticket.texts for case in labelled}
    known = sum(case.ticket.texts in shown for case in gold)
    if known:
        raise InputError(
            f"the examples contain {counted(known, 'gold ticket')}, so the scores would be too high",
            hint="Give examples that are not in the gold set.",
        )
