"""Keys and tokens that are known by their form, wherever they are in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .found import Found, lowered

_B = r"(?<![A-Za-z0-9])"
_E = r"(?![A-Za-z0-9])"

_FORMS = tuple(
    re.compile(form)
    for form in (
        r"AGE-SECRET-KEY-1[A-Z0-9]{20,80}",
        rf"{_B}eyJ[\w-]{{8,}}(?:\.[\w-]{{2,}}){{1,4}}\.?",
        rf"{_B}A(?:KI|SI|GP|ID|RO|IP|NP|NV|3T)A[A-Z0-9]{{12,16}}{_E}",
        rf"{_B}gh[pousr]_[A-Za-z0-9]{{20,255}}",
        rf"{_B}github_pat_\w{{20,255}}",
        rf"{_B}gl(?:pat|rt|dt|cbt|ptt|ft|soat|agent|imt|oas)-[\w.-]{{16,255}}",
        rf"{_B}xox[abeoprs]-[\w.-]{{8,255}}",
        rf"{_B}xapp-[\w-]{{10,255}}",
        rf"{_B}(?:sk|pk|rk|whsec)_(?:(?:live|test)_)?[A-Za-z0-9]{{16,255}}",
        rf"{_B}sk-[\w-]{{16,255}}",
        rf"{_B}AIza[\w-]{{30,45}}",
        rf"{_B}ya29\.[\w-]{{10,512}}",
        rf"{_B}GOCSPX-[\w-]{{10,64}}",
        rf"{_B}hf_[A-Za-z0-9]{{20,64}}",
        rf"{_B}npm_[A-Za-z0-9]{{20,64}}",
        rf"{_B}pypi-[\w-]{{30,512}}",
        rf"{_B}SG\.[\w-]{{10,64}}\.[\w-]{{10,128}}",
        r"do[opr]_v1_[a-f0-9]{32,128}",
        rf"{_B}shp(?:at|ca|pa|ss)_[a-fA-F0-9]{{20,64}}",
        rf"{_B}dapi[a-f0-9]{{32}}(?:-\d)?",
        rf"{_B}hv[sbr]\.[\w-]{{20,255}}",
        r"dckr_pat_[\w-]{20,64}",
        r"lin_api_[A-Za-z0-9]{20,64}",
        rf"{_B}ATATT3[\w=-]{{20,512}}",
        r"[A-Za-z0-9]{10,20}\.atlasv1\.[\w-]{20,128}",
        rf"{_B}sq0[a-z]{{3}}-[\w-]{{20,64}}",
        rf"{_B}EAAA[\w-]{{40,80}}",
        r"PMAK-[a-f0-9]{20,40}-[a-f0-9]{20,50}",
        r"NRAK-[A-Z0-9]{20,40}",
        rf"{_B}key-[a-f0-9]{{32}}{_E}",
        r"glsa_[A-Za-z0-9]{20,64}_[a-f0-9]{8}",
        r"figd_[\w-]{20,64}",
        r"dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{20,128}",
        r"sntrys_[\w=+/-]{20,512}",
        r"secret_[A-Za-z0-9]{30,64}",
        r"rubygems_[a-f0-9]{32,64}",
        r"ntn_[A-Za-z0-9]{30,64}",
        rf"{_B}SK[a-f0-9]{{32}}{_E}",
        rf"{_B}\d{{8,10}}:AA[\w-]{{30,40}}",
        rf"{_B}[MNO][\w-]{{23,27}}\.[\w-]{{6}}\.[\w-]{{27,45}}",
        r"[\w.~-]{2,4}8Q~[\w.~-]{30,40}",
        r"\$(?:1|2[abxy]?|5|6|7|y|sha1|md5|apr1|argon2(?:id?|d)|scrypt|pbkdf2[\w-]{0,10})\$[\w./$=,+-]{16,512}",
        rf"{_B}(?=[A-Za-z0-9+/]{{0,40}}\d)(?=[A-Za-z0-9+/]{{0,40}}[A-Z])[A-Za-z0-9+/]{{84,88}}=={_E}",
        rf"{_B}[0-9A-Z]{{5}}(?:-[0-9A-Z]{{5}}){{4,5}}{_E}",
        rf"{_B}\d{{6}}(?:-\d{{6}}){{7}}{_E}",
        r"(?<=ASP\.NET_SessionId=)\w{8,64}",
    )
)
_HINT = re.compile(
    r"AGE-SEC|eyJ|AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|A3TA|gh[pousr]_|github_|gl[a-z]{2,5}-|xox|xapp-|sk_|pk_|rk_|whsec_|sk-|AIza"
    r"|ya29|GOCSPX|hf_|npm_|pypi-|SG\.|do[opr]_v1|shp[a-z]{2}_|dapi|hv[sbr]\.|dckr_|lin_api|ATATT|atlasv1|sq0|EAAA|PMAK|NRAK"
    r"|key-|glsa_|figd_|dp\.|sntrys_|secret_|rubygems_|ntn_|SK[a-f0-9]{4}|:AA|\.[\w-]{6}\.[\w-]{27}|8Q~|\$[a-z0-9]{1,10}\$"
    r"|==|-[0-9A-Z]{5,6}-|SessionId="
)
"""Without it, none of the forms is in a text. Looking for it first saves most of the time."""
_BLOCK_START = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----"
    r"|PuTTY-User-Key-File-\d:"
)
_BLOCK_END = re.compile(
    r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|---- END SSH2 ENCRYPTED PRIVATE KEY ----"
    r"|Private-MAC: ?[0-9a-fA-F]{1,128}"
)
_HEADER = re.compile(
    r"\b(?:proxy-)?authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:(?:bearer|basic|digest|negotiate|ntlm|token|apikey)\s{1,3})?"
    r"(?P<secret>[^\s\"',;]{4,8192})"
    r"|\bbearer\s{1,3}(?P<bearer>(?=[^\s\"',;]{0,200}[\d._=-])[\w.~+/=-]{12,8192})"
    r"|\b(?:set-)?cookie[\"']?\s{0,3}:\s{0,3}(?P<cookie>[^\n\"']{4,8192})",
    re.IGNORECASE,
)
_COOKIE = re.compile(r"(?P<name>[\w.-]{1,64})=(?P<secret>[^\s;,\"']{6,4096})")
_COOKIE_ATTRIBUTE = re.compile(r"expires|path|domain|max-age|samesite|priority|version", re.IGNORECASE)

_LONG = 32
_LONG_WORD = re.compile(rf"(?<![\w+/=.@:\\-])[\w+/-]{{{_LONG},512}}={{0,2}}(?![\w@\\])")
_CHANGES = re.compile(r"(?:[a-z](?=[A-Z0-9])|[A-Z](?=[0-9])|[0-9](?=[A-Za-z]))")


def find_keys(text: str) -> Iterator[Found]:
    """Finds keys and tokens by their form: those of many services, private keys, hashes of passwords, random words."""
    for form in _FORMS if _HINT.search(text) else ():
        for match in form.finditer(text):
            yield Found(*match.span(), "SECRET")
    yield from _blocks(text)
    yield from _headers(text)
    yield from _random_words(text)


def _blocks(text: str) -> Iterator[Found]:
    """Finds private keys in PEM and alike. Without an end, the text was cut, and all that follows belongs to it."""
    if "-----END" in text and "-----BEGIN" not in text:
        end = _BLOCK_END.search(text)
        if end:
            yield Found(0, end.end(), "SECRET")
    done = 0
    for start in _BLOCK_START.finditer(text):
        if start.start() >= done:
            end = _BLOCK_END.search(text, start.end())
            done = end.end() if end else len(text)
            yield Found(start.start(), done, "SECRET")


def _headers(text: str) -> Iterator[Found]:
    """Finds what a client sends to say who it is: `Authorization`, `Bearer`, and the values of cookies."""
    lower = lowered(text)
    if not any(word in lower for word in ("authorization", "bearer", "cookie")):
        return
    for match in _HEADER.finditer(text):
        group = match.lastgroup or ""
        if group != "cookie":
            yield Found(*match.span(group), "SECRET")
            continue
        for cookie in _COOKIE.finditer(text, *match.span("cookie")):
            if not _COOKIE_ATTRIBUTE.fullmatch(cookie["name"]):
                yield Found(*cookie.span("secret"), "SECRET")


def _random_words(text: str) -> Iterator[Found]:
    """Finds long words that mix small and capital letters and digits too often for a name.

    Digits with letters up to f are hashes and identifiers. They stay.
    """
    if max(map(len, text.split()), default=0) < _LONG:
        return
    for match in _LONG_WORD.finditer(text):
        word = match[0]
        if sum(map(str.isdigit, word)) >= 4 and len(_CHANGES.findall(word)) >= len(word) / 5 and _is_mixed(word):
            yield Found(*match.span(), "SECRET")


def _is_mixed(word: str) -> bool:
    parts = re.split("[-_/+]", word.rstrip("="))
    is_mixed = any(map(str.islower, word)) and any(map(str.isupper, word)) and not re.fullmatch("[0-9A-Fa-f-]+", word)
    return is_mixed and max(map(len, parts)) >= 16
