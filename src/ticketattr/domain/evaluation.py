"""How good answers are, held against gold tickets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .catalog import RequestType
from .gold import GoldTicket
from .statistics import Figure, bootstrap, mcnemar, wilson
from .ticket import Attribution, Outcome

BINS = 10
FOLDS = 5
WORST_PAIRS = 10

NEVER_SURE = 1.01
"""A threshold that no confidence reaches."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer beside its gold: `answer` is None when there is none, or one of another catalog."""

    gold: GoldTicket
    answer: RequestType | None
    confidence: float | None = None
    alternatives: tuple[RequestType, ...] = ()

    @property
    def is_right(self) -> bool:
        return self.answer is not None and self.answer.pair == self.gold.entry.pair

    @property
    def is_acceptable(self) -> bool:
        """Right, or what the gold allows as well."""
        return self.is_right or (
            self.answer is not None and self.answer.pair in {entry.pair for entry in self.gold.also_ok}
        )

    @property
    def is_right_category(self) -> bool:
        return self.answer is not None and self.answer.category == self.gold.entry.category

    @property
    def is_in_first_three(self) -> bool:
        first_three = (self.answer, *self.alternatives)[:3] if self.answer else ()
        return any(entry.pair == self.gold.entry.pair for entry in first_three if entry)


@dataclass(frozen=True, slots=True)
class TypeScore:
    """One request type: how many of its tickets were found, and how many of its answers are right."""

    entry: str
    tickets: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """Of all tickets, the share whose confidence is at least `threshold`, and the share of those that are right."""

    threshold: float
    coverage: float
    precision: float


@dataclass(frozen=True, slots=True)
class Reach:
    """How much can be left to the classifier when `target` of it must be right.

    `threshold` was chosen on all tickets (None: no threshold reaches the target). `coverage` and `precision` are
    cross-validated: measured on tickets that had no part in choosing it.
    """

    target: float
    threshold: float | None
    coverage: Figure
    precision: Figure


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Answers of about the same confidence: what they say, and what came out right."""

    low: float
    high: float
    tickets: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`top3` is None when the classifier does not rank, `ece` when it does not say how sure it is."""

    tickets: int
    answered: int
    category_accuracy: Figure
    pair_accuracy: Figure
    lenient_accuracy: Figure
    macro_f1: Figure
    top3: Figure | None
    ece: Figure | None
    reach: Reach | None
    types: tuple[TypeScore, ...]
    worst_pairs: tuple[tuple[str, str, int], ...]
    coverage: tuple[CoveragePoint, ...]
    reliability: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two classifiers on the same tickets; `p` as the exact McNemar test has it."""

    both: int
    only_first: int
    only_second: int
    neither: int
    p: float


@dataclass(frozen=True, slots=True)
class CascadePoint:
    """What comes of a cascade that asks the second classifier below the confidence `threshold` of the first.

    `asked` is the share of tickets that it asks about, which is the share of the second one's cost.
    """

    threshold: float
    asked: float
    accuracy: Figure


def judge(gold: Sequence[GoldTicket], outcomes: Sequence[Outcome]) -> list[Judged]:
    return [_judged(ticket, outcome) for ticket, outcome in zip(gold, outcomes, strict=True)]


def evaluate(judged: Sequence[Judged], *, target: float) -> Evaluation:
    """All figures; `target` is the precision that is asked for."""
    sure = [(case.confidence, case.is_right) for case in judged if case.confidence is not None]
    names = [_names(case) for case in judged]
    return Evaluation(
        tickets=len(judged),
        answered=sum(case.answer is not None for case in judged),
        category_accuracy=wilson(sum(case.is_right_category for case in judged), len(judged)),
        pair_accuracy=wilson(sum(case.is_right for case in judged), len(judged)),
        lenient_accuracy=wilson(sum(case.is_acceptable for case in judged), len(judged)),
        macro_f1=bootstrap(names, macro_f1),
        top3=_top3(judged),
        ece=bootstrap(sure, calibration_error) if sure else None,
        reach=reach(judged, target) if sure else None,
        types=tuple(type_scores(names)),
        worst_pairs=tuple(_worst_pairs(judged)),
        coverage=tuple(coverage_points(judged)),
        reliability=tuple(reliability(sure)),
    )


def compare(first: Sequence[Judged], second: Sequence[Judged]) -> Comparison:
    counts = Counter((one.is_right, other.is_right) for one, other in zip(first, second, strict=True))
    only_first, only_second = counts[True, False], counts[False, True]
    return Comparison(
        counts[True, True], only_first, only_second, counts[False, False], mcnemar(only_first, only_second)
    )


def cascade_points(first: Sequence[Judged], second: Sequence[Judged]) -> list[CascadePoint]:
    """One for each tenth of the tickets that is asked about, from none to all; few confidences make fewer.

    None at all when the first does not say how sure it is.
    """
    if all(case.confidence is None for case in first):
        return []
    ranked = sorted(map(_sureness, first))
    thresholds = [max(ranked[len(ranked) * tenth // 10], 0.0) for tenth in range(10)]
    return [_cascade_point(first, second, threshold) for threshold in dict.fromkeys([*thresholds, NEVER_SURE])]


def _cascade_point(first: Sequence[Judged], second: Sequence[Judged], threshold: float) -> CascadePoint:
    asks = [_sureness(case) < threshold for case in first]
    right = sum((other if ask else one).is_right for ask, one, other in zip(asks, first, second, strict=True))
    return CascadePoint(threshold, sum(asks) / len(asks), wilson(right, len(asks)))


def _sureness(case: Judged) -> float:
    """Below any threshold where there is no answer."""
    return -1.0 if case.answer is None else case.confidence or 0.0


def type_scores(pairs: Sequence[tuple[str, str]]) -> list[TypeScore]:
    """For every request type that is the gold or the answer of some ticket, in alphabetical order.

    Pairs of gold and answer, by name; an empty answer is none.
    """
    return [_type_score(name, *counts) for name, counts in sorted(_counts(pairs).items())]


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean F1 of the request types, rare ones counting as much as common ones."""
    counts = _counts(pairs).values()
    return sum(_f1(*each) for each in counts) / len(counts)


def coverage_points(judged: Sequence[Judged]) -> list[CoveragePoint]:
    """For each confidence that occurs, from the highest down."""
    ranked = sorted((case for case in judged if case.confidence is not None), key=_confidence, reverse=True)
    points: list[CoveragePoint] = []
    right = 0
    for taken, case in enumerate(ranked, start=1):
        right += case.is_right
        if taken == len(ranked) or ranked[taken].confidence != case.confidence:
            points.append(CoveragePoint(_confidence(case), taken / len(judged), right / taken))
    return points


def reach(judged: Sequence[Judged], target: float) -> Reach:
    """Each fold is measured with the threshold of the others; every fifth ticket makes a fold."""
    covered: list[Judged] = []
    for fold in range(FOLDS):
        others = [case for place, case in enumerate(judged) if place % FOLDS != fold]
        threshold = lowest_threshold(others, target)
        covered += [case for case in judged[fold::FOLDS] if threshold is not None and _confidence(case) >= threshold]
    return Reach(
        target=target,
        threshold=lowest_threshold(judged, target),
        coverage=wilson(len(covered), len(judged)),
        precision=wilson(sum(case.is_right for case in covered), len(covered)),
    )


def lowest_threshold(judged: Sequence[Judged], target: float) -> float | None:
    """The confidence that covers most while enough of what it covers is right."""
    fitting = [point.threshold for point in coverage_points(judged) if point.precision >= target]
    return min(fitting, default=None)


def reliability(cases: Sequence[tuple[float, bool]]) -> list[ReliabilityBin]:
    """Confidences and whether they were right, in ten bins of equal width; empty ones are left out."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for case in cases:
        bins.setdefault(_bin_of(case[0]), []).append(case)
    return [_bin(place, inside) for place, inside in sorted(bins.items())]


def calibration_error(cases: Sequence[tuple[float, bool]]) -> float:
    """How far confidence and truth lie apart, on average over the tickets (ECE)."""
    gaps = [0.0] * BINS
    for confidence, is_right in cases:
        gaps[_bin_of(confidence)] += is_right - confidence
    return sum(map(abs, gaps)) / len(cases)


def _judged(gold: GoldTicket, outcome: Outcome) -> Judged:
    if isinstance(outcome, Attribution):
        return Judged(gold, outcome.entry, outcome.confidence, outcome.alternatives)
    return Judged(gold, None)


def _top3(judged: Sequence[Judged]) -> Figure | None:
    if not any(case.alternatives for case in judged):
        return None
    return wilson(sum(case.is_in_first_three for case in judged), len(judged))


def _counts(pairs: Sequence[tuple[str, str]]) -> dict[str, tuple[int, int, int]]:
    """Of each request type: how often it was asked for, answered, and answered rightly."""
    asked = Counter(gold for gold, _ in pairs)
    answered = Counter(answer for _, answer in pairs if answer)
    right = Counter(gold for gold, answer in pairs if gold == answer)
    return {name: (asked[name], answered[name], right[name]) for name in {**asked, **answered}}


def _f1(asked: int, answered: int, right: int) -> float:
    return 2 * right / (asked + answered)


def _type_score(name: str, asked: int, answered: int, right: int) -> TypeScore:
    return TypeScore(
        entry=name,
        tickets=asked,
        precision=right / answered if answered else 0.0,
        recall=right / asked if asked else 0.0,
        f1=_f1(asked, answered, right),
    )


def _worst_pairs(judged: Sequence[Judged]) -> list[tuple[str, str, int]]:
    """Gold, answer, and how often one was taken for the other; the most frequent first."""
    confused = Counter(
        (str(case.gold.entry), str(case.answer) if case.answer else "(no answer)")
        for case in judged
        if not case.is_right
    )
    ranked = sorted(confused.items(), key=lambda item: (-item[1], item[0]))
    return [(gold, answer, count) for (gold, answer), count in ranked[:WORST_PAIRS]]


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


def _names(case: Judged) -> tuple[str, str]:
    return str(case.gold.entry), str(case.answer) if case.answer else ""


def _confidence(case: Judged) -> float:
    """Below any threshold where the classifier does not say how sure it is."""
    return -1.0 if case.confidence is None else case.confidence
