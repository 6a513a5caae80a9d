"""A text as pieces of its words, two to five characters long, each counted under one of a fixed number of places.

Pieces survive typing errors, inflection and compounds, and need no list of words in any language. Two pieces may fall
on one place; there are enough places for that to do little harm.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .plain_text import plain

PLACES = 2**15
_SHORTEST, _LONGEST = 2, 5
_MAX_TEXT = 2_000
_TOKEN = re.compile(r"\S+")


def text_of(title: str, body: str) -> str:
    """The title counts twice."""
    return plain(f"{title} {title} {body}"[:_MAX_TEXT])


def words_of(text: str) -> list[str]:
    return _TOKEN.findall(text)


def counted(words: Iterable[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The places of all pieces in `words`, ascending, and the weight of each: the logarithm of how often."""
    counts = Counter(place for word in words for place in pieces(word))
    places = sorted(counts)
    weights = [1 + math.log(counts[place]) for place in places]
    return np.array(places, dtype=np.int64), np.array(weights, dtype=np.float64)


@lru_cache(maxsize=50_000)
def pieces(word: str) -> tuple[int, ...]:
    """A blank at either end marks where a word begins and ends."""
    padded = f" {word} "
    return tuple(
        zlib.crc32(padded[start : start + size].encode("utf-8", "replace")) % PLACES
        for size in range(_SHORTEST, _LONGEST + 1)
        for start in range(max(len(padded) - size + 1, 0))
    )
