"""HTML split into tags and text, the way a browser splits it (HTML Living Standard, 13.2.5).

`html.parser` is not used: its result differs between Python releases, and some input takes it quadratic time.
Each rule here moves forward only, so the time is linear.
"""

from __future__ import annotations

import html
import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class StartTag:
    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    is_self_closing: bool = False


@dataclass(frozen=True, slots=True)
class EndTag:
    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """Text with its entities decoded."""

    text: str


@dataclass(frozen=True, slots=True)
class StyleSheet:
    css: str


Token: TypeAlias = StartTag | EndTag | Text | StyleSheet

_NOT_SHOWN = frozenset(("script", "iframe", "noembed", "noframes", "noscript", "title"))
_VERBATIM = frozenset(("xmp", "plaintext"))
_TAG_NAME = re.compile(r"[a-zA-Z][^\t\n\r\f />]*")
_BETWEEN = re.compile(r"[\t\n\r\f /]*")
_ATTRIBUTE_NAME = re.compile(r"=?[^\t\n\r\f />=]*")
_EQUALS = re.compile(r"[\t\n\r\f ]*=[\t\n\r\f ]*")
_BARE_VALUE = re.compile(r"[^\t\n\r\f >]*")
_COMMENT_END = re.compile("--!?>")
_RAW_END = {name: re.compile(rf"</{name}(?=[\t\n\r\f />])", re.I) for name in (*_NOT_SHOWN, "style", "xmp", "textarea")}
# Python refuses to read a number with thousands of digits.
_LONG_REFERENCE = re.compile(r"&#(x0*|0*)([0-9a-f]{8,});?", re.I)
_REFERENCE = re.compile("&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")


def tokens(source: str) -> Iterator[Token]:
    """The tags and texts of `source` in order; comments and what is never shown are left out."""
    at = 0
    while at < len(source):
        opening = source.find("<", at)
        if opening < 0:
            opening = len(source)
        if opening > at:
            yield Text(decode_entities(source[at:opening]))
        at = yield from _markup(source, opening)


def decode_entities(text: str) -> str:
    """`text` with `&amp;`, `&#228;` and so on replaced by what they stand for."""
    return html.unescape(_LONG_REFERENCE.sub(_shortened, text)) if "&" in text else text


def _shortened(reference: re.Match[str]) -> str:
    prefix, digits = reference.groups()
    is_hexadecimal = prefix[:1] in ("x", "X")
    length = len(digits) if is_hexadecimal else len(digits) - len(digits.lstrip("0123456789"))
    kept = digits[:length].lstrip("0")[:8] or "0"
    return f"&#{'x' if is_hexadecimal else ''}{kept};{digits[length:]}"


def _markup(source: str, at: int) -> Generator[Token, None, int]:
    """Yields what begins at the `<` at `at`; returns where the rest begins."""
    following = source[at + 1 : at + 3]
    if following[:1].isascii() and following[:1].isalpha():
        return (yield from _start_tag(source, at))
    if following[:1] == "/" and following[1:].isascii() and following[1:].isalpha():
        name, _, end = _tag(source, at + 2)
        if end is None:
            return len(source)
        yield EndTag(name)
        return end
    if following[:1] in ("!", "?") or (following[:1] == "/" and len(following) > 1):
        return _end_of_comment(source, at)
    if at < len(source):
        yield Text("<")
    return at + 1


def _end_of_comment(source: str, at: int) -> int:
    if source.startswith(("<!-->", "<!--->"), at):
        return source.index(">", at) + 1
    if source.startswith("<!--", at):
        ending = _COMMENT_END.search(source, at + 4)
        return ending.end() if ending else len(source)
    closing = source.find(">", at)
    return closing + 1 if closing >= 0 else len(source)


def _start_tag(source: str, at: int) -> Generator[Token, None, int]:
    name, attributes, end = _tag(source, at + 1)
    if end is None:
        return len(source)
    yield StartTag(name, attributes, is_self_closing=source[end - 2] == "/")
    if name == "plaintext":
        yield Text(source[end:])
        return len(source)
    if name not in _RAW_END:
        return end
    closing = _RAW_END[name].search(source, end)
    content = source[end : closing.start() if closing else len(source)]
    if name == "style":
        yield StyleSheet(content)
    elif name in _VERBATIM:
        yield Text(content)
    elif name not in _NOT_SHOWN:
        yield Text(decode_entities(content))
    return closing.start() if closing else len(source)


def _tag(source: str, at: int) -> tuple[str, dict[str, str], int | None]:
    """The name, the attributes, and where the tag ends (None: the source ends within the tag)."""
    start, at = at, _end(_TAG_NAME, source, at)
    tag_name = source[start:at].lower()
    attributes: dict[str, str] = {}
    while True:
        at = _end(_BETWEEN, source, at)
        if at >= len(source):
            return tag_name, attributes, None
        if source[at] == ">":
            return tag_name, attributes, at + 1
        ending = _end(_ATTRIBUTE_NAME, source, at)
        name = source[at:ending].lower()
        value, at = _value(source, ending)
        attributes.setdefault(name, value)


def _value(source: str, at: int) -> tuple[str, int]:
    equals = _EQUALS.match(source, at)
    if not equals:
        return "", at
    at = equals.end()
    quote = source[at : at + 1]
    if quote in ('"', "'"):
        closing = source.find(quote, at + 1)
        if closing < 0:
            return "", len(source)
        return _decoded_value(source[at + 1 : closing]), closing + 1
    ending = _end(_BARE_VALUE, source, at)
    return _decoded_value(source[at:ending]), ending


def _decoded_value(value: str) -> str:
    # In an address, "&copy=1" is no sign of copyright.
    return _REFERENCE.sub(lambda reference: html.unescape(reference.group()), value) if "&" in value else value


def _end(pattern: re.Pattern[str], source: str, at: int) -> int:
    found = pattern.match(source, at)
    return found.end() if found else at
