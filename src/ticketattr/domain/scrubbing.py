"""Finds secrets and mail addresses in text from outside, however they are spelled there, and replaces them.

A service that refuses something often repeats what it got: the key, the line with the login, the recipient. It may
escape them (URL, HTML, JSON, quoted-printable), fold them over lines, or repeat them as base64 and hexadecimal digits,
alone or within a longer text such as that of AUTH PLAIN.
"""

from __future__ import annotations

import html
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

SECRET, ADDRESS = "<secret>", "<address>"

_SHORTEST, _SHORTEST_PERSONAL = 4, 8
"""What is shorter is found only where it stands alone: many texts contain it by chance."""
_SURE = 8
"""A secret of that length is none of the words of our own messages."""
_PART = 12
"""So many characters of a secret in a row are replaced, too: a service may cut what it repeats."""
_MOST_LAYERS = 4
_ENCODINGS = ("utf-8", "latin-1")

_INVISIBLE = "\x00-\x20\x7f-\xa0\xad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u2069\ufeff"
_NOTHING = re.compile(rf"=\r?\n|[\s{_INVISIBLE}]")
_ESCAPE = re.compile(
    r"(?:%[0-9A-Fa-f]{2})+|(?:=[0-9A-Fa-f]{2})+|(?:\\x[0-9A-Fa-f]{2})+|(?:\\u[0-9A-Fa-f]{4})+"
    r"|&#[0-9]{1,7};?|&#[xX][0-9A-Fa-f]{1,6};?|&[A-Za-z]{2,8};|\\[^\w\s]"
)
_HEX_PAIR = re.compile("[0-9A-Fa-f]{2}")
_OF_BASE64 = re.compile(r"[A-Za-z0-9+/_=%-]")
_AT = r"(?:[@\uff20\ufe6b]|[\[({<]\s{0,2}(?:at|AT|@)\s{0,2}[\])}>])"
_NAME = r"[^\s<>\"(),:;\[\]{}]{1,64}"
_MAIL_ADDRESS = re.compile(rf"<?(?:{_NAME}|\"[^\"\n]{{1,64}}\")\s{{0,2}}{_AT}\s{{0,2}}[^\s<>\"(),;{{}}]{{1,255}}>?")
_SPELLED_ADDRESS = re.compile(rf"\b{_NAME} at {_NAME}(?: dot [\w-]{{1,63}}){{1,5}}\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scrubber:
    """What it replaces: the secrets that it was made for, what is personal, and every mail address."""

    secrets: _Needles
    sure: _Needles
    personal: _Needles

    def scrubbed(self, text: str) -> str:
        """`text` without secrets, personal words and mail addresses."""
        layers = _layers(text, _NOTHING)
        spans = [(*span, SECRET) for span in self.secrets.spans(text, layers)]
        spans += [(*span, ADDRESS) for span in (*self.personal.spans(text, layers), *_addresses(text))]
        return _replaced(text, spans)

    def without_secrets(self, text: str) -> str:
        """`text` without secrets. Personal words and addresses stay, and so do secrets of less than 8 characters."""
        if not self.sure:
            return text
        return _replaced(text, [(*span, SECRET) for span in self.sure.spans(text, _layers(text, _NOTHING))])


@dataclass(frozen=True, slots=True)
class _Needles:
    """What is searched for: `alone` only as a word of its own, `whole` anywhere, `parts` in pieces.

    `encoded` and `encoded_parts` are base64, where a hit stands for all base64 around it.
    """

    alone: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    encoded: frozenset[str] = frozenset()
    encoded_parts: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.alone or self.whole or self.parts)

    def spans(self, text: str, layers: Sequence[_Layer]) -> Iterator[tuple[int, int]]:
        """Start and end of each hit in `text`, of which `layers` are the readings."""
        for word in self.alone:
            for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text):
                yield match.span()
        for layer in layers:
            lower = _lower(layer.text)
            yield from layer.hits(_whole(layer.text, self.whole))
            yield from layer.hits(_parts(lower, self.parts))
            encoded = (*_whole(layer.text, self.encoded), *_parts(layer.text, self.encoded_parts))
            for start, end in layer.hits(encoded):
                yield _extended(text, start, end)


@dataclass(frozen=True, slots=True)
class _Layer:
    """One reading of a text: each character of it stands for the original from one of `starts` to one of `ends`."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def hits(self, found: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        for start, end in found:
            yield self.starts[start], self.ends[end - 1]


def scrubber(secrets: Iterable[str], personal: Iterable[str] = ()) -> Scrubber:
    """Returns the scrubber that replaces `secrets`, and `personal` words such as addresses and user names."""
    found = set(secrets)
    sure = {word for word in found if len(word) >= _SURE}
    return Scrubber(
        secrets=_needles(found, _SHORTEST, in_parts=True),
        sure=_needles(sure, _SURE, in_parts=True),
        personal=_needles(set(personal), _SHORTEST_PERSONAL, in_parts=False),
    )


def _needles(words: set[str], shortest: int, *, in_parts: bool) -> _Needles:
    # A secret may itself look escaped, and then it is read otherwise in every text.
    compact = {layer.text for word in words for layer in _layers(word, _NOTHING)} - {""}
    long = {word for word in compact if len(word) >= shortest}
    spelled = long | {word.strip().replace(" ", "+") for word in words if " " in word.strip()}
    digits = {word.encode("utf-8", "ignore").hex() for word in words if len(word) >= shortest}
    spelled |= digits | {word.upper() for word in digits}
    encoded = {core for word in words if len(word) >= shortest for core in _base64_cores(word)}
    return _Needles(
        alone=frozenset(compact - long),
        whole=frozenset(word for word in spelled if not (in_parts and len(word) > _PART)),
        parts=frozenset(part for word in spelled if in_parts and len(word) > _PART for part in _pieces(_lower(word))),
        encoded=frozenset(core for core in encoded if len(core) <= _PART),
        encoded_parts=frozenset(part for core in encoded if len(core) > _PART for part in _pieces(core)),
    )


def _base64_cores(word: str) -> Iterator[str]:
    """The base64 of `word` at each position within a longer text, without what depends on that text."""
    for encoding in _ENCODINGS:
        content = word.encode(encoding, "ignore")
        for offset, dependent in enumerate((0, 2, 3)):
            full = (offset + len(content)) * 8 // 6
            core = b64encode(b"\0" * offset + content).decode()[dependent:full]
            if len(core) >= _SHORTEST:
                yield core
                yield core.replace("+", "-").replace("/", "_")


def _pieces(word: str) -> Iterator[str]:
    return (word[start : start + _PART] for start in range(len(word) - _PART + 1))


def _lower(text: str) -> str:
    """`text` in lower case, with as many characters as before."""
    if text.isascii():
        return text.lower()
    return "".join(character.lower() if len(character.lower()) == 1 else character for character in text)


def _whole(text: str, needles: frozenset[str]) -> Iterator[tuple[int, int]]:
    for needle in needles:
        start = text.find(needle)
        while start >= 0:
            yield start, start + len(needle)
            start = text.find(needle, start + 1)


def _parts(text: str, parts: frozenset[str]) -> Iterator[tuple[int, int]]:
    if parts:
        for start in range(len(text) - _PART + 1):
            if text[start : start + _PART] in parts:
                yield start, start + _PART


def _extended(text: str, start: int, end: int) -> tuple[int, int]:
    while start > 0 and _OF_BASE64.match(text[start - 1]):
        start -= 1
    while end < len(text) and _OF_BASE64.match(text[end]):
        end += 1
    return start, end


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    for layer in _layers(text, None):
        for pattern in (_MAIL_ADDRESS, _SPELLED_ADDRESS):
            yield from layer.hits(match.span() for match in pattern.finditer(layer.text))


def _layers(text: str, left_out: re.Pattern[str] | None) -> list[_Layer]:
    """The readings of `text`: without what `left_out` matches, and then with escapes decoded again and again."""
    layer = _Layer(text, range(len(text)), range(1, len(text) + 1))
    if left_out and left_out.search(text):
        layer = _substituted(layer, left_out, lambda _: "")
    layers = [layer]
    while len(layers) < _MOST_LAYERS and _ESCAPE.search(layer.text):
        layer = _substituted(layer, _ESCAPE, _unescaped)
        if left_out:
            layer = _substituted(layer, left_out, lambda _: "")
        layers.append(layer)
    return layers


def _substituted(layer: _Layer, pattern: re.Pattern[str], decode: Callable[[str], str]) -> _Layer:
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for match in pattern.finditer(layer.text):
        start, end = match.span()
        decoded = decode(match.group())
        pieces += (layer.text[done:start], decoded)
        starts += (*layer.starts[done:start], *([layer.starts[start]] * len(decoded)))
        ends += (*layer.ends[done:start], *([layer.ends[end - 1]] * len(decoded)))
        done = end
    pieces.append(layer.text[done:])
    return _Layer("".join(pieces), [*starts, *layer.starts[done:]], [*ends, *layer.ends[done:]])


def _unescaped(escape: str) -> str:
    if escape[0] == "&":
        return html.unescape(escape)
    if escape[:2] == "\\u":
        units = bytes.fromhex(escape.replace("\\u", ""))
        return units.decode("utf-16-be", "replace")
    if escape[0] == "\\" and len(escape) == 2:
        return escape[1]
    content = bytes.fromhex("".join(_HEX_PAIR.findall(escape)))
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _replaced(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """`text` with a mark in place of each span; spans that overlap become one, a secret if one of them is."""
    pieces: list[str] = []
    done = 0
    for start, end, mark in sorted(spans):
        if start < done:
            if mark == SECRET:
                pieces[-1] = mark
        else:
            pieces += (text[done:start], mark)
        done = max(done, end)
    return "".join((*pieces, text[done:]))
