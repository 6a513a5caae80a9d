"""A recipient who is deferred for ever: after five days it counts as refused, and a person may decide before."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ticketattr.errors import ExitCode

from ..conftest import CLI
from ..servers import MailServer
from .test_mail_servers import SETTINGS, listed, put_report

GONE = "gone@example.com"


@pytest.fixture
def deferred(cli: CLI, mail: MailServer) -> CLI:
    """One recipient has the report, and the server defers the other for ever."""
    cli.settings |= {
        **SETTINGS,
        "EMAIL_SMTP_PORT": str(mail.port),
        "EMAIL_MAX_RETRIES": "0",
        "EMAIL_RECIPIENT": f"lead@example.com,{GONE}",
    }
    mail.refuse_recipients[GONE] = "450 4.1.1 unknown mailbox"
    put_report(cli, "a.xlsx")
    assert cli("send").exit_code == ExitCode.PARTIAL
    assert cli("send").exit_code == ExitCode.PARTIAL
    return cli


def age(days: float) -> None:
    """The message was composed that many days ago."""
    date = (datetime.now(timezone.utc) - timedelta(days=days)).replace(microsecond=0)
    with closing(sqlite3.connect("output/reports.db")) as log, log:
        log.execute("UPDATE messages SET date = ?", (date.isoformat(),))


def state_of(cli: CLI, address: str) -> str:
    (row,) = listed(cli, "--all")
    return next(str(each["state"]) for each in row["recipients"] if each["address"] == address)


@pytest.mark.parametrize("command", ["send", "run"])
def test_after_five_days_it_counts_as_refused_and_no_run_fails_for_it(
    deferred: CLI, mail: MailServer, command: str
) -> None:
    age(4.9)
    assert deferred("send").exit_code == ExitCode.PARTIAL
    age(5.1)
    del mail.refuse_recipients[GONE]
    result = deferred.ok(command)
    assert "has been deferred for more than 5 days, and counts as refused" in result.stderr
    assert GONE not in result.stderr
    assert mail.recipients[:1] == [["lead@example.com"]]
    if command == "send":
        assert state_of(deferred, GONE) == "refused"
        assert len(mail.received) == 1
    events = json.loads(deferred.ok("pending", "export").stdout)
    assert [event["event"] for event in events].count("settled") == 1


@pytest.mark.parametrize("report", [[], ["a.xlsx"], ["output/a.xlsx"]])
@pytest.mark.parametrize(("option", "state"), [([], "refused"), (["--sent"], "sent")])
def test_a_person_may_decide_before_that(deferred: CLI, report: list[str], option: list[str], state: str) -> None:
    deferred.ok("pending", "resolve", *report, "--recipient", GONE.upper(), *option)
    assert state_of(deferred, GONE) == state
    assert listed(deferred) == []
    assert "nothing to send" in deferred.ok("send").stderr


def test_it_works_with_corrected_settings_and_a_file_that_moved(deferred: CLI) -> None:
    deferred.settings["EMAIL_RECIPIENT"] = "lead@example.com"
    Path("output/a.xlsx").rename("moved.xlsx")
    deferred.ok("pending", "resolve", "moved.xlsx", "--recipient", GONE)
    assert listed(deferred) == []
    deferred.ok("send")


def test_a_recipient_of_a_message_in_doubt_is_settled_alone(cli: CLI, mail: MailServer) -> None:
    cli.settings |= {**SETTINGS, "EMAIL_SMTP_PORT": str(mail.port), "EMAIL_RECIPIENT": f"lead@example.com,{GONE}"}
    put_report(cli, "a.xlsx")
    mail.drop_after_data = True
    assert cli("send").exit_code == ExitCode.PARTIAL
    cli.ok("pending", "resolve", "--recipient", GONE)
    # The one that sends tells that a recipient was refused; the next one has nothing to do.
    assert cli("send").exit_code == ExitCode.PARTIAL
    cli.ok("send")
    assert mail.recipients == [["lead@example.com", GONE], ["lead@example.com"]]


def test_when_all_recipients_are_settled_nothing_is_in_doubt(cli: CLI, mail: MailServer) -> None:
    cli.settings |= {**SETTINGS, "EMAIL_SMTP_PORT": str(mail.port)}
    put_report(cli, "a.xlsx")
    mail.drop_after_data = True
    assert cli("send").exit_code == ExitCode.PARTIAL
    cli.ok("pending", "resolve", "--recipient", "lead@example.com", "--sent")
    assert listed(cli) == []
    assert "nothing to send" in cli.ok("send").stderr
    assert len(mail.received) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recipient", "else@example.com"], "no message waits for else@example.com"),
        (["other.xlsx", "--recipient", GONE], "no message with other.xlsx waits for gone@example.com"),
    ],
)
def test_a_recipient_who_waits_for_nothing_is_an_error(deferred: CLI, arguments: list[str], said: str) -> None:
    result = deferred("pending", "resolve", *arguments)
    assert result.exit_code == ExitCode.INPUT
    assert said in result.stderr


@pytest.mark.parametrize("arguments", [[], ["--sent"], ["--recipient", GONE, "--resend"]])
def test_a_decision_that_is_none_is_refused(deferred: CLI, arguments: list[str]) -> None:
    assert deferred("pending", "resolve", *arguments).exit_code == ExitCode.USAGE


def test_adopting_the_report_names_the_command_that_helps(deferred: CLI) -> None:
    result = deferred("pending", "adopt", "output/a.xlsx")
    assert result.exit_code == ExitCode.INPUT
    assert "--recipient ADDRESS" in result.stderr
