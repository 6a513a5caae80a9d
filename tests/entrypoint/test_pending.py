"""What a person sees of deliveries, and decides about them."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ..conftest import CLI
from ..scripted_smtp import HANG_UP, Script, scripted_smtp
from .test_mail_servers import connect, listed, put_report

DAY = 86_400


def events(cli: CLI) -> list[dict[str, Any]]:
    exported: list[dict[str, Any]] = json.loads(cli.ok("pending", "export").stdout)
    return exported


def leave_in_doubt(cli: CLI, *names: str) -> str:
    """Reports that went together in one message; its Message-ID."""
    for name in names:
        put_report(cli, name)
    with scripted_smtp({"END": [HANG_UP]}) as script:
        connect(cli, script)
        assert cli("send").exit_code == 5
    return script.received[0].message_id


def send_now(cli: CLI, *options: str) -> Script:
    with scripted_smtp() as script:
        connect(cli, script)
        cli("send", *options)
    return script


class TestDoubt:
    def test_it_waits_for_a_person_where_that_is_wanted(self, cli: CLI) -> None:
        cli.settings["EMAIL_IN_DOUBT"] = "hold"
        leave_in_doubt(cli, "a.xlsx")
        put_report(cli, "new.xlsx")
        with scripted_smtp() as script:
            connect(cli, script)
            result = cli("send")
            refused = cli("send", "--report", "output/a.xlsx")
        assert result.exit_code == 5
        assert [mail.names for mail in script.received] == [["new.xlsx"]]
        assert "output/a.xlsx: held" in result.stderr
        assert refused.exit_code == 3
        assert "pending resolve" in refused.stderr
        assert [row["state"] for row in listed(cli)] == ["held"]

    @pytest.mark.parametrize("called", ["output/a.xlsx", "a.xlsx", "hash"])
    def test_a_person_may_say_that_it_arrived(self, cli: CLI, called: str) -> None:
        cli.settings["EMAIL_IN_DOUBT"] = "hold"
        message_id = leave_in_doubt(cli, "a.xlsx", "b.xlsx")
        name = listed(cli)[0]["sha256"][:12] if called == "hash" else called
        assert cli.ok("pending", "resolve", name, "--sent").stdout == "output/a.xlsx\noutput/b.xlsx\n"
        assert listed(cli) == []
        assert send_now(cli).received == []
        last = events(cli)[-1]
        assert (last["event"], last["message_id"], last["facts"]["state"]) == ("resolved", message_id, "sent")
        assert "@" in last["who"]
        assert last["at"].startswith("20")

    def test_a_person_may_send_it_again_as_the_same_message(self, cli: CLI) -> None:
        cli.settings["EMAIL_IN_DOUBT"] = "hold"
        message_id = leave_in_doubt(cli, "a.xlsx")
        cli.ok("pending", "resolve", "a.xlsx", "--resend")
        assert [row["state"] for row in listed(cli)] == ["in_doubt"]
        assert [mail.message_id for mail in send_now(cli).received] == [message_id]
        assert listed(cli) == []

    def test_with_a_file_gone_the_others_may_go_in_a_new_message(self, cli: CLI) -> None:
        message_id = leave_in_doubt(cli, "a.xlsx", "gone.xlsx")
        (cli.folder / "output" / "gone.xlsx").unlink()
        assert send_now(cli).received == []
        cli.ok("pending", "resolve", "gone.xlsx", "--resend")
        (mail,) = send_now(cli).received
        assert mail.names == ["a.xlsx"]
        assert mail.message_id != message_id

    @pytest.mark.parametrize("options", [[], ["--sent", "--resend"]], ids=["nothing", "both"])
    def test_a_decision_is_one_or_the_other(self, cli: CLI, options: list[str]) -> None:
        assert cli("pending", "resolve", "a.xlsx", *options).exit_code == 2

    def test_what_is_in_no_doubt_is_not_resolved(self, cli: CLI) -> None:
        put_report(cli, "a.xlsx")
        result = cli("pending", "resolve", "a.xlsx", "--sent")
        assert result.exit_code == 3
        assert "no message in doubt" in result.stderr


class TestLogThatIsGone:
    @pytest.mark.parametrize("command", ["send", "run"])
    def test_old_workbooks_are_not_taken_for_unsent(self, cli: CLI, command: str) -> None:
        put_report(cli, "old.xlsx", age=2 * DAY)
        result = cli(command)
        assert result.exit_code == 3
        assert "there is no report log" in result.stderr
        assert "pending adopt" in result.stderr
        assert "--send-old" in result.stderr
        assert not cli.mails
        assert len(cli.reports) == 1

    def test_an_old_one_from_elsewhere_is_not_either(self, cli: CLI) -> None:
        path = put_report(cli, "old.xlsx", age=2 * DAY).rename(cli.folder / "old.xlsx")
        result = cli("send", "--report", str(path))
        assert result.exit_code == 3
        assert "old.xlsx is over a day old" in result.stderr
        cli.ok("send", "--report", str(path), "--send-old")

    def test_young_ones_are_sent(self, cli: CLI) -> None:
        put_report(cli, age=DAY / 2)
        cli.ok("send")

    def test_beside_a_log_old_ones_are_sent(self, cli: CLI) -> None:
        put_report(cli, "young.xlsx")
        cli.ok("send")
        put_report(cli, "old.xlsx", age=9 * DAY)
        assert "1 report sent" in cli.ok("send").stderr

    @pytest.mark.parametrize("command", ["send", "run"])
    def test_they_are_sent_when_somebody_says_so(self, cli: CLI, command: str) -> None:
        put_report(cli, "old.xlsx", age=2 * DAY)
        cli.ok(command, "--send-old")
        assert cli.mails

    def test_adopted_they_count_as_sent(self, cli: CLI) -> None:
        put_report(cli, "old.xlsx", age=2 * DAY)
        put_report(cli, "new.xlsx")
        (cli.folder / "output" / "broken.xlsx").write_bytes(b"no workbook")
        assert cli.ok("pending", "adopt").stdout == "output/old.xlsx\noutput/new.xlsx\n"
        assert [row["state"] for row in listed(cli)] == ["damaged"]
        assert [event["event"] for event in events(cli)] == ["adopted", "adopted"]
        assert "nothing sent: output/old.xlsx was sent at 20" in cli.ok("send", "--report", "output/old.xlsx").stderr
        assert not cli.mails

    def test_an_adopted_workbook_that_was_saved_again_stays_home(self, cli: CLI) -> None:
        path = put_report(cli, "old.xlsx", age=2 * DAY)
        cli.ok("pending", "adopt")
        workbook = openpyxl.load_workbook(path)
        workbook["Tickets"]["A2"] = "edited"
        workbook.save(path)
        assert "nothing to send" in cli.ok("send").stderr
        assert [row["state"] for row in listed(cli)] == ["edited"]

    def test_beside_a_log_only_what_is_named_is_adopted(self, cli: CLI) -> None:
        cli.ok("run")
        put_report(cli, "a.xlsx")
        put_report(cli, "b.xlsx")
        assert cli("pending", "adopt").exit_code == 2
        assert cli.ok("pending", "adopt", "output/a.xlsx").stdout == "output/a.xlsx\n"
        assert [row["file"] for row in listed(cli)] == ["output/b.xlsx"]

    def test_what_is_in_doubt_or_damaged_is_not_adopted(self, cli: CLI) -> None:
        leave_in_doubt(cli, "a.xlsx")
        (cli.folder / "output" / "broken.xlsx").write_bytes(b"no workbook")
        for name in ("a.xlsx", "broken.xlsx"):
            assert cli("pending", "adopt", f"output/{name}").exit_code == 3


class TestTemporaryFiles:
    def test_an_open_workbook_wakes_nobody(self, cli: CLI) -> None:
        put_report(cli)
        for name in ("~$report.xlsx", ".~lock.report.xlsx#"):
            (cli.folder / "output" / name).write_bytes(b"\x05user")
        cli.ok("send")
        assert [row["state"] for row in listed(cli)] == ["damaged", "damaged"]
        assert cli("send", "--report", "output/~$report.xlsx").exit_code == 3
        cli.ok("run")

    def test_a_half_written_workbook_does(self, cli: CLI) -> None:
        path = put_report(cli)
        path.write_bytes(path.read_bytes()[:-100])
        assert cli("send").exit_code == 5


class TestAudit:
    def test_the_history_tells_everything_about_a_delivery(self, cli: CLI) -> None:
        path = put_report(cli)
        (mail,) = send_now(cli).received
        (row,) = listed(cli, "--all")
        assert row["message_id"] == mail.message_id
        assert len(row["sha256"]) == 64
        assert (row["sender"], row["transport"], row["attempts"]) == ("desk@example.com", "smtp", 1)
        assert row["recipients"] == [{"address": "lead@example.com", "state": "sent", "reply": "250 ok"}]
        assert (row["reply"], row["last_error"]) == ("250 2.0.0 taken", "")
        assert row["mail_size"] > path.stat().st_size == row["size"]
        assert row["changed"].endswith("Z")
        assert row["changed_local"][:4] == row["changed"][:4]

    def test_all_formats_have_the_same_fields(self, cli: CLI) -> None:
        put_report(cli)
        send_now(cli)
        (as_json,) = listed(cli, "--all")
        (as_csv,) = csv.DictReader(io.StringIO(cli.ok("pending", "list", "--all", "--format", "csv").stdout))
        assert list(as_csv) == list(as_json)
        table = cli.ok("pending", "list", "--all").stdout
        for shown in (as_json["message_id"], as_json["sha256"], as_json["changed_local"], "lead@example.com"):
            assert shown in table

    def test_a_csv_list_holds_no_formula(self, cli: CLI) -> None:
        put_report(cli).parent.rename("=HYPERLINK(A1)")
        cli.settings["OUTPUT_DIR"] = "=HYPERLINK(A1)"
        (row,) = csv.DictReader(io.StringIO(cli.ok("pending", "list", "--format", "csv").stdout))
        assert row["file"] == "'=HYPERLINK(A1)/report.xlsx"

    def test_what_waits_is_listed_with_age_attempts_and_last_error(self, cli: CLI) -> None:
        put_report(cli, age=3 * 3600 + 5)
        with scripted_smtp({"END": ["452 4.3.1 disk full"]}) as script:
            connect(cli, script)
            assert cli("send").exit_code == 5
        (row,) = listed(cli)
        assert (row["age"], row["state"], row["attempts"]) == ("3 h", "failed", 2)
        assert "452 4.3.1 disk full" in row["last_error"]
        assert "452 4.3.1 disk full" in cli.ok("pending", "list").stdout

    def test_every_step_is_an_event(self, cli: CLI) -> None:
        put_report(cli)
        with scripted_smtp({"RCPT": ["450 4.2.0 later", "250 ok"]}) as script:
            connect(cli, script)
            cli.ok("send")
        told = events(cli)
        assert [event["event"] for event in told] == ["sending", "failed", "sending", "sent"]
        assert [event["number"] for event in told] == [1, 2, 3, 4]
        assert len({event["message_id"] for event in told}) == 1
        assert told[0]["facts"]["to"] == ["lead@example.com"]
        assert told[3]["facts"]["size"] > 0

    def test_a_repeat_that_somebody_asked_for_is_told_as_one(self, cli: CLI) -> None:
        put_report(cli)
        with scripted_smtp() as script:
            connect(cli, script)
            cli.ok("send")
            cli.ok("send", "--report", "output/report.xlsx", "--again")
        assert len(script.received) == 2
        assert [event["facts"].get("why") for event in events(cli) if event["event"] == "sending"] == [
            None,
            "sent again on request",
        ]

    def test_listing_and_exporting_nothing_makes_no_file(self, cli: CLI) -> None:
        assert events(cli) == []
        assert listed(cli, "--all") == []
        assert list(cli.folder.iterdir()) == []


class TestBadLog:
    @pytest.mark.parametrize("command", ["send", "run"])
    def test_a_damaged_log_stops_before_the_server_is_asked(self, cli: CLI, command: str) -> None:
        put_report(cli)
        (cli.folder / "output" / "reports.db").write_bytes(os.urandom(20_000))
        with scripted_smtp() as script:
            connect(cli, script)
            result = cli(command)
        assert result.exit_code == 3
        assert "is damaged" in result.stderr
        assert script.said == []

    def test_a_log_that_is_no_file_stops_before_the_server_is_asked(self, cli: CLI) -> None:
        put_report(cli)
        (cli.folder / "reports").mkdir()
        cli.settings["REPORT_LOG_DB_PATH"] = "reports"
        with scripted_smtp() as script:
            connect(cli, script)
            result = cli("send")
        assert (result.exit_code, script.said) == (2, [])


def test_a_workbook_that_vanishes_is_no_bug(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put_report(cli)
    moved = path.with_suffix(".gone")
    read = os.open

    def vanish(opened: Any, *args: Any, **options: Any) -> int:
        if opened == Path("output/report.xlsx") and path.exists():
            path.rename(moved)
        return read(opened, *args, **options)

    monkeypatch.setattr(os, "open", vanish)
    assert "nothing to send" in cli.ok("send").stderr
