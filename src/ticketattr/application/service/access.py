"""Create, check and revoke the tokens with which programs and people use the service."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from ...domain.access import PREFIX, Caller, Scope, Token, digest_of, is_token_name
from ...domain.service_run import AuditEntry
from ...errors import InputError, ServiceError, SettingsError
from .ports import TokenStore

SESSION = timedelta(hours=12)
"""How long a person stays signed in."""

_REMEMBERED_USE = timedelta(minutes=1)

log = logging.getLogger(__name__)


def create_token(
    store: TokenStore,
    caller: Caller,
    name: str,
    scope: Scope,
    *,
    expires: datetime | None,
    now: datetime,
    random: Callable[[], str],
) -> str:
    """Keep a new token and return its secret, which is shown once and kept only as a hash.

    `random` returns a text that nobody can guess. The audit says that `caller` created it, or that the name was taken.
    Raises SettingsError for a name that is not valid or is taken.
    """
    if not is_token_name(name):
        raise SettingsError(
            f"{name!r} cannot be the name of a token",
            hint="Use 1 to 64 letters, digits, dots, hyphens and underscores, and begin with a letter or a digit.",
        )
    secret, taken = PREFIX + random(), f"there is already a token {name}"
    until = f", until {expires:%Y-%m-%d}" if expires else ""

    def entry(is_new: bool) -> AuditEntry:
        outcome = "created" if is_new else f"refused: {taken}"
        return AuditEntry(now, caller.name, caller.origin, "token create", f"{name} ({scope}{until})", outcome)

    if not store.add_token(Token(name, scope, digest_of(secret), now, expires), entry):
        raise SettingsError(taken, hint="Choose another name. A revoked name stays taken.")
    return secret


def revoke_token(store: TokenStore, caller: Caller, name: str, now: datetime) -> None:
    """Revoke a token, and sign out everybody who signed in with it. The audit says that `caller` did.

    Raises InputError, which the audit shows, if no token has this name.
    """
    missing = f"no token has the name {name[:100]}"

    def entry(is_known: bool) -> AuditEntry:
        outcome = "revoked" if is_known else f"refused: {missing}"
        return AuditEntry(now, caller.name, caller.origin, "token revoke", name[:100], outcome)

    if not store.revoke_token(name, now, entry):
        raise InputError(missing, hint="`ticketattr token list` shows all tokens.")


def caller_of_secret(store: TokenStore, secret: str, origin: str, now: datetime) -> Caller | None:
    """The caller who shows `secret`; None if it belongs to no token that is valid now."""
    return _caller(store, store.token_of(digest_of(secret)), origin, now)


def caller_of_session(store: TokenStore, cookie: str, origin: str, now: datetime) -> Caller | None:
    """The person whose browser shows `cookie`; None if the session or its token is no longer valid."""
    return _caller(store, store.session(digest_of(cookie), now), origin, now)


def sign_in(store: TokenStore, secret: str, origin: str, now: datetime, random: Callable[[], str]) -> str | None:
    """The cookie of a new session for whoever shows the secret of a valid token; None for another secret."""
    caller = caller_of_secret(store, secret, origin, now)
    if caller is None:
        return None
    cookie = random()
    store.start_session(digest_of(cookie), caller.name, now + SESSION)
    return cookie


def sign_out(store: TokenStore, cookie: str) -> None:
    """End the session of `cookie`, if there is one."""
    store.end_session(digest_of(cookie))


def _caller(store: TokenStore, token: Token | None, origin: str, now: datetime) -> Caller | None:
    if token is None or not token.is_valid(now):
        return None
    # A write for every call would make readers wait for each other.
    if token.last_used is None or now - token.last_used >= _REMEMBERED_USE:
        try:
            store.touch_token(token.name, now)
        except ServiceError as error:
            # What can be read is shown, also while nothing can be written.
            log.warning("the use of the token %s is not recorded: %s", token.name, error)
    return Caller(token.name, token.scope, origin)
