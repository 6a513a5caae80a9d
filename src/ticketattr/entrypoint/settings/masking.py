"""Values of settings as `check` may show them, without secrets."""

from __future__ import annotations

import re
from urllib.parse import unquote

MASK = "********"
"""Replaces a secret of any length."""

_LONGEST = 200
_SHORTEST_TOKEN = 8
_LONG = 20
_NAMES_OF_SECRETS = re.compile("key|token|secret|pass|pwd|auth|sig|code|cred|session", re.IGNORECASE)


def masked_value(name: str, value: str) -> str:
    """`value` without the user, password and query of a URL, and cut if it is very long."""
    shown_value = _without_credentials(value) if name.endswith("_URL") or "://" in value else value
    return shown_value if len(shown_value) <= _LONGEST else f"{shown_value[:_LONGEST]} …"


def _without_credentials(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    if not mark:
        scheme, rest = "", url
    place = re.split("[?#]", rest, maxsplit=1)[0]
    query = rest[len(place) :]
    if "@" in query:
        # A password with a ? or # in it looks like a query.
        return f"{scheme}{mark}{MASK}"
    user, at, host = place.rpartition("@")
    return f"{scheme}{mark}{MASK if user else ''}{at}{host}{query[:1]}{MASK if query else ''}"


def secrets_in_url(text: str, *, is_secret: bool = False) -> set[str]:
    """The password in a URL, and the values of its query that are named like secrets or long.

    With `is_secret`, every longer part of it: services of alerts have tokens in their paths.
    """
    rest = text.partition("://")[2]
    if not rest:
        return set()
    user, at, _ = rest.rpartition("@")
    found = {user.partition(":")[2] or user} if at else set()
    for name, _, value in (pair.partition("=") for pair in re.split("[?&#]", rest)[1:]):
        if _NAMES_OF_SECRETS.search(name) or len(value) >= _LONG:
            found.add(value)
    if is_secret:
        found |= {part for part in re.split("[/:@?&=#,\\s]+", rest) if len(part) >= _SHORTEST_TOKEN and "." not in part}
    return {form for part in found if part for form in (part, unquote(part))}
