"""IP addresses, and the secrets in URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv6Address

from .found import Found

_IPV4 = re.compile(
    r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|[01]?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|[01]?\d?\d)(?![\w-])(?!\.\d)"
)
_IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{2,40}(?:(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])")
_IPV4_HINT, _IPV6_HINT = re.compile(r"\d\.\d{1,3}\.\d"), re.compile(r":[0-9A-Fa-f]{0,4}:")
_NO_ADDRESS = re.compile(
    r"(?<![^\W\d_])(?:v|ver|vers|versi[oó]n\w{0,2}|versione|versie|versão|release|rev|revision|build|firmware|fw|bios|driver|treiber"
    r"|patch|update|chapter|section|kapitel|abschnitt|chapitre|cap[ií]tulo|step|schritt|punkt|raum|room|salle|sala)"
    r"[ \t:.#=-]{0,3}\Z",
    re.IGNORECASE,
)
"""What is before the number of a version or a chapter."""


def find_ip_addresses(text: str) -> Iterator[Found]:
    """Finds IP addresses. Four numbers after a word such as "version" are none."""
    for match in _IPV4.finditer(text) if _IPV4_HINT.search(text) else ():
        if not _NO_ADDRESS.search(text, max(0, match.start() - 20), match.start()):
            yield Found(*match.span(), "IP")
    if _IPV6_HINT.search(text):
        for match in _IPV6.finditer(text):
            address = match[0] if match[0].endswith("::") else match[0].rstrip(":")
            if _is_ipv6(address):
                yield Found(match.start(), match.start() + len(address), "IP")


def _is_ipv6(text: str) -> bool:
    """Whether it is an address. `a::b` is one, too, and more often a name in a program: a digit is needed."""
    if text.count(":") < 2 or not any(map(str.isdigit, text)):
        return False
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


_USER_INFO = re.compile(
    r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://(?P<secret>[^\s/@\"'<>]{1,256}(?:@[^\s/@\"'<>]{1,256}){0,3})@"
)
_PARAMETER = re.compile(
    r"[?&#;](?:amp;)?(?P<name>[\w.\-\[\]%]{1,64})=(?P<secret>[^\s&#\"'<>;]{1,4096})",
)
_NAME_OF_SECRET = re.compile(
    r"token|secret|passw|passwd|kennwort|pwd|api.?key|access.?key|auth|signature|session|jwt|credential|assertion"
    r"|^(?:x-amz-.{1,20}|key|sig|sid|code|otp|pin|pass|pw|ticket|hash|sas|nonce|state|samlresponse|samlrequest|t|k)$",
    re.IGNORECASE,
)
_HARMLESS_NAME = re.compile(
    r"^(?:author|authority|token_?type|response_?type|auth_?type|sessions|expires\w{0,8})$", re.IGNORECASE
)
_SHORT_NAME = re.compile(r"^(?:t|k|ticket|hash|code|state|nonce|key)$", re.IGNORECASE)
_PATH = re.compile(
    r"https?://[^\s\"'<>]{1,200}?/(?:services|webhooks?|webhookb2|bot|reset[\w-]{0,20}|password-?reset|verify|verification|invit\w{1,7}"
    r"|activat\w{1,6}|confirm\w{0,8}|magic-?link|magic|token|signin|unsubscribe|share|s|recover\w{0,3}|join)(?P<slash>/)?"
    r"(?P<secret>[\w:%~./+=-]{8,512})",
    re.IGNORECASE,
)


def find_url_secrets(text: str) -> Iterator[Found]:
    """Finds user and password in URLs, parameters that are named like secrets, and long random parts of paths."""
    if "://" in text:
        for match in _USER_INFO.finditer(text):
            yield Found(*match.span("secret"), "SECRET")
        yield from _paths(text)
    if "=" in text:
        for match in _PARAMETER.finditer(text):
            if _is_secret(match["name"], match["secret"]):
                yield Found(*match.span("secret"), "SECRET")


def _is_secret(name: str, value: str) -> bool:
    if _HARMLESS_NAME.match(name) or not _NAME_OF_SECRET.search(name):
        return False
    return len(value) >= 8 if _SHORT_NAME.match(name) else True


def _paths(text: str) -> Iterator[Found]:
    """Finds what is random in a path: a reset link, the address of a webhook, the token of a bot."""
    for match in _PATH.finditer(text):
        secret = match["secret"]
        if match["slash"] is None and ":" not in secret:
            continue
        if any(_is_random(part) for part in re.split("[/.]", secret)):
            yield Found(*match.span("secret"), "SECRET")


def _is_random(part: str) -> bool:
    """Whether no person wrote it: at least 16 characters, with digits among letters."""
    return len(part) >= 16 and len(re.findall(r"\d", part)) >= 3 and re.search("[A-Za-z]", part) is not None
