"""Tokens, callers, and who may send chat commands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ticketattr.domain.access import Caller, Token, digest_of, is_token_name
from ticketattr.domain.chat import AllowedSender, Sender, parse_allowed, parse_command

from ..fakes import MIDNIGHT

SECOND = timedelta(seconds=1)


def test_a_token_is_valid_until_it_expires_or_is_revoked() -> None:
    token = Token("n8n", "read", digest_of("tka_x"), MIDNIGHT)
    assert token.is_valid(MIDNIGHT)
    assert not replace(token, revoked=MIDNIGHT).is_valid(MIDNIGHT - SECOND)
    ending = replace(token, expires=MIDNIGHT)
    assert (ending.is_valid(MIDNIGHT - SECOND), ending.is_valid(MIDNIGHT)) == (True, False)


def test_who_may_operate_may_read_and_not_the_other_way_round() -> None:
    reader, operator = Caller("r", "read"), Caller("o", "operate")
    assert [reader.may("read"), reader.may("operate")] == [True, False]
    assert [operator.may("read"), operator.may("operate")] == [True, True]
    assert reader.refusal == "r may only read; this needs the scope operate"


def test_a_secret_is_kept_as_its_sha_256() -> None:
    assert digest_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("name", "fits"),
    [("n8n", True), ("a", True), ("A.b-c_1", True), ("a" * 64, True), ("a" * 65, False)]
    + [(name, False) for name in ("", "-a", ".a", "_a", "a b", "a\n", "ä")],
)
def test_a_token_is_named_with_letters_digits_and_few_signs(name: str, fits: bool) -> None:
    assert is_token_name(name) is fits


@pytest.mark.parametrize(
    ("entry", "allowed"),
    [
        ("telegram:-100:42:read", AllowedSender(Sender("telegram", "-100", "42"), "read")),
        (" telegram:7:7:operate ", AllowedSender(Sender("telegram", "7", "7"), "operate")),
        (
            "matrix:!room:server:@anna:server:read",
            AllowedSender(Sender("matrix", "!room:server", "@anna:server"), "read"),
        ),
        (
            "matrix:!room:server:8448:@anna:server:8448:operate",
            AllowedSender(Sender("matrix", "!room:server:8448", "@anna:server:8448"), "operate"),
        ),
    ],
)
def test_an_entry_names_platform_chat_user_and_scope(entry: str, allowed: AllowedSender) -> None:
    assert parse_allowed(entry) == allowed
    assert entry.strip().rpartition(":")[0] == str(allowed.sender)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("telegram:1:2", "it does not end in :read or :operate"),
        ("telegram:1:2:write", "it does not end in :read or :operate"),
        ("slack:1:2:read", "it begins with neither telegram: nor matrix:"),
        *(
            (f"telegram:{ids}:read", "it is not like telegram:CHAT:USER:read, with the numbers of Telegram")
            for ids in ("1", "a:2", "1:-2", "1:b", "--1:2", ":2", "1:")
        ),
        *(
            (f"matrix:{ids}:read", "it is not like matrix:!room:server:@user:server:read")
            for ids in ("!room:server", "room:server:@anna:server", "!room:server:@anna", "#room:server:@anna:server")
        ),
    ],
)
def test_what_is_wrong_with_an_entry_is_said(entry: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r"^it ") as refused:
        parse_allowed(entry)
    assert str(refused.value) == problem


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/logs 50", ("logs", "50")),
        ("!logs  50 ", ("logs", "50")),
        ("/LOGS@Our_Bot 5  0", ("logs", "5 0")),
        ("/status", ("status", "")),
        ("/ status", ("status", "")),
        ("/", ("", "")),
        ("status", None),
        (" /status", None),
        ("", None),
    ],
)
def test_a_command_begins_with_a_slash_or_an_exclamation_mark(text: str, command: tuple[str, str] | None) -> None:
    assert parse_command(text) == command
