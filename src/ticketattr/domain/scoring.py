"""Scores of a classifier: its predictions, compared with the labels of gold tickets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from .catalog import RequestType
from .gold import GoldTicket
from .statistics import Estimate, bootstrap_estimate, mcnemar_p, wilson_estimate
from .ticket import Attribution, Outcome

BINS = 10
FOLDS = 5
WORST_PAIRS = 10

ABOVE_EVERY_CONFIDENCE = 1.01
"""A threshold that no confidence reaches."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a classifier chose for the gold ticket `id`, whose label and other acceptable entries are there, too.

    It has no text, so that those of a million tickets fit into memory. `chosen` is None when the classifier chose no
    entry, or an entry of another catalog. `confidence` lies between 0 and 1; None means that the classifier does not
    state it. `alternatives` are the next two entries, best first. `model` is the large language model that chose, if
    one did.
    """

    id: str
    label: RequestType
    also_ok: tuple[RequestType, ...]
    chosen: RequestType | None
    confidence: float | None = None
    alternatives: tuple[RequestType, ...] = ()
    model: str = ""

    @classmethod
    def of(
        cls,
        gold: GoldTicket,
        chosen: RequestType | None,
        confidence: float | None = None,
        alternatives: tuple[RequestType, ...] = (),
        model: str = "",
    ) -> Prediction:
        """What was chosen for `gold`."""
        return cls(gold.ticket.id, gold.entry, gold.also_ok, chosen, confidence, alternatives[:2], model)

    @property
    def is_right(self) -> bool:
        """Whether the chosen entry is the label."""
        return self.chosen is not None and self.chosen.pair == self.label.pair

    @property
    def is_acceptable(self) -> bool:
        """Whether the chosen entry is the label, or another one that the gold ticket accepts."""
        return self.is_right or (self.chosen is not None and self.chosen.pair in {entry.pair for entry in self.also_ok})

    @property
    def is_right_category(self) -> bool:
        """Whether the chosen entry has the category of the label."""
        return self.chosen is not None and self.chosen.category == self.label.category

    @property
    def is_in_first_three(self) -> bool:
        """Whether the label is the chosen entry or one of the two best alternatives."""
        first_three = (self.chosen, *self.alternatives)[:3] if self.chosen else ()
        return any(entry.pair == self.label.pair for entry in first_three if entry)


@dataclass(frozen=True, slots=True)
class TypeScore:
    """The scores of one request type. `tickets` counts the gold tickets that have this label."""

    entry: str
    tickets: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """The share of all tickets with at least the confidence `threshold`, and the share of these that is right."""

    threshold: float
    coverage: float
    precision: float


@dataclass(frozen=True, slots=True)
class CoverageAtPrecision:
    """The share of tickets that the classifier can decide alone when the share `target` of them must be right.

    `threshold` is the lowest confidence that meets the target on all tickets; None means that no confidence does.
    `coverage` and `precision` are cross-validated: each ticket is measured with a threshold from other tickets.
    """

    target: float
    threshold: float | None
    coverage: Estimate
    precision: Estimate


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Predictions with a confidence from `low` to `high`: their mean confidence, and the share that is right."""

    low: float
    high: float
    tickets: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Scores:
    """All scores of one classifier.

    `answered` counts the tickets for which it chose an entry. `lenient_accuracy` also counts acceptable entries.
    `top3` is None when the classifier does not rank; `ece` (expected calibration error) and `reach` are None when it
    does not state its confidence. `worst_pairs` are (label, chosen entry, tickets), most frequent first.
    """

    tickets: int
    answered: int
    category_accuracy: Estimate
    pair_accuracy: Estimate
    lenient_accuracy: Estimate
    macro_f1: Estimate
    top3: Estimate | None
    ece: Estimate | None
    reach: CoverageAtPrecision | None
    types: tuple[TypeScore, ...]
    worst_pairs: tuple[tuple[str, str, int], ...]
    coverage: tuple[CoveragePoint, ...]
    reliability: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many of the same tickets each of two classifiers got right. `p` is that of the exact McNemar test."""

    both: int
    only_first: int
    only_second: int
    neither: int
    p: float

    @property
    def is_significant(self) -> bool:
        """Whether the test shows a difference, at the level of 5 %."""
        return self.p < 0.05


@dataclass(frozen=True, slots=True)
class CascadePoint:
    """The accuracy of a cascade that asks the second classifier below the confidence `threshold` of the first.

    `asked_share` is the share of tickets about which the cascade asks the second classifier, and so the share of the
    cost of the second classifier.
    """

    threshold: float
    asked_share: float
    accuracy: Estimate


def predictions_of(gold: Iterable[GoldTicket], outcomes: Iterable[Outcome]) -> list[Prediction]:
    """One prediction for each gold ticket, from the outcomes in the same order.

    Raises ValueError when their numbers differ.
    """
    return [_prediction(ticket, outcome) for ticket, outcome in zip(gold, outcomes, strict=True)]


def score(predictions: Sequence[Prediction], *, target: float) -> Scores:
    """All scores. `target` is the precision, between 0 and 1, for which `reach` is computed."""
    with_confidence = [(case.confidence, case.is_right) for case in predictions if case.confidence is not None]
    shared: dict[tuple[str, str], tuple[str, str]] = {}
    names = [shared.setdefault(pair, pair) for pair in map(_names, predictions)]
    return Scores(
        tickets=len(predictions),
        answered=sum(case.chosen is not None for case in predictions),
        category_accuracy=wilson_estimate(sum(case.is_right_category for case in predictions), len(predictions)),
        pair_accuracy=wilson_estimate(sum(case.is_right for case in predictions), len(predictions)),
        lenient_accuracy=wilson_estimate(sum(case.is_acceptable for case in predictions), len(predictions)),
        macro_f1=bootstrap_estimate(names, macro_f1),
        top3=_top3(predictions),
        ece=bootstrap_estimate(with_confidence, calibration_error) if with_confidence else None,
        reach=coverage_at_precision(predictions, target) if with_confidence else None,
        types=tuple(type_scores(names)),
        worst_pairs=tuple(_worst_pairs(predictions)),
        coverage=tuple(coverage_points(predictions)),
        reliability=tuple(reliability_bins(with_confidence)),
    )


def compare(first: Sequence[Prediction], second: Sequence[Prediction]) -> Comparison:
    """Two classifiers compared on the same tickets, in the same order. Raises ValueError when their numbers differ."""
    counts = Counter((one.is_right, other.is_right) for one, other in zip(first, second, strict=True))
    only_first, only_second = counts[True, False], counts[False, True]
    return Comparison(
        counts[True, True], only_first, only_second, counts[False, False], mcnemar_p(only_first, only_second)
    )


def cascade_points(first: Sequence[Prediction], second: Sequence[Prediction]) -> list[CascadePoint]:
    """The cascade of two classifiers at thresholds that ask about 0 %, 10 %, … 100 % of the tickets.

    Equal confidences make fewer points. Empty when the first classifier does not state its confidence. Raises
    ValueError when the numbers of predictions differ.
    """
    if all(case.confidence is None for case in first):
        return []
    ranked = sorted(map(_confidence_if_answered, first))
    thresholds = [max(ranked[len(ranked) * tenth // 10], 0.0) for tenth in range(10)]
    return [
        _cascade_point(first, second, threshold) for threshold in dict.fromkeys([*thresholds, ABOVE_EVERY_CONFIDENCE])
    ]


def _cascade_point(first: Sequence[Prediction], second: Sequence[Prediction], threshold: float) -> CascadePoint:
    asks = [_confidence_if_answered(case) < threshold for case in first]
    right = sum((other if ask else one).is_right for ask, one, other in zip(asks, first, second, strict=True))
    return CascadePoint(threshold, sum(asks) / len(asks), wilson_estimate(right, len(asks)))


def _confidence_if_answered(case: Prediction) -> float:
    """A value below every threshold when the classifier chose no entry."""
    return -inf if case.chosen is None else case.confidence or 0.0


def type_scores(pairs: Sequence[tuple[str, str]]) -> list[TypeScore]:
    """The scores of every request type that is a label or was chosen, in alphabetical order.

    `pairs` are (label, chosen entry), by name; an empty name means that no entry was chosen.
    """
    return [_type_score(name, *counts) for name, counts in sorted(_counts(pairs).items())]


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean F1 of the request types. Rare request types count as much as common ones."""
    counts = _counts(pairs).values()
    return sum(_f1(*each) for each in counts) / len(counts)


def coverage_points(predictions: Sequence[Prediction]) -> list[CoveragePoint]:
    """One point for each confidence that occurs, from the highest to the lowest."""
    ranked = sorted((case for case in predictions if case.confidence is not None), key=_confidence, reverse=True)
    points: list[CoveragePoint] = []
    right = 0
    for taken, case in enumerate(ranked, start=1):
        right += case.is_right
        if taken == len(ranked) or ranked[taken].confidence != case.confidence:
            points.append(CoveragePoint(_confidence(case), taken / len(predictions), right / taken))
    return points


def coverage_at_precision(predictions: Sequence[Prediction], target: float) -> CoverageAtPrecision:
    """The share of tickets that can be decided with the precision `target`, cross-validated over five folds.

    Every fifth ticket makes a fold. Each fold is measured with the threshold of the other four.
    """
    covered: list[Prediction] = []
    for fold in range(FOLDS):
        others = [case for place, case in enumerate(predictions) if place % FOLDS != fold]
        threshold = lowest_threshold(others, target)
        covered += [
            case for case in predictions[fold::FOLDS] if threshold is not None and _confidence(case) >= threshold
        ]
    return CoverageAtPrecision(
        target=target,
        threshold=lowest_threshold(predictions, target),
        coverage=wilson_estimate(len(covered), len(predictions)),
        precision=wilson_estimate(sum(case.is_right for case in covered), len(covered)),
    )


def lowest_threshold(predictions: Sequence[Prediction], target: float) -> float | None:
    """The lowest confidence from which on at least the share `target` is right; None when there is none."""
    fitting = [point.threshold for point in coverage_points(predictions) if point.precision >= target]
    return min(fitting, default=None)


def reliability_bins(cases: Sequence[tuple[float, bool]]) -> list[ReliabilityBin]:
    """Pairs of (confidence, is right) in ten bins of equal width, lowest first. Empty bins are left out."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for case in cases:
        bins.setdefault(_bin_of(case[0]), []).append(case)
    return [_bin(place, inside) for place, inside in sorted(bins.items())]


def calibration_error(cases: Sequence[tuple[float, bool]]) -> float:
    """The expected calibration error (ECE) of pairs of (confidence, is right), between 0 and 1.

    It is the mean difference between confidence and share that is right, over ten bins weighted by their tickets.
    """
    gaps = [0.0] * BINS
    for confidence, is_right in cases:
        gaps[_bin_of(confidence)] += is_right - confidence
    return sum(map(abs, gaps)) / len(cases)


def _prediction(gold: GoldTicket, outcome: Outcome) -> Prediction:
    if isinstance(outcome, Attribution):
        return Prediction.of(gold, outcome.entry, outcome.confidence, outcome.alternatives, outcome.model)
    return Prediction.of(gold, None, model=outcome.model)


def _top3(predictions: Sequence[Prediction]) -> Estimate | None:
    if not any(case.alternatives for case in predictions):
        return None
    return wilson_estimate(sum(case.is_in_first_three for case in predictions), len(predictions))


def _counts(pairs: Sequence[tuple[str, str]]) -> dict[str, tuple[int, int, int]]:
    """For each request type: how often it is the label, how often it was chosen, and how often it was both."""
    labelled, chosen, right = Counter[str](), Counter[str](), Counter[str]()
    # Few pairs differ, and 1,000 resamples of many tickets are counted.
    for (label, choice), count in Counter(pairs).items():
        labelled[label] += count
        if choice:
            chosen[choice] += count
        if label == choice:
            right[label] += count
    return {name: (labelled[name], chosen[name], right[name]) for name in {**labelled, **chosen}}


def _f1(labelled: int, chosen: int, right: int) -> float:
    return 2 * right / (labelled + chosen)


def _type_score(name: str, labelled: int, chosen: int, right: int) -> TypeScore:
    return TypeScore(
        entry=name,
        tickets=labelled,
        precision=right / chosen if chosen else 0.0,
        recall=right / labelled if labelled else 0.0,
        f1=_f1(labelled, chosen, right),
    )


def _worst_pairs(predictions: Sequence[Prediction]) -> list[tuple[str, str, int]]:
    """Label, chosen entry, and how often they were confused; the most frequent first."""
    confused = Counter(
        (str(case.label), str(case.chosen) if case.chosen else "(no answer)")
        for case in predictions
        if not case.is_right
    )
    ranked = sorted(confused.items(), key=lambda item: (-item[1], item[0]))
    return [(label, choice, count) for (label, choice), count in ranked[:WORST_PAIRS]]


def _bin_of(confidence: float) -> int:
    return min(int(confidence * BINS), BINS - 1)


def _bin(place: int, cases: Sequence[tuple[float, bool]]) -> ReliabilityBin:
    return ReliabilityBin(
        low=place / BINS,
        high=(place + 1) / BINS,
        tickets=len(cases),
        confidence=sum(confidence for confidence, _ in cases) / len(cases),
        right=sum(is_right for _, is_right in cases) / len(cases),
    )


def _names(case: Prediction) -> tuple[str, str]:
    return str(case.label), str(case.chosen) if case.chosen else ""


def _confidence(case: Prediction) -> float:
    """A value below every threshold when the classifier does not state its confidence."""
    return -inf if case.confidence is None else case.confidence
