"""What was found in a text, and the text in the form in which it is searched."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, get_args

Kind = Literal["SECRET", "IBAN", "CARD", "ID", "EMAIL", "PHONE", "IP", "TERM"]
"""SECRET: passwords, keys, tokens, codes. ID: tax and insurance numbers. TERM: the user's own names and patterns.

What is found as two kinds is reported as the first of them.
"""
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Found:
    """A private part of a text, from the character `start` to before `end`."""

    start: int
    end: int
    kind: Kind


Finder: TypeAlias = Callable[[str], Iterable[Found]]
"""Finds private parts of a text. They may overlap, and come in any order."""

_DIGITS = re.compile(r"[0-9]+")
_APART = 8
"""The most characters between two groups of digits of one number: letters, and a separator on both sides."""
_AROUND = 12
_INVISIBLE = re.compile("[\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"
_QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"
_APOSTROPHES = "\u2018\u2019\u201a\u201b\u00b4"


def readable(text: str) -> tuple[str, list[int] | None]:
    """Returns `text` in the form in which it is searched, and the place of each of its characters in `text`.

    Full-width characters, foreign digits, dashes, quotation marks and spaces become those of ASCII; invisible
    characters are left out. The places are None if they are the same.
    """
    if text.isascii():
        return text, None
    folded = text.translate(_plain_characters())
    if not _INVISIBLE.search(folded):
        return folded, None
    places = [place for place, character in enumerate(folded) if not _INVISIBLE.match(character)]
    return "".join(folded[place] for place in places), [*places, len(text)]


@lru_cache(maxsize=1)
def _plain_characters() -> dict[int, str]:
    plain = {ord(character): "-" for character in _DASHES}
    plain |= {ord(character): '"' for character in _QUOTES}
    plain |= {ord(character): "'" for character in _APOSTROPHES}
    plain |= {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    plain |= dict.fromkeys((160, 5760, *range(8192, 8203), 8239, 8287, 12288), " ")
    plain[0xFE6B] = "@"
    for code in (*range(0x660, 0x10000), *range(0x1D7CE, 0x1D800)):
        digit = unicodedata.decimal(chr(code), None)
        if digit is not None:
            plain[code] = str(digit)
    return plain


@lru_cache(maxsize=64)
def lowered(text: str) -> str:
    """Returns `text` in lower case, with as many characters as before."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(character.lower() if len(character.lower()) == 1 else character for character in text)


def numbers_in(text: str, least: int) -> Iterator[tuple[int, int]]:
    """Yields where something with at least `least` digits is, with some characters around it: start and end."""
    start, end, count = 0, -_APART, 0
    for match in _DIGITS.finditer(text):
        first, last = match.span()
        if first - end > _APART:
            if count >= least:
                yield max(0, start - _AROUND), min(len(text), end + _AROUND)
            start, count = first, 0
        end, count = last, count + last - first
    if count >= least:
        yield max(0, start - _AROUND), min(len(text), end + _AROUND)


def merged(finds: Iterable[Found]) -> list[Found]:
    """Returns the finds in the order of the text. Those that overlap become one, of the kind that comes first."""
    result: list[Found] = []
    for found in sorted(finds, key=lambda found: (found.start, -found.end)):
        last = result[-1] if result else None
        if last is None or found.start >= last.end:
            result.append(found)
        else:
            kind = min(last.kind, found.kind, key=KINDS.index)
            result[-1] = Found(last.start, max(last.end, found.end), kind)
    return result
