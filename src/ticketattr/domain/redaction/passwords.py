"""Passwords, PINs, one-time codes and keys that people write into tickets, by the words before them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

from .found import Found, lowered
from .password_words import (
    BECAME,
    ENDS_OF_VERBS,
    GAP_IS,
    GAP_SIGN,
    HINT,
    IS,
    KEYWORD,
    MORE,
    NEXT,
    NO_SECRET,
    NUMERIC,
    ORDINARY,
    SIGN,
)

_Plain: TypeAlias = Literal["yes", "at the end", "in quotes", "no"]
"""Whether a secret may look like a word: always, at the end of a clause, in quotation marks only, or never."""

_WAYS: tuple[tuple[re.Pattern[str], _Plain], ...] = (
    (SIGN, "yes"),
    (IS, "at the end"),
    (GAP_SIGN, "at the end"),
    (GAP_IS, "in quotes"),
    (BECAME, "no"),
    (NEXT, "no"),
)
_QUOTED = re.compile(r"(?:\"(?P<double>[^\"\n]{1,128})\"|'(?P<single>[^'\n]{1,128})'|`(?P<back>[^`\n]{1,128})`)(?!\w)")
_VALUE = re.compile(r"[^\s\"<>]{1,256}")
_DIGITS = re.compile(r"\d(?:[ -]?\d){2,11}(?![\w-])(?!\.\d)")
_NEXT_FIELD = re.compile(r"[;&,][\w. ]{1,40}[=:]|[,;][^\s]{0,2}\Z|</|\\n")
_CLOSERS = ".,;:)]}'`*|/"
_CLAUSE_END = re.compile(
    r"['\"`)*\]]{0,3}(?:[ \t]{0,3}(?:\Z|[\n.,;!?)]|--?[ \t])"
    r"|[ \t](?:and|but|und|aber|et|mais|y|pero|please|bitte)\b)"
)
_STRONG_SYMBOL = re.compile(r"[!@#$%^&*+=~§€£]")

_CODE_FIRST = re.compile(
    r"(?<![\w.-])(?P<value>\d{4,8}|\d{3}[ -]\d{3})(?![\w-]|\.\d) (?:is|ist|est|es|è) "
    r"(?:your|my|the|ihr|dein|mein|der|votre|mon|su|tu|mi|il tuo) [^.\n]{0,40}?"
    r"(?:code|pin|otp|tan|passw|kennwort|c[oó]digo|codice|token)",
    re.IGNORECASE,
)
_TAGGED = re.compile(
    r"<[\w:.-]{0,40}(?:password|passwort|passwd|pwd|secret|token|apikey)[\w-]{0,20}>(?P<value>[^<>\n]{1,512})</", re.I
)
_OTHERS = ((" ", _CODE_FIRST), ("</", _TAGGED))
_PAIR_HINT = re.compile(r"\w[ \t]{0,2}[/|:][ \t]{0,2}\S{4}")
_PAIR = re.compile(
    r"(?<![^\W_])(?:credentials?|creds|zugangsdaten|anmeldedaten|login-?daten|login|logon|anmeldung|identifiants"
    r"|credenciales|account|konto|user(?:name)?|benutzer(?:name)?)"
    r"(?:[ \t]{0,2}(?:data|info|daten|sind|are|is|ist|sont|son))?[ \t]{0,2}[:=]?[ \t]{1,3}"
    r"(?P<user>[\w.@\\-]{2,64})(?:[ \t]{0,2}[/|][ \t]{0,2}|:)(?P<value>[^\s\"<>]{4,128})",
    re.IGNORECASE,
)


def find_passwords(text: str) -> Iterator[Found]:
    """Finds passwords, PINs, one-time codes and keys that a word announces, and pairs of user and password."""
    lower = lowered(text)
    if HINT.search(lower):
        yield from _after_keywords(text, lower)
    for needed, pattern in _OTHERS:
        if needed in text:
            for match in pattern.finditer(text):
                yield Found(*match.span("value"), "SECRET")
    if _PAIR_HINT.search(text):
        for match in _PAIR.finditer(text):
            value = _trimmed(match["value"])
            if _is_mixed(value):
                yield Found(match.start("value"), match.start("value") + len(value), "SECRET")


def _after_keywords(text: str, lower: str) -> Iterator[Found]:
    for match in KEYWORD.finditer(lower):
        start, end = match.span()
        if match["short"] and start and lower[start - 1].isalnum():
            continue
        found = _announced(text, match[0], end)
        while found:
            yield found
            between = MORE.match(text, found.end)
            found = _secret(text, between.end(), "no") if between else None


def _announced(text: str, word: str, end: int) -> Found | None:
    """Returns the secret after a keyword that ends at `end`: that of the first way to announce one that fits."""
    is_numeric = NUMERIC.fullmatch(word) is not None
    for way, plain in _WAYS:
        match = way.match(text, end)
        found = _secret(text, match.end(), plain, is_numeric=is_numeric) if match else None
        if found:
            return found
    return None


def _secret(text: str, start: int, plain: _Plain, *, is_numeric: bool = False) -> Found | None:
    """Returns the secret that begins at `start`; None if what is there is no secret."""
    quoted = _QUOTED.match(text, start)
    if quoted and quoted.lastgroup:
        value = quoted[quoted.lastgroup]
        is_secret = _is_mixed(value) or (plain != "no" and not _is_ordinary(value))
        return Found(*quoted.span(quoted.lastgroup), "SECRET") if is_secret else None
    digits = _DIGITS.match(text, start) if is_numeric else None
    if digits:
        return Found(*digits.span(), "SECRET")
    match = _VALUE.match(text, start)
    value = _trimmed(match[0]) if match else ""
    end = start + len(value)
    is_plain_allowed = plain == "yes" or (plain == "at the end" and _CLAUSE_END.match(text, end) is not None)
    if _is_mixed(value) or (is_plain_allowed and len(value) >= 3 and not _is_ordinary(value)):
        return Found(start, end, "SECRET")
    return None


def _trimmed(value: str) -> str:
    """Returns `value` without the next field of a list, and without the punctuation of the sentence."""
    following = _NEXT_FIELD.search(value, 1)
    return (value[: following.start()] if following else value).rstrip(_CLOSERS)


def _is_ordinary(value: str) -> bool:
    word = value.strip("!?.,'\"").casefold()
    return word in ORDINARY or NO_SECRET.fullmatch(value) is not None or ENDS_OF_VERBS.fullmatch(word) is not None


def _is_mixed(value: str) -> bool:
    """Whether no word looks like that: letters with digits, or with a sign in them that no word has."""
    if len(value) < 4 or _is_ordinary(value):
        return False
    has_letter = any(map(str.isalpha, value))
    has_digit = any(map(str.isdigit, value))
    inner = value.rstrip("!?.")
    if has_letter and has_digit:
        return True
    return (has_letter or has_digit) and _STRONG_SYMBOL.search(inner) is not None
