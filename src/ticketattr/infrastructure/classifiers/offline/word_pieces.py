"""A text as pieces of its words, two to five characters long, each hashed into one of a fixed number of buckets.

Pieces match in spite of typing errors, inflection and compounds, and need no list of words in any language. Two pieces
may share a bucket, but there are so many buckets that this does little harm.
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
    """Returns the text of a ticket in which the title counts twice."""
    return plain(f"{title} {title} {body}"[:_MAX_TEXT])


def words_of(text: str) -> list[str]:
    """Returns what white space separates."""
    return _TOKEN.findall(text)


def counted(words: Iterable[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Returns the buckets of all pieces, ascending, and the weight of each: 1 plus the logarithm of its count."""
    counts = Counter(place for word in words for place in pieces(word))
    places = sorted(counts)
    weights = [1 + math.log(counts[place]) for place in places]
    return np.array(places, dtype=np.int64), np.array(weights, dtype=np.float64)


@lru_cache(maxsize=50_000)
def pieces(word: str) -> tuple[int, ...]:
    """Returns the bucket of each piece. A space at either end marks the start and the end of the word."""
    padded = f" {word} "
    return tuple(
        zlib.crc32(padded[start : start + size].encode("utf-8", "replace")) % PLACES
        for size in range(_SHORTEST, _LONGEST + 1)
        for start in range(max(len(padded) - size + 1, 0))
    )
