"""Values of settings as `check` may show them: without what is secret."""

from __future__ import annotations

import re

MASK = "********"
"""Whatever is secret, however long."""

_LONGEST = 200


def masked_value(name: str, value: str) -> str:
    """Without what may be secret in a URL: its user, password and query; and not for ever."""
    sanitize = _without_credentials(value) if name.endswith("_URL") or "://" in value else value
    return sanitize if len(sanitize) <= _LONGEST else f"{sanitize[:_LONGEST]} …"


def _without_credentials(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    if not mark:
        scheme, rest = "", url
    place = re.split("[?#]", rest, maxsplit=1)[0]
    query = rest[len(place) :]
    if "@" in query:
        # In a URL that is split at the wrong place, a password looks like a query.
        return f"{scheme}{mark}{MASK}"
    user, at, host = place.rpartition("@")
    return f"{scheme}{mark}{MASK if user else ''}{at}{host}{query[:1]}{MASK if query else ''}"
