"""How the requests of a profile sign in, in words for a message about a refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .placeholders import placeholders
from .profile import Profile, Request

_SECRETS = {"key", "secret"}


def sign_in_of(profile: Profile) -> str:
    """The ways in which the requests of `profile` sign in, such as "a bearer token"; empty if it uses no secret."""
    ways = [f"a session (sign-in at {profile.session.request.path})"] if profile.session else []
    if profile.auth:
        ways.append("basic authentication")
    ways += [_header(name, value) for name, value in profile.headers.items() if _holds_secret(value)]
    ways += _ways_of(profile.session.request if profile.session else profile.tickets.request)
    return " and ".join(dict.fromkeys(ways))


def _ways_of(request: Request) -> Iterator[str]:
    yield from (_header(name, value) for name, value in request.headers.items() if _holds_secret(value))
    yield from (f"the query parameter {name}" for name, value in request.query.items() if _holds_secret(value))
    body: Mapping[str, Any] = request.form or (request.json if isinstance(request.json, Mapping) else {}) or {}
    yield from (f"{name} in the body" for name, value in body.items() if _holds_secret(value))


def _header(name: str, value: str) -> str:
    if name.lower() == "authorization":
        scheme = value.partition(" ")[0] if " " in value else ""
        return "a bearer token" if scheme.lower() == "bearer" else f"the header {name} {scheme}".rstrip()
    return f"the header {name}"


def _holds_secret(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_SECRETS.intersection(placeholders(value)))
    if isinstance(value, Mapping):
        return any(map(_holds_secret, value.values()))
    return isinstance(value, list) and any(map(_holds_secret, value))
