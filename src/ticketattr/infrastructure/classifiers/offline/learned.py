"""What was learned from labelled tickets: scores of request types by how similar a ticket is to chosen ones, landmarks.

It is kernel ridge regression. With few tickets, every ticket is a landmark, and the result is exact. With many, some
of them stand for all (Nyström), so that time grows in proportion to the tickets, and memory does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ....domain.calibration import Calibration
from ....domain.catalog import ServiceCatalog
from ....domain.learning import Pair
from .features import Features, joined
from .sentence_vectors import Vectors

Scores: TypeAlias = NDArray[np.float64]

RIDGE = 0.3
"""The larger it is, the less a single outlier changes the result."""

_WIDTH = 2.0
"""The larger it is, the smaller is the neighbourhood that a ticket counts in."""

_WORDS = 0.5
"""The weight of common words, compared with a common meaning."""

_LEAST_LENGTH = 1e-6


@dataclass(frozen=True, slots=True)
class Kernel:
    """`mean` is the mean sentence vector, from which directions are measured. The meaning of `landmarks` is centred."""

    mean: NDArray[np.float32]
    landmarks: Features

    def __len__(self) -> int:
        return len(self.landmarks)

    @classmethod
    def of(cls, mean: NDArray[np.float32], landmarks: Features) -> Kernel:
        """Returns the kernel of landmarks whose meaning is not centred yet."""
        return cls(mean, Features(_centred(landmarks.meaning, mean), landmarks.words.astype(np.float32)))

    def similarities(self, features: Features) -> NDArray[np.float32]:
        """Returns a row for each ticket and a column for each landmark."""
        cosines = _centred(features.meaning, self.mean) @ self.landmarks.meaning.T
        nearness = np.exp(_WIDTH * (cosines - 1)) + _WORDS * (
            features.words.astype(np.float32) @ self.landmarks.words.T
        )
        return np.asarray(nearness, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Mix:
    """The weights of what is known without labelled tickets and of what was learned, and the map of the confidence.

    `calibration` is None where there were too few tickets to fit it.
    """

    known: float
    learned: float
    calibration: Calibration | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """`weights` has a row for each landmark and a column for each of `pairs`, the names of the request types."""

    kernel: Kernel
    weights: NDArray[np.float32]
    pairs: tuple[Pair, ...]
    mix: Mix

    def scores(self, features: Features) -> Scores:
        """Returns a row for each ticket: about 1 for its request type, and about 0 for the others."""
        return np.asarray(self.kernel.similarities(features) @ self.weights, dtype=np.float64)

    def scores_in(self, catalog: ServiceCatalog, features: Features) -> Scores:
        """Returns the same with a column for each entry of the catalog; 0 for an entry that was not learned."""
        place_of = {entry: place for place, entry in enumerate(catalog.entries)}
        found = [catalog.find(*pair) for pair in self.pairs]
        columns = [column for column, entry in enumerate(found) if entry]
        scores = np.zeros((len(features), len(catalog.entries)))
        scores[:, [place_of[entry] for entry in found if entry]] = self.scores(features)[:, columns]
        return scores

    def with_tickets(self, features: Features, pairs: Sequence[Pair]) -> Learned:
        """Returns what is known after some more tickets with these labels: what they say beyond what was known.

        Nothing is learned again, so that a few hundred corrections take no time. Labels may be new.
        """
        if not len(features):
            return self
        names = tuple(dict.fromkeys([*self.pairs, *pairs]))
        old = np.zeros((len(self.weights), len(names)), dtype=np.float32)
        old[:, : len(self.pairs)] = self.weights
        more = Kernel.of(self.kernel.mean, features)
        missing = one_hot([names.index(pair) for pair in pairs], len(names)) - self.kernel.similarities(features) @ old
        ridge = RIDGE * np.eye(len(features))
        added = np.linalg.solve(more.similarities(features).astype(np.float64) + ridge, missing)
        return replace(
            self,
            kernel=Kernel(self.kernel.mean, joined([self.kernel.landmarks, more.landmarks])),
            weights=np.concatenate([old, added.astype(np.float32)]),
            pairs=names,
        )


def one_hot(labels: Sequence[int] | NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Returns a row for each label, with 1 in its column and 0 in the others."""
    rows = np.zeros((len(labels), classes))
    rows[np.arange(len(labels)), np.asarray(labels, dtype=np.int64)] = 1.0
    return rows


def _centred(meaning: Vectors | NDArray[np.float16], mean: NDArray[np.float32]) -> Vectors:
    rows = np.asarray(meaning.astype(np.float32) - mean, dtype=np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _LEAST_LENGTH)
    return rows
