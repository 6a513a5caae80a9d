"""Replaces what is private in texts by placeholders, such as `[EMAIL_1]`, and puts it back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .found import KINDS, Finder, Found, Kind, merged, readable

# A model takes the word SECRET for the subject of a ticket: security.
_WORDS: Mapping[Kind, str] = {kind: "REDACTED" if kind == "SECRET" else kind for kind in KINDS}
_KIND_OF: Mapping[str, Kind] = {word: kind for kind, word in _WORDS.items()}
_PLACEHOLDER = re.compile(rf"\[({'|'.join(_KIND_OF)})_(\d{{1,9}})\]", re.IGNORECASE)
_MOST_PASSES = 6
_SHORTEST_REPEATED, _LONGEST_REPEATED = 4, 128
_WORD_START = re.compile(r"(?<![^\W_])\S")
_LONGEST_PLACEHOLDER = 20


@dataclass(frozen=True, slots=True)
class Redactor:
    """What is private: the rules, and the user's own `terms`. `fingerprint` tells it from others."""

    finders: tuple[Finder, ...]
    fingerprint: str

    def find(self, text: str) -> list[Found]:
        """Returns the private parts of `text`, in its order. None overlaps another one or a placeholder."""
        searched, places = readable(text)
        finds = [found for find in self.finders for found in find(searched)]
        if places is not None:
            finds = [Found(places[found.start], places[found.end - 1] + 1, found.kind) for found in finds]
        return list(_outside_placeholders(text, merged(finds)))

    def redact(self, documents: Iterable[Sequence[str]]) -> Redaction:
        """Returns the texts of all `documents` without their private parts. A document is the texts of one ticket.

        The same private text gets the same placeholder in all of them.
        """
        given = [tuple(texts) for texts in documents]
        names = _Names(_placeholders_in(text for texts in given for text in texts))
        redacted = tuple(self._redacted(texts, names) for texts in given)
        return Redaction(redacted, {placeholder: original for (_, original), placeholder in names.given.items()})

    def _redacted(self, texts: tuple[str, ...], names: _Names) -> tuple[str, ...]:
        for _ in range(_MOST_PASSES):
            searched = [(text, self.find(text)) for text in texts]
            known = {text[found.start : found.end]: found.kind for text, finds in searched for found in finds}
            if not known:
                break
            texts = tuple(names.replaced(text, merged([*finds, *_repeated(text, known)])) for text, finds in searched)
        return texts


@dataclass(frozen=True, slots=True)
class Redaction:
    """Texts without what is private: one tuple for each document. `originals` says what each placeholder stands for."""

    documents: tuple[tuple[str, ...], ...]
    originals: Mapping[str, str]

    def restored(self, text: str, document: int | None = None) -> str:
        """Returns `text` with the private text in place of each placeholder.

        With the position of a `document`, only the placeholders of that document are replaced.
        """
        allowed = self.originals if document is None else self._originals_of(document)
        return _PLACEHOLDER.sub(lambda match: allowed.get(_canonical(match), match[0]), text)

    def places(self, text: str) -> Iterator[tuple[Found, str]]:
        """Yields where placeholders are in a redacted `text`, and what each stands for."""
        for match in _PLACEHOLDER.finditer(text):
            original = self.originals.get(match[0])
            if original is not None:
                yield Found(*match.span(), _KIND_OF[match[1]]), original

    def hidden(self, text: str) -> str:
        """Returns `text` with a placeholder in place of each private text of the documents."""
        for placeholder, original in sorted(self.originals.items(), key=lambda item: -len(item[1])):
            text = text.replace(original, placeholder)
        return text

    def _originals_of(self, document: int) -> Mapping[str, str]:
        names = _placeholders_in(self.documents[document])
        return {name: original for name, original in self.originals.items() if name in names}


@dataclass(slots=True)
class _Names:
    """The placeholders that were given so far, by kind and private text. None of `taken` is given."""

    taken: frozenset[str]
    given: dict[tuple[Kind, str], str] = field(default_factory=dict)
    numbers: Counter[Kind] = field(default_factory=Counter)

    def replaced(self, text: str, finds: Iterable[Found]) -> str:
        pieces: list[str] = []
        done = 0
        for found in _outside_placeholders(text, finds):
            pieces += (text[done : found.start], self._placeholder(found.kind, text[found.start : found.end]))
            done = found.end
        return "".join((*pieces, text[done:]))

    def _placeholder(self, kind: Kind, original: str) -> str:
        if (kind, original) not in self.given:
            self.given[kind, original] = self._new(kind)
        return self.given[kind, original]

    def _new(self, kind: Kind) -> str:
        while True:
            self.numbers[kind] += 1
            placeholder = f"[{_WORDS[kind]}_{self.numbers[kind]}]"
            if placeholder not in self.taken:
                return placeholder


def _canonical(match: re.Match[str]) -> str:
    return f"[{match[1].upper()}_{int(match[2])}]"


def _placeholders_in(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(_canonical(match) for text in texts for match in _PLACEHOLDER.finditer(text))


def _outside_placeholders(text: str, finds: Iterable[Found]) -> Iterator[Found]:
    """Cuts the placeholders out of the finds, and leaves out what then has no letter and no digit."""
    for found in finds:
        start = found.start
        around = max(0, start - _LONGEST_PLACEHOLDER), found.end + _LONGEST_PLACEHOLDER
        taken = [match.span() for match in _PLACEHOLDER.finditer(text, *around) if match.end() > start]
        for first, last in (*taken, (found.end, found.end)):
            end = min(first, found.end)
            if any(map(str.isalnum, text[start:end])):
                yield Found(start, end, found.kind)
            start = max(start, min(last, found.end))


def _repeated(text: str, known: Mapping[str, Kind]) -> Iterator[Found]:
    """Finds the other places of a document at which something stands that was found in it."""
    lengths = {len(original) for original in known if _SHORTEST_REPEATED <= len(original) <= _LONGEST_REPEATED}
    for match in _WORD_START.finditer(text) if lengths else ():
        start = match.start()
        for length in lengths:
            end = start + length
            kind = known.get(text[start:end])
            if kind and end <= len(text) and not _joins(text, end):
                yield Found(start, end, kind)


def _joins(text: str, place: int) -> bool:
    """Whether the characters around `place` belong to one word."""
    return 0 < place < len(text) and text[place - 1].isalnum() and text[place].isalnum()
