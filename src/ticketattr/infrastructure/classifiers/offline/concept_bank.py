"""What IT tickets are about, whatever the catalog: generic concepts, each with phrases and patterns.

`concepts/concepts.json` is the bank: for each concept the names that a catalog might give it, phrases that people
write, in many languages, and patterns of words. `concepts/vectors.npy` holds the vectors of names and phrases, in
their order, so that no process has to work them out:
`python -m ticketattr.infrastructure.classifiers.offline.concept_bank` makes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .kernel import KernelClassifier
from .plain_text import plain
from .sentence_vectors import Vectors, unit, vectors

_FOLDER = Path(__file__).parent / "concepts"
_BANK, _VECTORS = _FOLDER / "concepts.json", _FOLDER / "vectors.npy"
_SCALE = 127 * 4
"""Among 512 numbers of a unit vector none is near 1; what is above a quarter is cut."""

_PATTERN_WEIGHT = 0.1
_PATTERNS_COUNTED = 2
_FIRST_LETTER_OF_OTHER_SCRIPTS = "\u0590"


@dataclass(frozen=True, slots=True)
class Concept:
    """`names` are what a catalog may call it; `domain` is the part of IT that it belongs to."""

    name: str
    domain: str
    names: tuple[str, ...]
    phrases: tuple[str, ...]
    pattern: re.Pattern[str]


class ConceptBank:
    def __init__(self, concepts: Sequence[Concept], rows: Vectors) -> None:
        self.concepts = tuple(concepts)
        names = [place for place, concept in enumerate(concepts) for _ in concept.names]
        phrases = [place for place, concept in enumerate(concepts) for _ in concept.phrases]
        self._name_rows, self._name_places = rows[: len(names)], np.array(names)
        self._kernel = KernelClassifier(rows[len(names) :], phrases, len(concepts))

    def likeness_of_names(self, rows: Vectors) -> NDArray[np.float64]:
        """How near each of `rows` is to the nearest name of each concept."""
        likeness = rows @ self._name_rows.T
        columns = [likeness[:, self._name_places == place].max(axis=1) for place in range(len(self.concepts))]
        return np.asarray(np.stack(columns, axis=1), dtype=np.float64)

    def scores(self, rows: Vectors, titles: Sequence[str], bodies: Sequence[str]) -> NDArray[np.float64]:
        """How much each ticket is about each concept: its meaning, and the words in it, more so in the title."""
        in_title, in_body = self._words_found(titles), self._words_found(bodies)
        everywhere = np.minimum(in_title + in_body, _PATTERNS_COUNTED)
        in_title = np.minimum(in_title, _PATTERNS_COUNTED)
        return self._kernel.scores(rows) + _PATTERN_WEIGHT * (everywhere + in_title / 2)

    def _words_found(self, texts: Sequence[str]) -> NDArray[np.float64]:
        plain_texts = list(map(plain, texts))
        counts = [[len(set(words_found(concept, text))) for concept in self.concepts] for text in plain_texts]
        return np.array(counts, dtype=np.float64)


def words_found(concept: Concept, plain_text: str) -> list[str]:
    return [match.group() for match in concept.pattern.finditer(plain_text)]


@lru_cache(maxsize=1)
def concept_bank() -> ConceptBank:
    rows = np.load(_VECTORS).astype(np.float32) / _SCALE
    return ConceptBank(read_concepts(), unit(rows))


def read_concepts() -> list[Concept]:
    return [
        Concept(
            name=concept["name"],
            domain=concept["domain"],
            names=tuple(concept["names"]),
            phrases=tuple(concept["phrases"]),
            pattern=_pattern(concept["patterns"]),
        )
        for concept in json.loads(_BANK.read_text(encoding="utf-8"))
    ]


def compressed_vectors(concepts: Sequence[Concept]) -> NDArray[np.int8]:
    """Of all names, then of all phrases: a byte for each number, which moves no cosine by more than 0.01."""
    names = [name for concept in concepts for name in concept.names]
    phrases = [phrase for concept in concepts for phrase in concept.phrases]
    return np.clip(np.round(vectors([*names, *phrases]) * _SCALE), -127, 127).astype(np.int8)


def _pattern(patterns: Sequence[str]) -> re.Pattern[str]:
    """One for all. Each is a regular expression, over whole words where a script has them apart and alone."""
    return re.compile("|".join(map(_whole_words, map(plain, patterns))))


def _whole_words(pattern: str) -> str:
    if pattern[0] >= _FIRST_LETTER_OF_OTHER_SCRIPTS:
        return f"(?:{pattern})"
    return rf"(?<!\w)(?:{pattern})(?!\w)"


if __name__ == "__main__":
    np.save(_VECTORS, compressed_vectors(read_concepts()))
