"""Text from strangers, made safe to show: it hides nothing, and it cannot change how the text around it looks.

Control characters, and characters that change the direction of text, are replaced by a visible sign, so that one row
cannot pose as another. Half surrogate pairs, which no file can hold, become replacement characters. Emoji and every
script stay as they are.
"""

from __future__ import annotations

import re

# C0 except tab and line feed, DEL, C1, line and paragraph separators, direction marks and overrides, surrogates, and
# the two noncharacters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_CUT = " … [cut]"
_PASSAGE = 20
_LONGEST_READ = 8_000


def sanitize(text: str) -> str:
    """`text` with a visible sign for each hidden character, and with every line end as a line feed."""
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(_sign, text.replace("\r\n", "\n").replace("\r", "\n"))


def truncate(text: str, units: int) -> str:
    """At most `units` UTF-16 code units of `text`; where something is cut off, the end says so."""
    if len(text) <= units // 2:
        return text
    encoded = text.encode("utf-16-le")
    if len(encoded) <= 2 * units:
        return text
    return encoded[: 2 * (units - len(_CUT))].decode("utf-16-le", "ignore") + _CUT


def _sign(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    if code < 0x20:
        return chr(0x2400 + code)
    if 0xD800 <= code <= 0xDFFF or code >= 0xFFFE:
        return "\N{REPLACEMENT CHARACTER}"
    return f"[U+{code:04X}]"


def unless_repeated(words: str, sent: str) -> str:
    """`words`, or nothing if they repeat a passage of `sent`, such as the text of a ticket."""
    passages = (words[start : start + _PASSAGE] for start in range(min(len(words), _LONGEST_READ) - _PASSAGE + 1))
    return "" if any(passage in sent for passage in passages) else words
