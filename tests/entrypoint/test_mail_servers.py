"""`send` against servers that misbehave: what is recorded, how it ends, what a person is told."""

from __future__ import annotations

import io
import json
import os
import socket
import ssl
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import trustme

from ticketattr.domain.report import Report, Row
from ticketattr.entrypoint.settings import mail
from ticketattr.infrastructure.options import StepTimeouts
from ticketattr.infrastructure.reports.excel import write_workbook

from ..conftest import CLI
from ..scripted_smtp import DRIP, HANG_UP, HANG_UP_WITHIN, IN_PIECES, SAY_NOTHING, Script, scripted_smtp

SETTINGS = {
    "EMAIL_TRANSPORT": "smtp",
    "EMAIL_SMTP_HOST": "127.0.0.1",
    "EMAIL_USE_TLS": "false",
    "EMAIL_TIMEOUT": "5",
    "EMAIL_MAX_RETRIES": "1",
}
LOGIN = {"EMAIL_USERNAME": "desk", "EMAIL_PASSWORD": "password-canary"}
TWO = {"EMAIL_RECIPIENT": "lead@example.com,gone@example.com"}
IMPATIENT = {"EMAIL_TIMEOUT": "0.2"}


_DAY = datetime(2026, 11, 23, tzinfo=timezone.utc)


@cache
def workbook(name: str, rows: int) -> bytes:
    """Kept, because writing one takes longer than sending it."""
    seconds, letters = divmod(crc32(name.encode()), 0x10000)
    run_id = f"{_DAY + timedelta(seconds=seconds):%Y%m%dT%H%M%SZ}-{letters:04x}"
    made = tuple(Row(f"{name} {number}", long_description=os.urandom(400).hex()) for number in range(rows))
    file = io.BytesIO()
    write_workbook(Report(run_id, _DAY, made), file)
    return file.getvalue()


def put_report(cli: CLI, name: str = "report.xlsx", *, age: float = 60, rows: int = 1) -> Path:
    """A report in the folder, `age` seconds old, of a run of its own; its size grows with `rows`."""
    path = cli.folder / "output" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(workbook(name, rows))
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def connect(cli: CLI, script: Script) -> None:
    cli.settings |= {**SETTINGS, "EMAIL_SMTP_PORT": str(script.port)}


def listed(cli: CLI, *options: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(cli.ok("pending", "list", "--format", "json", *options).stdout)
    return rows


@dataclass(frozen=True)
class Case:
    """A server's behaviour, and what becomes of one report: `send` once, then again with a server that behaves."""

    name: str
    replies: dict[str, list[str]]
    exit_code: int
    state: str
    said: str
    settings: dict[str, str] = field(default_factory=dict)
    extensions: tuple[str, ...] = ()
    attempts: int = 0
    arrived: int = 0


CASES = [
    Case("421 at the greeting", {"GREETING": ["421 4.3.2 busy"]}, 4, "pending", "refused the session: 421"),
    Case("421 to the sender", {"MAIL": ["421 4.3.2 busy"]}, 4, "pending", "refused the sender: 421"),
    Case("421 to the recipient", {"RCPT": ["421 4.3.2 busy"]}, 5, "failed", "421 4.3.2 busy", attempts=2),
    Case("421 after the data", {"END": ["421 4.3.2 busy"]}, 5, "failed", "message: 421", attempts=2, arrived=2),
    Case("no greeting", {"GREETING": [SAY_NOTHING]}, 4, "pending", "did not answer", IMPATIENT),
    Case("a greeting that drips", {"GREETING": [DRIP]}, 4, "pending", "did not answer", IMPATIENT),
    Case("hangs up at once", {"GREETING": [HANG_UP]}, 4, "pending", "did not answer"),
    Case("no STARTTLS", {}, 2, "pending", "STARTTLS", {"EMAIL_USE_TLS": "true"}),
    Case("STARTTLS refused", {"STARTTLS": ["454 later"]}, 4, "pending", "454", {"EMAIL_USE_TLS": "1"}, ("STARTTLS",)),
    Case("no AUTH", {}, 2, "pending", "does not offer", LOGIN),
    Case("AUTH refused", {"AUTH": ["535 5.7.8 no"]}, 2, "pending", "refused the login: 535", LOGIN, ("AUTH PLAIN",)),
    Case("AUTH put off", {"AUTH": ["454 4.7.0 later"]}, 4, "pending", "454", LOGIN, ("AUTH PLAIN",)),
    Case("sender refused", {"MAIL": ["550 5.7.1 not yours"]}, 2, "pending", "refused the sender: 550"),
    Case("greylisting, then accepted", {"RCPT": ["450 4.2.0 later", "250 ok"]}, 0, "sent", "1 report sent", arrived=1),
    Case("452 for good", {"RCPT": ["452 4.2.2 mailbox full"]}, 5, "failed", "452 4.2.2", attempts=2),
    Case("450 after the data, then accepted", {"END": ["450 4.3.0 later", "250 ok"]}, 0, "sent", "sent", arrived=2),
    Case("550 to the recipient", {"RCPT": ["550 5.1.1 unknown"]}, 5, "failed", "550 5.1.1", attempts=1),
    # The second one says where the workbook is, and is refused like the first.
    Case("552 after the data", {"END": ["552 5.3.4 too large"]}, 5, "failed", "552 5.3.4", attempts=1, arrived=2),
    Case(
        "552 to the announced size", {"MAIL": ["250 ok", "552 5.3.4 too large"]}, 5, "failed", "552 5.3.4",
        extensions=("SIZE 999999",), attempts=1,
    ),
    Case("554 to DATA", {"DATA": ["554 5.5.1 no"]}, 5, "failed", "554 5.5.1", attempts=1),
    Case("lost before DATA", {"RCPT": [HANG_UP]}, 4, "failed", "mail server broke", attempts=2),
    Case("lost at DATA", {"DATA": [HANG_UP]}, 4, "failed", "mail server broke", attempts=2),
    Case("lost in DATA", {"END": [HANG_UP_WITHIN, "250 ok"]}, 5, "in_doubt", "broke after", attempts=1),
    Case("lost after DATA", {"END": [HANG_UP]}, 5, "in_doubt", "broke after", attempts=1, arrived=1),
    Case("no answer to RCPT", {"RCPT": [SAY_NOTHING]}, 4, "failed", "mail server broke", IMPATIENT, attempts=2),
    Case("no answer to the data", {"END": [SAY_NOTHING]}, 5, "in_doubt", "timed out", IMPATIENT, attempts=1, arrived=1),
    Case("an answer that drips", {"END": [DRIP]}, 5, "in_doubt", "timed out", IMPATIENT, attempts=1, arrived=1),
    Case("nonsense after the data", {"END": ["what?"]}, 5, "in_doubt", "sent an invalid reply", attempts=1, arrived=1),
    Case("nonsense before the data", {"RCPT": ["what?"]}, 5, "failed", "refused the recipient", attempts=2),
    Case(
        "answers in pieces",
        {"GREETING": [f"{IN_PIECES}220-a\r\n220 b"], "END": [f"{IN_PIECES}250-x\r\n250 y"]},
        0, "sent", "1 report sent", arrived=1,
    ),
    Case("an unhappy farewell", {"QUIT": [HANG_UP]}, 0, "sent", "1 report sent", arrived=1),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_server_that_misbehaves(cli: CLI, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    if case.settings == IMPATIENT:
        # The steps of RFC 5321 have bounds of their own, of minutes, which no setting changes.
        monkeypatch.setattr(mail, "STEPS", StepTimeouts(0.2, 0.2, 0.2, 0.2, 0.2, 0.2))
    put_report(cli)
    with scripted_smtp(case.replies, extensions=case.extensions) as script:
        connect(cli, script)
        cli.settings |= case.settings
        result = cli("send")
        assert (result.exit_code, len(script.received)) == (case.exit_code, case.arrived), result.stderr
        assert case.said in result.stderr
        assert "password-canary" not in result.output
        status = listed(cli, "--all")[-1]
        assert status["state"] == case.state
        if case.attempts:
            assert status["attempts"] == case.attempts
            assert status["last_error"]
    assert_it_arrives_as_one_message(cli, script)


def assert_it_arrives_as_one_message(cli: CLI, before: Script) -> None:
    """With a server that behaves, and only if it may not have arrived before: then as the same message."""
    was = listed(cli, "--all")[-1]
    with scripted_smtp() as script:
        connect(cli, script)
        cli.settings |= {"EMAIL_USERNAME": ""}
        cli.ok("send")
        assert len(script.received) == (0 if was["state"] == "sent" else 1)
        if was["state"] == "in_doubt":
            assert {mail.message_id for mail in [*before.received, *script.received]} == {was["message_id"]}
    assert listed(cli) == []


def test_nobody_there(cli: CLI) -> None:
    put_report(cli)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        cli.settings |= {**SETTINGS, "EMAIL_SMTP_PORT": str(listener.getsockname()[1])}
    result = cli("send")
    assert result.exit_code == 4
    assert "did not answer" in result.stderr
    assert [row["state"] for row in listed(cli)] == ["pending"]


class TestCertificates:
    def send(self, cli: CLI, tls: ssl.SSLContext, **settings: str) -> tuple[int, str, Script]:
        put_report(cli)
        with scripted_smtp(extensions=("STARTTLS", "AUTH PLAIN"), tls=tls) as script:
            connect(cli, script)
            cli.settings |= {"EMAIL_USE_TLS": "true", **LOGIN, "EMAIL_MAX_RETRIES": "0", **settings}
            script.replies["AUTH"] = ["235 welcome"]
            result = cli("send")
        return result.exit_code, result.stderr, script

    def server_of(self, authority: trustme.CA, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(context)
        return context

    def test_an_authority_that_nobody_knows_is_refused_before_the_login(self, cli: CLI) -> None:
        code, said, script = self.send(cli, self.server_of(trustme.CA(), "127.0.0.1"))
        assert (code, "AUTH" in script.said, script.received) == (2, False, [])
        assert "is not trusted" in said
        assert "EMAIL_CA_FILE" in said

    def test_another_host_name_is_refused_before_the_login(self, cli: CLI, tmp_path: Path) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        code, said, script = self.send(cli, self.server_of(authority, "mail.example.com"), EMAIL_CA_FILE="ca.pem")
        assert (code, "AUTH" in script.said, script.received) == (2, False, [])
        assert "EMAIL_SMTP_HOST" in said

    def test_a_private_authority_is_trusted_when_it_is_named(self, cli: CLI, tmp_path: Path) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        code, said, script = self.send(cli, self.server_of(authority, "127.0.0.1"), EMAIL_CA_FILE="ca.pem")
        assert code == 0, said
        assert [mail.encrypted for mail in script.received] == [True]

    @pytest.mark.parametrize("content", [None, "no certificate"])
    def test_a_file_without_certificates_is_a_setting(self, cli: CLI, content: str | None) -> None:
        if content:
            (cli.folder / "ca.pem").write_text(content)
        code, said, script = self.send(cli, self.server_of(trustme.CA(), "127.0.0.1"), EMAIL_CA_FILE="ca.pem")
        assert (code, script.said) == (2, [])
        assert "EMAIL_CA_FILE" in said


class TestPlainText:
    def test_a_password_is_shown_to_no_remote_server(self, cli: CLI) -> None:
        put_report(cli)
        cli.settings |= {**SETTINGS, **LOGIN, "EMAIL_SMTP_HOST": "mail.example.com"}
        result = cli("send")
        assert result.exit_code == 2
        assert "EMAIL_ALLOW_PLAIN_AUTH" in result.stderr

    def test_a_password_may_be_shown_on_this_machine(self, cli: CLI) -> None:
        put_report(cli)
        with scripted_smtp({"AUTH": ["235 welcome"]}, extensions=("AUTH PLAIN",)) as script:
            connect(cli, script)
            cli.settings |= LOGIN
            cli.ok("send")
        assert "AUTH" in script.said

    def test_it_may_be_allowed(self, cli: CLI) -> None:
        # Nobody is at that name: what counts is that the settings are taken.
        put_report(cli)
        cli.settings |= {**SETTINGS, **LOGIN, "EMAIL_SMTP_HOST": "mail.invalid", "EMAIL_ALLOW_PLAIN_AUTH": "true"}
        assert cli("send").exit_code == 4


class TestSize:
    def test_a_server_that_announces_a_size_gets_several_mails_oldest_first(self, cli: CLI) -> None:
        paths = [put_report(cli, f"{number}.xlsx", age=900 - number, rows=600) for number in range(5)]
        size = paths[0].stat().st_size
        with scripted_smtp(extensions=(f"SIZE {int(size * 1.4 * 2.5)}",)) as script:
            connect(cli, script)
            assert "5 reports sent" in cli.ok("send").stderr
        assert [mail.names for mail in script.received] == [["0.xlsx", "1.xlsx"], ["2.xlsx", "3.xlsx"], ["4.xlsx"]]
        assert len({mail.message_id for mail in script.received}) == 3

    def test_a_mail_says_where_a_report_is_that_is_too_large_alone_and_blocks_nobody(self, cli: CLI) -> None:
        put_report(cli, "huge.xlsx", age=900, rows=400)
        put_report(cli, "small.xlsx")
        cli.settings["EMAIL_MAX_SIZE"] = "100000"
        with scripted_smtp(extensions=("SIZE 99999999",)) as script:
            connect(cli, script)
            result = cli("send")
        assert result.exit_code == 0
        assert sorted(mail.names for mail in script.received) == [[], ["small.xlsx"]]
        assert listed(cli) == []
        refused, *_ = listed(cli, "--all")
        assert (refused["file"], refused["state"]) == ("output/huge.xlsx", "failed")
        assert "too large: at most 100,000 are accepted" in refused["last_error"]

    def test_a_report_that_the_server_finds_too_large_blocks_nobody(self, cli: CLI) -> None:
        for age, name in ((900, "a.xlsx"), (800, "b.xlsx"), (700, "c.xlsx")):
            put_report(cli, name, age=age)
        with scripted_smtp({"END": ["552 5.3.4 too large", "250 ok", "552 5.3.4 too large", "250 ok"]}) as script:
            connect(cli, script)
            # The refusal of the data is said, although a mail without the workbook was accepted.
            assert cli("send").exit_code == 5
        assert [mail.names for mail in script.received] == [
            ["a.xlsx", "b.xlsx", "c.xlsx"],
            ["a.xlsx"],
            ["b.xlsx"],
            [],
            ["c.xlsx"],
        ]
        assert listed(cli) == []


class TestRecipients:
    def test_one_of_two_refused_for_good_counts_as_sent_and_is_told(self, cli: CLI) -> None:
        put_report(cli)
        with scripted_smtp({"RCPT gone@example.com": ["550 5.1.1 unknown"]}) as script:
            connect(cli, script)
            cli.settings |= TWO
            result = cli("send")
            assert result.exit_code == 5
            assert "1 report sent\nrefused for a recipient: 550 5.1.1 unknown\n" in result.stderr
            assert "nothing to send" in cli.ok("send").stderr
        assert [mail.recipients for mail in script.received] == [("lead@example.com",)]
        (row,) = listed(cli, "--all")
        assert row["state"] == "sent"
        assert [(one["address"], one["state"]) for one in row["recipients"]] == [
            ("lead@example.com", "sent"),
            ("gone@example.com", "refused"),
        ]

    def test_one_put_off_gets_the_same_message_later_alone(self, cli: CLI) -> None:
        put_report(cli)
        with scripted_smtp({"RCPT gone@example.com": ["450 4.2.0 later"]}) as script:
            connect(cli, script)
            cli.settings |= TWO
            result = cli("send")
            assert result.exit_code == 5
            assert "sent, but 1 recipient deferred" in result.stderr
            (row,) = listed(cli)
            assert (row["state"], row["last_error"]) == ("sent", "deferred: 450 4.2.0 later")
            script.replies.clear()
            cli.ok("send")
        assert [mail.recipients for mail in script.received] == [("lead@example.com",), ("gone@example.com",)]
        assert len({mail.message_id for mail in script.received}) == 1
        assert listed(cli) == []

    def test_one_put_off_gets_it_in_the_same_run_if_the_server_relents(self, cli: CLI) -> None:
        put_report(cli)
        with scripted_smtp({"RCPT gone@example.com": ["450 4.2.0 later", "250 ok"]}) as script:
            connect(cli, script)
            cli.settings |= TWO
            cli.ok("send")
        assert [mail.recipients for mail in script.received] == [("lead@example.com",), ("gone@example.com",)]
        assert len({mail.message_id for mail in script.received}) == 1

    def test_doubt_about_one_recipient_is_doubt_about_that_one_alone(self, cli: CLI) -> None:
        put_report(cli)
        with scripted_smtp(
            {"RCPT gone@example.com": ["450 4.2.0 later", "250 ok"], "END": ["250 ok", HANG_UP, "250 ok"]}
        ) as script:
            connect(cli, script)
            cli.settings |= TWO
            assert cli("send").exit_code == 5
            cli.ok("send")
        lead, gone = ("lead@example.com",), ("gone@example.com",)
        assert [mail.recipients for mail in script.received] == [lead, gone, gone]
        assert len({mail.message_id for mail in script.received}) == 1

    def test_a_refusal_after_doubt_leaves_the_doubt(self, cli: CLI) -> None:
        put_report(cli)
        with scripted_smtp({"END": [HANG_UP, "554 5.7.1 no", "250 ok"]}) as script:
            connect(cli, script)
            for _ in range(2):
                assert cli("send").exit_code == 5
                assert [row["state"] for row in listed(cli)] == ["in_doubt"]
            cli.ok("send")
        assert len({mail.message_id for mail in script.received}) == 1

    def test_copies_and_answers_go_where_they_should(self, cli: CLI) -> None:
        put_report(cli)
        with scripted_smtp() as script:
            connect(cli, script)
            cli.settings |= {"EMAIL_CC": "boss@example.com, lead@example.com", "EMAIL_REPLY_TO": "help@example.com"}
            cli.ok("send")
        (received,) = script.received
        assert received.recipients == ("lead@example.com", "boss@example.com")
        assert received.mail["Cc"] == "boss@example.com, lead@example.com"
        assert received.mail["Reply-To"] == "help@example.com"
