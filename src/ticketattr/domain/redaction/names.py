"""Names that the user lists: of people, customers, projects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .found import Finder, Found

_WORD = re.compile(r"\w+")
_BETWEEN = 3
"""How many characters may be between two words of a name, such as a dot and a space."""


def find_names(names: Iterable[str]) -> Finder:
    """Returns a finder of these names: whole words, in their order, in small or capital letters.

    The time does not depend on how many names there are.
    """
    by_first: dict[str, list[tuple[str, ...]]] = {}
    for name in names:
        words = tuple(word.casefold() for word in _WORD.findall(name))
        if words:
            by_first.setdefault(words[0], []).append(words)

    def find(text: str) -> Iterator[Found]:
        found = [(match.group().casefold(), match.start(), match.end()) for match in _WORD.finditer(text)]
        for place, (word, start, _) in enumerate(found):
            for words in by_first.get(word, ()):
                end = _end_of(words, found, place)
                if end:
                    yield Found(start, end, "TERM")

    return find


def _end_of(words: tuple[str, ...], found: list[tuple[str, int, int]], place: int) -> int:
    """Returns where the words end that begin at `place` of what was found; 0 if others are there."""
    end = found[place][2]
    for offset, word in enumerate(words[1:], start=place + 1):
        if offset >= len(found) or found[offset][0] != word or found[offset][1] - end > _BETWEEN:
            return 0
        end = found[offset][2]
    return end
