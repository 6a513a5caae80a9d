"""Tokens: shown once, kept as hashes, with a scope and an end."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ticketattr.application.service.access import (
    SESSION,
    caller_of_secret,
    caller_of_session,
    create_token,
    revoke_token,
    sign_in,
    sign_out,
)
from ticketattr.domain.access import Caller
from ticketattr.errors import InputError, ServiceError, SettingsError
from ticketattr.infrastructure.service.state_db import SQLiteServiceState

NOW = datetime(2026, 11, 28, 9, tzinfo=timezone.utc)
ROOT = Caller("root", "operate", "command line")


@pytest.fixture
def store(tmp_path: Path) -> SQLiteServiceState:
    return SQLiteServiceState(tmp_path / "work" / "service.db")


def created(store: SQLiteServiceState, name: str = "ann", expires: datetime | None = None) -> str:
    return create_token(store, ROOT, name, "read", expires=expires, now=NOW, random=lambda: f"random-{name}")


def test_whoever_shows_the_secret_of_a_token_has_its_scope(store: SQLiteServiceState) -> None:
    secret = created(store)
    assert caller_of_secret(store, secret, "192.0.2.7", NOW) == Caller("ann", "read", "192.0.2.7")
    assert caller_of_secret(store, secret + "x", "192.0.2.7", NOW) is None


def test_a_secret_is_kept_nowhere(store: SQLiteServiceState) -> None:
    secret = created(store)
    cookie = sign_in(store, secret, "", NOW, lambda: "a-random-cookie")
    assert cookie
    content = b"".join(path.read_bytes() for path in store.path.parent.iterdir())
    assert secret.encode() not in content
    assert cookie.encode() not in content


def test_the_state_can_be_read_by_its_owner_alone(store: SQLiteServiceState) -> None:
    created(store)
    assert {path.stat().st_mode & 0o077 for path in store.path.parent.iterdir()} == {0}


def test_a_token_is_good_also_while_its_use_cannot_be_recorded(store: SQLiteServiceState) -> None:
    secret = created(store)

    def full(*_: object) -> None:
        raise ServiceError("the disk is full")

    state = type("Full", (SQLiteServiceState,), {"touch_token": full})(store.path)
    assert caller_of_secret(state, secret, "", NOW)


def test_an_expired_token_lets_nobody_in(store: SQLiteServiceState) -> None:
    secret = created(store, expires=NOW + timedelta(days=1))
    assert caller_of_secret(store, secret, "", NOW + timedelta(hours=23))
    assert caller_of_secret(store, secret, "", NOW + timedelta(days=1)) is None


def test_a_revoked_token_lets_nobody_in_and_signs_out_who_came_in_with_it(store: SQLiteServiceState) -> None:
    secret = created(store)
    cookie = sign_in(store, secret, "", NOW, lambda: "cookie")
    assert cookie
    assert caller_of_session(store, cookie, "", NOW)
    revoke_token(store, ROOT, "ann", NOW)
    assert caller_of_secret(store, secret, "", NOW) is None
    assert caller_of_session(store, cookie, "", NOW) is None


def test_a_session_ends_by_itself_or_when_the_person_signs_out(store: SQLiteServiceState) -> None:
    secret = created(store)
    first = sign_in(store, secret, "", NOW, lambda: "first")
    second = sign_in(store, secret, "", NOW, lambda: "second")
    assert first
    assert second
    sign_out(store, first)
    assert caller_of_session(store, first, "", NOW) is None
    assert caller_of_session(store, second, "", NOW + SESSION - timedelta(seconds=1))
    assert caller_of_session(store, second, "", NOW + SESSION) is None


def test_the_last_use_of_a_token_is_known(store: SQLiteServiceState) -> None:
    secret = created(store)
    caller_of_secret(store, secret, "", NOW)
    (token,) = store.tokens()
    assert token.last_used == NOW


def test_a_name_is_taken_once_also_after_it_was_revoked(store: SQLiteServiceState) -> None:
    created(store)
    revoke_token(store, ROOT, "ann", NOW)
    with pytest.raises(SettingsError, match="already a token ann"):
        created(store)


@pytest.mark.parametrize("name", ["", "a b", "-x", "ann\n", "é", "a" * 65, "a/b"])
def test_a_name_that_no_token_can_have_is_refused(store: SQLiteServiceState, name: str) -> None:
    with pytest.raises(SettingsError, match="cannot be the name of a token"):
        created(store, name)


def test_a_token_that_does_not_exist_cannot_be_revoked(store: SQLiteServiceState) -> None:
    with pytest.raises(InputError, match="no token has the name bob"):
        revoke_token(store, ROOT, "bob", NOW)


def test_who_created_and_revoked_which_token_is_in_the_audit_and_so_is_a_refusal(store: SQLiteServiceState) -> None:
    created(store, expires=NOW + timedelta(days=1))
    with pytest.raises(SettingsError):
        created(store)
    revoke_token(store, ROOT, "ann", NOW)
    with pytest.raises(InputError):
        revoke_token(store, ROOT, "bob", NOW)
    entries = store.audit()[::-1]
    assert {(entry.at, entry.who, entry.origin) for entry in entries} == {(NOW, "root", "command line")}
    assert [(entry.action, entry.detail, entry.outcome) for entry in entries] == [
        ("token create", "ann (read, until 2026-11-29)", "created"),
        ("token create", "ann (read)", "refused: there is already a token ann"),
        ("token revoke", "ann", "revoked"),
        ("token revoke", "bob", "refused: no token has the name bob"),
    ]


def test_whoever_may_operate_may_read_and_not_the_other_way(store: SQLiteServiceState) -> None:
    assert Caller("ann", "operate").may("read")
    assert Caller("ann", "read").may("read")
    assert not Caller("ann", "read").may("operate")


@pytest.mark.parametrize(("later", "recorded"), [(59, False), (60, True), (61, True)])
def test_the_use_of_a_token_is_recorded_once_a_minute(store: SQLiteServiceState, later: int, recorded: bool) -> None:
    secret, then = created(store), NOW + timedelta(seconds=later)
    for now in (NOW, then):
        caller_of_secret(store, secret, "", now)
    (token,) = store.tokens()
    assert token.last_used == (then if recorded else NOW)


def test_signing_in_keeps_a_session_of_twelve_hours_for_the_secret_of_a_valid_token_alone(
    store: SQLiteServiceState,
) -> None:
    secret = created(store, expires=NOW + timedelta(days=1))
    assert sign_in(store, secret, "page", NOW, lambda: "cookie") == "cookie"
    late = NOW + timedelta(hours=12)
    assert caller_of_session(store, "cookie", "page", late - timedelta(seconds=1)) == Caller("ann", "read", "page")
    assert caller_of_session(store, "cookie", "page", late) is None
    assert sign_in(store, f"{secret}x", "page", NOW, lambda: "other") is None
    assert sign_in(store, secret, "page", NOW + timedelta(days=1), lambda: "other") is None
    assert caller_of_session(store, "other", "page", NOW) is None


def test_a_use_that_cannot_be_recorded_is_a_warning(
    store: SQLiteServiceState, caplog: pytest.LogCaptureFixture
) -> None:
    secret = created(store)

    def full(*_: object) -> None:
        raise ServiceError("the disk is full")

    state = type("Full", (SQLiteServiceState,), {"touch_token": full})(store.path)
    assert caller_of_secret(state, secret, "api", NOW) == Caller("ann", "read", "api")
    assert caplog.messages == ["the use of the token ann is not recorded: the disk is full"]


def test_a_refusal_says_what_to_do(store: SQLiteServiceState) -> None:
    created(store)
    with pytest.raises(SettingsError) as taken:
        created(store)
    with pytest.raises(SettingsError) as wrong:
        created(store, "a b")
    with pytest.raises(InputError) as missing:
        revoke_token(store, ROOT, "b" * 101, NOW)
    assert [(str(error.value), error.value.hint) for error in (taken, wrong, missing)] == [
        ("there is already a token ann", "Choose another name. A revoked name stays taken."),
        (
            "'a b' cannot be the name of a token",
            "Use 1 to 64 letters, digits, dots, hyphens and underscores, and begin with a letter or a digit.",
        ),
        (f"no token has the name {'b' * 100}", "`ticketattr token list` shows all tokens."),
    ]
    assert store.audit()[0].detail == "b" * 100
