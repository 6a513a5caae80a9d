"""A message that is repeated has the same bytes, whatever changed since the first attempt."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ticketattr.errors import ExitCode

from ..conftest import CLI
from ..servers import MailServer
from .test_mail_servers import SETTINGS, put_report

LOG = Path("output/reports.db")
OTHER_SETTINGS = {
    "EMAIL_SENDER": "other@example.org",
    "EMAIL_SENDER_NAME": "Another name",
    "EMAIL_SUBJECT": "Another subject",
    "EMAIL_RECIPIENT": "else@example.org",
    "CODEBASE_URL": "https://example.org/other",
}
BEFORE_FRAMES = ("DROP TABLE message_frames", "DROP TABLE identity", "PRAGMA user_version = 2")


def make_earlier(log: Path) -> None:
    """Make it the log of the version before, which knew no frames and no identity."""
    (log.parent / ".ticketattr-report-log.json").unlink()
    with closing(sqlite3.connect(log, isolation_level=None)) as database:
        for statement in BEFORE_FRAMES:
            database.execute(statement)


def connect(cli: CLI, mail: MailServer) -> None:
    cli.settings |= {**SETTINGS, "EMAIL_SMTP_PORT": str(mail.port)}


def leave_in_doubt(cli: CLI, mail: MailServer) -> list[Path]:
    connect(cli, mail)
    paths = [put_report(cli, name, rows=20) for name in ("a.xlsx", "b.xlsx")]
    mail.drop_after_data = True
    assert cli("send").exit_code == ExitCode.PARTIAL
    return paths


def test_a_repetition_has_the_same_bytes_after_everything_else_changed(cli: CLI, mail: MailServer) -> None:
    path, _ = leave_in_doubt(cli, mail)
    cli.settings |= OTHER_SETTINGS
    path.rename(path.with_name("renamed.xlsx"))
    cli.ok("send")
    first, repeat = mail.contents
    assert repeat == first


def test_a_recipient_who_was_put_off_gets_the_same_bytes(cli: CLI, mail: MailServer) -> None:
    connect(cli, mail)
    cli.settings["EMAIL_RECIPIENT"] = "lead@example.com,later@example.com"
    put_report(cli)
    mail.refuse_recipients["later@example.com"] = "450 4.2.0 later"
    assert cli("send").exit_code == ExitCode.PARTIAL
    mail.refuse_recipients.clear()
    cli.ok("send")
    first, repeat = mail.contents
    assert repeat == first
    assert mail.recipients == [["lead@example.com"], ["later@example.com"]]


def test_a_message_from_before_frames_were_kept_is_frozen_at_its_next_attempt(cli: CLI, mail: MailServer) -> None:
    leave_in_doubt(cli, mail)
    make_earlier(LOG)
    mail.drop_after_data = True
    assert cli("send").exit_code == ExitCode.PARTIAL
    cli.settings |= OTHER_SETTINGS
    cli.ok("send")
    assert len({str(received["Message-ID"]) for received in mail.received}) == 1
    _, second, third = mail.contents
    assert third == second


def test_a_log_of_the_version_before_is_upgraded_and_nothing_is_sent_again(cli: CLI, mail: MailServer) -> None:
    connect(cli, mail)
    put_report(cli)
    cli.ok("send")
    make_earlier(LOG)
    assert "nothing to send" in cli.ok("send").stderr
    assert len(mail.received) == 1
