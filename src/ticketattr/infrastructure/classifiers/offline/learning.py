"""Learns from labelled tickets, and measures by cross-validation what that gives. It needs numpy alone.

Each fifth of the tickets is answered by what the other four fifths teach. Sums over the tickets of a fifth are kept
apart, so that leaving one out costs a subtraction and a solution, and no second pass. The same answers decide how much
what was learned counts beside what is known without it, and map the confidence to a probability.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....application.ports import NO_PROGRESS, LearningProgress
from ....domain.calibration import Calibration, fit_calibration
from ....domain.learning import FOLDS, Answer, Pair
from .features import Features, joined
from .learned import RIDGE, Kernel, Learned, Mix, Scores, one_hot

SPREAD = 0.06
"""The temperature of the softmax: an entry that leads by this score is e times as likely."""

FEWEST_MEASURED = 100
"""With fewer tickets, weights and confidence are not fitted, because five fifths of them would say nothing."""

MOST_MEASURED = 5_000
"""How many tickets are answered in the cross-validation. More would make the figures hardly more exact."""

_MOST_SCORES = 1_500_000
"""How many scores of the cross-validation are kept: fewer tickets are answered for a catalog of many types."""

LANDMARKS = 4_000
"""How many tickets stand for all. Twice as many take four times as long."""

_LANDMARKS_OF_MANY, _MANY = 3_000, 20_000
_BLOCK = 1_000
_SHRINK_MEAN = 20
_JITTER = 1e-4
_STEPS = 30
_HOLD = 5.0
"""How firmly the weights are held at their defaults: as by the evidence of some tickets."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Tickets to learn from. `labels` are positions in `pairs`, `folds` numbers from 0 to
    `fold_count` - 1.

    `names` are texts of the catalog with their labels `name_labels`: they teach, and are never asked. `latest` are
    the rows of the latest tickets, if their times are known.
    """

    features: Features
    labels: Rows
    folds: Rows
    pairs: tuple[Pair, ...]
    names: Features
    name_labels: Rows
    latest: Rows
    fold_count: int = FOLDS

    def __len__(self) -> int:
        return len(self.labels)


KnownScores = Callable[[Rows], Scores]
"""Returns the scores of these tickets without what is learned: a column for each of the `pairs` of the lesson."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers of the cross-validation, answers about the latest tickets, and answers without what was learned."""

    answers: Sequence[Answer]
    latest: Sequence[Answer]
    without: Sequence[Answer]


def default_mix(tickets: int, types: int, *, learned: float) -> Mix:
    """Returns the weights for few tickets: the fewer tickets a type has, the less they count."""
    return Mix(1.0, learned * tickets / (tickets + types))


def learn(
    lesson: Lesson,
    known: KnownScores,
    start: Mix,
    *,
    measures: bool = True,
    landmarks: int | None = None,
    progress: LearningProgress = NO_PROGRESS,
) -> tuple[Learned, Measured]:
    """Returns what the lesson teaches, and what it reaches if it `measures` and has enough tickets.

    `start` are the weights before they are fitted. `landmarks` is how many tickets may stand for all.
    """
    kernel = _kernel(lesson, landmarks or _landmarks_for(lesson))
    sums = _Sums(kernel, lesson, progress)
    mix, measured = start, Measured((), (), ())
    if measures and len(lesson) >= FEWEST_MEASURED:
        mix, measured = _measure(lesson, kernel, sums, known, start, progress)
    return Learned(kernel, sums.weights(), lesson.pairs, mix), measured


def out_of_fold(
    lesson: Lesson, known: KnownScores, start: Mix, *, progress: LearningProgress = NO_PROGRESS
) -> Iterator[tuple[Rows, Scores]]:
    """Yields rows of tickets, and the probability of each request type for each of them.

    It comes from what the tickets of the other folds teach. Every ticket comes once.
    """
    kernel = _kernel(lesson, _landmarks_for(lesson))
    sums = _Sums(kernel, lesson, progress)
    mix = start
    if len(lesson) >= FEWEST_MEASURED:
        mix, _ = _measure(lesson, kernel, sums, known, start, progress)
    progress.describe("Asking about each ticket")
    for fold in range(lesson.fold_count):
        progress(fold, lesson.fold_count)
        weights, in_fold = sums.weights(without_fold=fold), np.flatnonzero(lesson.folds == fold)
        for block in _blocks(len(in_fold)):
            rows = in_fold[block]
            learned = _scores(kernel, weights, lesson.features.part(rows))
            odds = (mix.known * known(rows) + mix.learned * learned) / SPREAD
            shares = np.exp(odds - odds.max(axis=1, keepdims=True))
            yield rows, shares / shares.sum(axis=1, keepdims=True)


def _landmarks_for(lesson: Lesson) -> int:
    return LANDMARKS if len(lesson) <= _MANY else _LANDMARKS_OF_MANY


def _kernel(lesson: Lesson, landmarks: int) -> Kernel:
    total = lesson.features.meaning.sum(axis=0, dtype=np.float64)
    mean = (total / (len(lesson) + _SHRINK_MEAN)).astype(np.float32)
    chosen = lesson.features.part(_landmarks(lesson.labels, landmarks))
    return Kernel.of(mean, joined([chosen, lesson.names]))


def _landmarks(labels: Rows, most: int) -> Rows:
    """Returns all tickets, or `most` of them: of each type the same number, as far as it has them."""
    if len(labels) <= most:
        return np.arange(len(labels))
    order = np.random.default_rng(0).permutation(len(labels))
    by_label = order[np.argsort(labels[order], kind="stable")]
    starts = np.searchsorted(labels[by_label], labels[by_label], side="left")
    rank_in_type = np.arange(len(labels)) - starts
    return np.sort(by_label[np.argsort(rank_in_type, kind="stable")[:most]])


class _Sums:
    """What ridge regression needs to know about tickets, summed up for each fold and for the latest tickets."""

    def __init__(self, kernel: Kernel, lesson: Lesson, progress: LearningProgress) -> None:
        progress.describe("Solving")
        self._progress, self._done, self._total = progress, 0, len(lesson) + len(lesson.latest)
        self._kernel = kernel
        self._types = len(lesson.pairs)
        self._landmarks = kernel.similarities(_uncentred(kernel))
        self._folds = []
        for fold in range(lesson.fold_count):
            rows = np.flatnonzero(lesson.folds == fold)
            self._folds.append(self._sum(lesson.features.part(rows), lesson.labels[rows]))
        self._latest = self._sum(lesson.features.part(lesson.latest), lesson.labels[lesson.latest])
        self._names = kernel.similarities(lesson.names)
        self._name_targets = one_hot(lesson.name_labels, self._types)

    def weights(self, *, without_fold: int | None = None, without_latest: bool = False) -> NDArray[np.float32]:
        """Returns the weights of all landmarks, learned without a fold or without the latest tickets."""
        system = (RIDGE * self._landmarks + self._names.T @ self._names).astype(np.float64)
        targets = self._names.T @ self._name_targets
        for fold, (products, sums) in enumerate(self._folds):
            if fold != without_fold:
                system += products
                targets += sums
        if without_latest:
            system -= self._latest[0]
            targets -= self._latest[1]
        system[np.diag_indices_from(system)] += _JITTER
        return np.asarray(np.linalg.solve(system, targets), dtype=np.float32)

    def _sum(self, features: Features, labels: Rows) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        products = np.zeros((len(self._kernel), len(self._kernel)), dtype=np.float32)
        sums = np.zeros((len(self._kernel), self._types))
        for block in _blocks(len(labels)):
            rows = self._kernel.similarities(features.part(block))
            products += rows.T @ rows
            sums += rows.T @ one_hot(labels[block], self._types).astype(np.float32)
            self._done += len(rows)
            self._progress(self._done, self._total)
        return products, sums


def _uncentred(kernel: Kernel) -> Features:
    """The landmarks as features that become the same when they are centred again."""
    return Features(kernel.landmarks.meaning + kernel.mean, kernel.landmarks.words)


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, count, _BLOCK))


def _measure(
    lesson: Lesson, kernel: Kernel, sums: _Sums, known: KnownScores, start: Mix, progress: LearningProgress
) -> tuple[Mix, Measured]:
    progress.describe("Calibrating")
    asked = _asked(np.arange(len(lesson)), len(lesson.pairs))
    labels, folds, without = lesson.labels[asked], lesson.folds[asked], known(asked)
    learned = np.zeros_like(without)
    for fold in range(lesson.fold_count):
        progress(fold, lesson.fold_count)
        rows = np.flatnonzero(folds == fold)
        weights = sums.weights(without_fold=fold)
        learned[rows] = _scores(kernel, weights, lesson.features.part(asked[rows]))
    answers: list[Answer] = []
    for fold in range(lesson.fold_count):
        inside, outside = folds == fold, folds != fold
        mix = _fit(without[outside], learned[outside], labels[outside], start)
        answers += _answers(mix, without[inside], learned[inside], labels[inside], asked[inside])
    mix = _fit(without, learned, labels, start)
    alone = Mix(1.0, 0.0)
    return mix, Measured(
        answers,
        _latest_answers(lesson, kernel, sums, known, mix),
        _answers(alone, without, learned, labels, asked),
    )


def _latest_answers(lesson: Lesson, kernel: Kernel, sums: _Sums, known: KnownScores, mix: Mix) -> Sequence[Answer]:
    if not len(lesson.latest):
        return ()
    asked = _asked(lesson.latest, len(lesson.pairs))
    learned = _scores(kernel, sums.weights(without_latest=True), lesson.features.part(asked))
    return _answers(mix, known(asked), learned, lesson.labels[asked], asked)


def _asked(rows: Rows, types: int) -> Rows:
    """Returns the tickets that are answered: all of `rows`, or a sample of them."""
    most = min(MOST_MEASURED, max(_MOST_SCORES // types, FEWEST_MEASURED))
    return rows if len(rows) <= most else np.sort(np.random.default_rng(1).permutation(rows)[:most])


def _scores(kernel: Kernel, weights: NDArray[np.float32], features: Features) -> Scores:
    parts = [kernel.similarities(features.part(block)) @ weights for block in _blocks(len(features))]
    return np.concatenate([np.zeros((0, weights.shape[1])), *parts])


def _answers(mix: Mix, known: Scores, learned: Scores, labels: Rows, rows: Rows) -> list[Answer]:
    total = np.round(mix.known * known + mix.learned * learned, 4)
    best, shares = total.argmax(axis=1), shares_of_best(total)
    calibration = mix.calibration or Calibration()
    return [
        Answer(int(row), int(label), int(choice), calibration.probability(float(share)))
        for row, label, choice, share in zip(rows, labels, best, shares, strict=True)
    ]


def shares_of_best(scores: Scores) -> Scores:
    """Returns the softmax of the best score of each row."""
    return np.asarray(1 / np.exp((scores - scores.max(axis=1, keepdims=True)) / SPREAD).sum(axis=1), dtype=np.float64)


def _fit(known: Scores, learned: Scores, labels: Rows, start: Mix) -> Mix:
    """Returns the weights that make the labels most likely, by Newton's method, and the map of the confidence."""
    places = np.arange(len(labels))
    both = np.stack([known, learned], axis=-1) / SPREAD
    own = both[places, labels]
    held = np.array([start.known, start.learned])
    weights = held.copy()
    for _ in range(_STEPS):
        odds = both @ weights
        shares = np.exp(odds - odds.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        expected = np.einsum("nc,nck->nk", shares, both)
        slope = (own - expected).sum(axis=0) - _HOLD * (weights - held)
        spread = np.einsum("nc,ncj,nck->jk", shares, both, both) - expected.T @ expected
        step = np.linalg.solve(spread + _HOLD * np.eye(2), slope)
        weights = np.maximum(weights + np.clip(step, -1.0, 1.0), 0.01)
        if np.abs(step).max() < 1e-6:
            break
    known_weight, learned_weight = weights.tolist()
    total = np.round(known_weight * known + learned_weight * learned, 4)
    right = total.argmax(axis=1) == labels
    calibration = fit_calibration(shares_of_best(total).tolist(), right.tolist())
    return Mix(known_weight, learned_weight, calibration)
