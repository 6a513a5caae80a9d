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
_MANY_DIGITS = re.compile(r"\d{6,16}(?![\w-])(?!\.\d)")
_NEXT_FIELD = re.compile(r"[;&,][\w. ]{1,40}[=:]|[,;][^\s]{0,2}\Z|</|\\n")
_CLOSERS = ".,;:)]}'`*|/"
_CLAUSE_END = re.compile(
    r"['\"`)*\]]{0,3}(?:[ \t]{0,3}(?:\Z|[\n.,;!?)]|--?[ \t])"
    r"|[ \t](?:and|but|und|aber|et|mais|y|pero|please|bitte)\b)"
)
_STRONG_SYMBOL = re.compile(r"[!@#$%^&*+=~§€£]")

_CODE_FIRST = re.compile(
    r"(?P<value>\d(?<![\w.-]\d)(?:\d{3,7}|\d\d[ -]\d{3}))(?![\w-]|\.\d) (?:is|ist|est|es|è) "
    r"(?:your|my|the|ihr|dein|mein|der|votre|mon|su|tu|mi|il tuo) [^.\n]{0,40}?"
    r"(?:code|pin|otp|tan|passw|kennwort|c[oó]digo|codice|token)"
)
_TAGGED = re.compile(
    r"<[\w:.-]{0,40}(?:password|passwort|passwd|pwd|secret|token|apikey)[\w-]{0,20}>(?P<value>[^<>\n]{1,512})</", re.I
)
_BEFORE = re.compile(
    r" (?:is|as|ist|als|est|es|comme|como|è|é) "
    r"(?:(?:my|the|a|mein|das|mon|le|mi|la|new|neues|nouveau|nueva|wifi|wlan) ){0,3}"
    r"(?:passwor[dt]|kennwort|mot de passe|contraseña|wachtwoord|senha|pin\b)"
)
"""`… is my password`."""
_LAST_WORD = re.compile(r"[^\s\"<>]{4,128}\Z")
_LONGEST, _AROUND = 129, 32
_IN_COMMAND = re.compile(
    r"(?:\b(?:mysql|mysqldump|mysqladmin|mariadb|sshpass)\b[^\n]{0,80}? -p ?|/user:\S{1,64} {1,3}"
    r"|\bcurl\b[^\n]{0,80}? (?:-u|--user) ?[\"']?[\w.@\\-]{1,64}:)(?!-)(?P<value>[^\s\"'<>]{4,128}|'[^'\n]{4,128}')"
)
_PAIR_WORDS = (
    r"(?:credential|creds|zugangsdaten|anmelde|login|logon|anmeldung|identifiants|credenciales|account|konto|user"
    r"|benutzer)"
)
_PAIR_HINT = re.compile(_PAIR_WORDS)
_PAIR = re.compile(
    rf"{_PAIR_WORDS}(?:s|name|daten|-daten)?(?:[ \t]{{0,2}}(?:data|info|daten|sind|are|is|ist|sont|son))?"
    r"[ \t]{0,2}[:=]?[ \t]{1,3}"
    r"(?P<user>[\w.@\\-]{2,64})(?:[ \t]{0,2}[/|][ \t]{0,2}|:|,? (?=[^\s\"<>]{0,128}[!#$%^&*@]))"
    r"(?P<value>[^\s\"<>]{4,128})"
)


def find_passwords(text: str) -> Iterator[Found]:
    """Finds passwords, PINs, one-time codes and keys that a word announces, and pairs of user and password."""
    lower = lowered(text)
    hints = [match.span() for match in HINT.finditer(lower)]
    if hints:
        yield from _after_keywords(text, lower, hints)
        yield from _before_keywords(text, lower)
        for match in _CODE_FIRST.finditer(lower):
            yield Found(*match.span("value"), "SECRET")
    if "</" in text:
        for match in _TAGGED.finditer(text):
            yield Found(*match.span("value"), "SECRET")
    if _PAIR_HINT.search(lower):
        yield from _mixed(_PAIR, text, lower)
    if any(word in lower for word in ("mysql", "mariadb", "sshpass", "curl", "/user:")):
        yield from _mixed(_IN_COMMAND, text, text)


def _mixed(pattern: re.Pattern[str], text: str, searched: str) -> Iterator[Found]:
    """Finds the values of a pattern that look like no word."""
    for match in pattern.finditer(searched):
        start = match.start("value")
        value = _trimmed(text[start : match.end("value")])
        if _is_mixed(value):
            yield Found(start, start + len(value), "SECRET")


def _before_keywords(text: str, lower: str) -> Iterator[Found]:
    """Finds the secret in `… is my password`."""
    for match in _BEFORE.finditer(lower):
        value = _LAST_WORD.search(text, max(0, match.start() - _LONGEST), match.start())
        if value and _is_mixed(_trimmed(value[0])):
            yield Found(*value.span(), "SECRET")


def _after_keywords(text: str, lower: str, hints: list[tuple[int, int]]) -> Iterator[Found]:
    done = 0
    for first, last in hints:
        # A keyword is around its hint, and nowhere else.
        for match in KEYWORD.finditer(lower, max(done, first - _AROUND), last + _AROUND):
            start, done = match.span()
            if match["short"] and start and lower[start - 1].isalnum():
                continue
            yield from _secrets_after(text, match[0], done)


def _secrets_after(text: str, word: str, end: int) -> Iterator[Found]:
    found = _announced(text, word, end)
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
    digits = (_DIGITS if is_numeric else _MANY_DIGITS).match(text, start)
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
