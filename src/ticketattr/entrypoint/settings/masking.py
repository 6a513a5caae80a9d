"""Values of settings as `check` may show them, without secrets."""

from __future__ import annotations

import re

MASK = "********"
"""Replaces a secret of any length."""

_LONGEST = 200


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
