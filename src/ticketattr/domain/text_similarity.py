"""Whether the text of a ticket, which changed, is still about the same matter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .term_index import Bag

ANOTHER_BELOW = 0.4
"""A text that is less similar than this to the earlier one is another text.

Of pairs of different tickets about IT in the labelled sets, 99.9 % are below 0.35. A reply that is added to a ticket
results in 1.0.
"""

_WORD = re.compile(r"\w+")
# Thai to Lao, Myanmar, Khmer, Kana, Han: scripts that put no spaces between words.
_NO_SPACES = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def has_same_words(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two tickets, given by their short and long description, have the same words in the same order."""
    return one == other or [*map(_words, one)] == [*map(_words, other)]


def is_another_text(earlier: tuple[str, str], now: tuple[str, str]) -> bool:
    """Whether a ticket is about another matter `now` than `earlier`, by its short and long description."""
    return similarity(earlier, now) < ANOTHER_BELOW


def similarity(one: tuple[str, str], other: tuple[str, str]) -> float:
    """The part of the shorter ticket that the longer one has, too, from 0 to 1; 0 if one has no words.

    So a text to which something is added, or from which something is cut, stays the same. Long words count most,
    because they are rarely shared by chance. Words of the short description count twice.
    """
    first, second = _bag(*one), _bag(*other)
    shorter = min(sum(first.values()), sum(second.values()))
    shared = sum(min(weight, second[term]) for term, weight in first.items() if term in second)
    return shared / shorter if shorter else 0.0


def _bag(short_description: str, long_description: str) -> Bag:
    bag = {term: 2.0 * len(term) for term in _terms(short_description)}
    for term in set(_terms(long_description)):
        bag[term] = bag.get(term, 0.0) + len(term)
    return bag


def _terms(text: str) -> Iterator[str]:
    """Words; of scripts without spaces, the pairs of neighbouring characters."""
    for word in _words(text):
        if len(word) > 2 and _NO_SPACES.search(word):
            yield from (word[start : start + 2] for start in range(len(word) - 1))
        else:
            yield word


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
