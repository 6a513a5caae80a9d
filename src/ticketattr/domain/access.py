"""Who may use the service: tokens, their scopes, and when a token is valid."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

Scope: TypeAlias = Literal["read", "operate"]
"""`read` sees everything. `operate` also starts runs, changes the schedule and decides about tickets and reports."""

PREFIX = "tka_"
"""Every secret starts with it, so that scanners for leaked secrets recognise one."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept: its secret only as a SHA-256. Times are in UTC.

    `expires` is None for a token without an end, `revoked` for one that nobody revoked.
    """

    name: str
    scope: Scope
    digest: str
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    last_used: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether the token may be used at `now`."""
        return not self.revoked and (self.expires is None or now < self.expires)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the service: the name of a token, or of a person whom a reverse proxy signed in.

    `origin` is the address that the call came from.
    """

    name: str
    scope: Scope
    origin: str = ""

    def may(self, scope: Scope) -> bool:
        """Whether the caller has the rights of `scope`. Whoever may operate may read, too."""
        return scope in ("read", self.scope)

    @property
    def refusal(self) -> str:
        """Why every door refuses what this caller may not do."""
        return f"{self.name} may only read; this needs the scope operate"


def digest_of(secret: str) -> str:
    """The SHA-256 of a secret, in hexadecimal digits. A secret is random, so it needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_token_name(text: str) -> bool:
    """Whether `text` can name a token: up to 64 letters, digits, dots, hyphens and underscores."""
    return bool(_NAME.fullmatch(text))
