"""The commands, as users call them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ..conftest import CLI
from ..workbooks import tickets_table


def rows(workbook: Path) -> list[dict[str, Any]]:
    return tickets_table(workbook)


def test_run_fetches_attributes_reports_and_delivers(cli: CLI) -> None:
    result = cli.ok("run")
    (report,) = cli.reports
    (mail,) = cli.mails
    assert result.stdout == f"output/{report.name}\n"
    assert "5 of 5 tickets attributed\n1 report sent\n" in result.stderr
    attachments = list(message_from_bytes(mail.read_bytes(), policy=default).iter_attachments())
    assert [part.get_filename() for part in attachments] == [report.name]
    assert attachments[0].get_content() == report.read_bytes()


def test_run_writes_the_file_of_every_stage(cli: CLI) -> None:
    cli.ok("run")
    (folder,) = (cli.folder / "work").glob("*Z-*")
    assert sorted(path.name for path in folder.iterdir()) == ["attributions.json", "catalog.json", "tickets.json"]
    for path in folder.iterdir():
        header = json.loads(path.read_text())
        assert header["kind"] == path.stem
        assert header["run_id"] == folder.name
        assert path.stat().st_mode & 0o777 == 0o600


def test_each_run_writes_and_sends_its_own_report(cli: CLI) -> None:
    cli.ok("run")
    cli.ok("run")
    assert len(cli.reports) == len(cli.mails) == 2


def test_run_sends_what_an_earlier_run_left_pending(cli: CLI) -> None:
    cli.ok("fetch")
    cli.ok("classify")
    cli.ok("report")
    result = cli.ok("run")
    assert "2 reports sent" in result.stderr
    assert len(cli.mails) == 2


def test_stages_by_hand_give_the_rows_of_run(cli: CLI) -> None:
    cli.ok("run", "--dry-run")
    (by_run,) = (cli.folder / "work").glob("*/*.xlsx")
    cli.ok("fetch")
    cli.ok("classify")
    by_hand = Path(cli.ok("report").stdout.strip())
    assert rows(by_hand) == rows(by_run)
    assert len(rows(by_hand)) == 5


def test_stages_work_in_a_pipe(cli: CLI) -> None:
    tickets = cli.ok("fetch", "-o", "-").stdout_bytes
    attributions = cli.ok("classify", "-i", "-", "-o", "-", stdin=tickets).stdout_bytes
    workbook = cli.ok("report", "-i", "-", "-o", "-", stdin=attributions).stdout_bytes
    (cli.folder / "piped.xlsx").write_bytes(workbook)
    cli.ok("run", "--dry-run")
    (by_run,) = (cli.folder / "work").glob("*/*.xlsx")
    assert rows(cli.folder / "piped.xlsx") == rows(by_run)


def test_a_row_says_what_happened_to_its_ticket(cli: CLI) -> None:
    cli.ok("run")
    table = {row["id"]: row for row in rows(cli.reports[0])}
    assert table["T-1"]["request_type"] == "Password Reset"
    assert (table["T-1"]["sla_value"], table["T-1"]["sla_unit"]) == (4, "hours")
    assert table["T-3"]["source"] == "kept"
    # The SLA is the catalog's, whatever the ticket came with.
    assert (table["T-3"]["sla_value"], table["T-3"]["original_sla"]) == (8, "99 hours")
    assert (table["T-4"]["request_type"], table["T-4"]["sla_value"]) == ("Stolen Device", 0)
    assert table["T-4"]["short_description"] == "=1+1"
    assert (table["T-5"]["request_type"], table["T-5"]["original_category"]) == ("General Inquiry", "Canteen")


@pytest.mark.parametrize("format", ["csv", "html"])
def test_other_formats_hold_the_same_rows_and_are_never_pending(cli: CLI, format: str) -> None:
    cli.ok("fetch")
    cli.ok("classify")
    path = Path(cli.ok("report", "--format", format).stdout.strip())
    assert path.suffix == f".{format}"
    text = path.read_bytes().decode("utf-8-sig")
    assert all(f"T-{number}" in text for number in range(1, 6))
    assert cli.ok("pending", "list", "--all").stdout == "there is no report yet\n"
    assert cli.ok("pending", "list").stdout == "nothing is pending\n"
    assert cli.ok("report", "--format", format, "-o", "-").stdout_bytes == path.read_bytes()


def test_without_the_catalog_of_the_run_a_report_has_no_drop_downs_and_says_so(cli: CLI) -> None:
    cli.ok("fetch")
    cli.ok("classify")
    (catalog,) = (cli.folder / "work").glob("*/catalog.json")
    catalog.unlink()
    assert "the report has no drop-down lists" in cli.ok("report").stderr
    assert "Catalog" not in openpyxl.load_workbook(cli.reports[0]).sheetnames


def test_a_report_says_what_is_new_and_gone_since_the_last_one_that_was_sent(cli: CLI) -> None:
    cli.ok("run")
    queue = json.loads(Path(cli.settings["HELPDESK_API_URL"]).read_text())["data"]["requests"]
    (cli.folder / "queue.json").write_text(json.dumps([*queue[1:], {"id": "T-6", "subject": "mouse"}]))
    cli.settings["HELPDESK_API_URL"] = "queue.json"
    cli.ok("run", "--dry-run")
    for _ in range(2):
        # What was not sent is nothing to compare with; made again, the report says the same.
        cli.ok("report", "-o", "report.xlsx")
        changes = {row["id"]: row["since_last_report"] for row in rows(cli.folder / "report.xlsx")}
        assert changes == {"T-2": None, "T-3": None, "T-4": None, "T-5": None, "T-6": "new"}
        summary = openpyxl.load_workbook(cli.folder / "report.xlsx")["Summary"]
        lines = [row[1] for row in summary.iter_rows(values_only=True)]
        assert "gone: T-1 Forgot my password" in lines


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("REVIEW_BELOW", "2"),
        ("REVIEW_BELOW", "low"),
        ("TICKET_URL", "https://desk.example.com/"),
        ("TICKET_URL", "javascript:{id}"),
    ],
)
def test_a_wrong_setting_of_the_report_is_named(cli: CLI, setting: str, value: str) -> None:
    cli.settings[setting] = value
    result = cli("report")
    assert result.exit_code == 2
    assert setting in result.stderr


def test_the_report_stage_makes_the_same_bytes_twice(cli: CLI) -> None:
    cli.ok("fetch")
    cli.ok("classify")
    cli.ok("report", "-o", "a.xlsx")
    cli.ok("report", "-o", "b.xlsx")
    assert (cli.folder / "a.xlsx").read_bytes() == (cli.folder / "b.xlsx").read_bytes()


def test_run_dry_run_sends_nothing_and_leaves_nothing_pending(cli: CLI) -> None:
    del cli.settings["EMAIL_SENDER"]
    result = cli.ok("run", "--dry-run")
    assert not cli.reports
    assert not cli.mails
    assert result.stdout.startswith("work/")
    assert cli.ok("pending", "list").stdout == "nothing is pending\n"


def test_send_dry_run_shows_what_would_go_and_sends_nothing(cli: CLI) -> None:
    prepare_report(cli)
    before = sorted((cli.folder / "output").iterdir())
    result = cli.ok("send", "--dry-run")
    assert result.stdout == f"output/{cli.reports[0].name}\n"
    assert "1 report would be sent" in result.stderr
    assert not cli.mails
    assert sorted((cli.folder / "output").iterdir()) == before


def test_send_twice_mails_once(cli: CLI) -> None:
    prepare_report(cli)
    assert "1 report sent" in cli.ok("send").stderr
    assert "nothing to send" in cli.ok("send").stderr
    assert len(cli.mails) == 1


def test_send_takes_all_pending_reports_in_one_message_oldest_first(cli: CLI) -> None:
    for _ in range(3):
        prepare_report(cli)
    first, second, third = cli.reports
    os_utime(first, time.time() - 60)
    os_utime(second, time.time() - 180)
    os_utime(third, time.time() - 120)
    cli.ok("send")
    (mail,) = cli.mails
    names = [part.get_filename() for part in message_from_bytes(mail.read_bytes(), policy=default).iter_attachments()]
    assert names == [second.name, third.name, first.name]


def test_send_report_sends_one_report_from_any_folder(cli: CLI) -> None:
    prepare_report(cli)
    prepare_report(cli, "elsewhere/mine.xlsx")
    assert cli.ok("send", "--report", "elsewhere/mine.xlsx").stdout == "elsewhere/mine.xlsx\n"
    assert len(cli.mails) == 1
    assert cli.reports[0].name in cli.ok("pending", "list").stdout


def test_send_report_says_when_it_was_sent(cli: CLI) -> None:
    cli.ok("run")
    report = cli.reports[0]
    moved = report.rename(cli.folder / "renamed.xlsx")
    result = cli.ok("send", "--report", str(moved))
    assert f"{moved} was sent at 20" in result.stderr
    assert len(cli.mails) == 1


def test_send_report_with_again_sends_it_again(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.ok("run")
    cli.ok("send", "--report", str(cli.reports[0]), "--again")
    history = json.loads(cli.ok("pending", "list", "--all", "--format", "json").stdout)
    assert [entry["state"] for entry in history] == ["sent", "sent"]


def test_pending_list_before_and_after(cli: CLI) -> None:
    assert json.loads(cli.ok("pending", "list", "--format", "json").stdout) == []
    prepare_report(cli)
    (entry,) = json.loads(cli.ok("pending", "list", "--format", "json").stdout)
    assert entry["file"] == f"output/{cli.reports[0].name}"
    assert entry["state"] == "pending"
    table = cli.ok("pending", "list").stdout
    assert "pending" in table
    assert cli.reports[0].name in table
    cli.ok("send")
    assert cli.ok("pending", "list").stdout == "nothing is pending\n"
    (row,) = csv.DictReader(io.StringIO(cli.ok("pending", "list", "--all", "--format", "csv").stdout))
    assert (row["state"], row["transport"], row["recipients"]) == ("sent", "file", "lead@example.com")
    assert row["sha256"] == entry["sha256"]


def test_a_run_ends_with_what_a_person_has_to_do_and_where_the_mail_is(cli: CLI) -> None:
    lines = cli.ok("run").stderr.splitlines()
    (mail,) = cli.mails
    assert any(re.fullmatch(r"to do: (\d+ [a-z ]+(, )?)+", line) or line == "nothing to do" for line in lines)
    assert f"mail written to outbox/{mail.name}" in lines


def test_pending_list_fits_80_columns_and_says_more_if_asked(cli: CLI) -> None:
    cli.settings |= {"EMAIL_TRANSPORT": "smtp", "EMAIL_SMTP_HOST": "localhost"}
    cli.ok("fetch")
    cli.ok("classify")
    cli.ok("report")
    (report,) = cli.reports
    broken = report.with_name("broken.xlsx")
    broken.write_bytes(b"PK" + b"x" * 100)
    age = time.time() - 86_400
    os.utime(broken, (age, age))
    listed = cli.ok("pending", "list").stdout
    assert max(map(len, listed.splitlines())) <= 80
    assert f"pending      0 min  output/{report.name}\n" in listed
    assert "damaged      1 day  output/broken.xlsx\n    not a readable workbook" in listed
    assert "Last error" in cli.ok("-v", "pending", "list").stdout


def test_pending_list_makes_no_file(cli: CLI) -> None:
    cli.ok("pending", "list", "--all")
    assert list(cli.folder.iterdir()) == []


def test_a_damaged_workbook_is_listed_and_stops_nothing(cli: CLI) -> None:
    prepare_report(cli)
    (cli.folder / "output" / "broken.xlsx").write_bytes(cli.reports[0].read_bytes()[:-200])
    result = cli("run")
    assert result.exit_code == 5
    assert "2 reports sent" in result.stderr
    assert "broken.xlsx: damaged" in result.stderr
    assert "damaged" in cli.ok("pending", "list").stdout


def test_a_workbook_that_was_edited_after_its_run_was_sent_is_not_sent(cli: CLI) -> None:
    cli.ok("run")
    workbook = openpyxl.load_workbook(cli.reports[0])
    workbook["Tickets"]["A2"] = "edited"
    workbook.save(cli.reports[0])
    assert "nothing to send" in cli.ok("send").stderr
    assert "edited" in cli.ok("pending", "list").stdout
    refused = cli("send", "--report", str(cli.reports[0]))
    assert refused.exit_code == 3
    assert "--again" in refused.stderr
    assert len(cli.mails) == 1


def test_an_empty_queue_is_reported_once_a_run_if_that_is_set(cli: CLI) -> None:
    Path("none.json").write_text("[]", encoding="utf-8")
    cli.settings |= {"HELPDESK_API_URL": "none.json", "EMAIL_WHEN_EMPTY": "send"}
    for _ in range(2):
        assert "1 report sent" in cli.ok("run").stderr
    assert [b"Nothing today: the queue is empty." in mail.read_bytes() for mail in cli.mails] == [True, True]
    assert "0 rows written" in cli.ok("report").stderr


def test_an_empty_queue_makes_no_report_and_exits_with_0(cli: CLI) -> None:
    (cli.folder / "empty.json").write_text('{"data": []}')
    cli.settings["HELPDESK_API_URL"] = "empty.json"
    assert "0 of 0 tickets attributed" in cli.ok("run").stderr
    assert not cli.reports
    assert not cli.mails
    cli.ok("fetch")
    cli.ok("classify")
    assert "no tickets, so no report" in cli.ok("report").stderr
    assert not cli.reports


def test_quiet_prints_only_results(cli: CLI) -> None:
    result = cli.ok("--quiet", "run")
    assert result.stderr == ""
    assert result.stdout.startswith("output/")


def test_quiet_still_names_reports_that_were_not_sent(cli: CLI) -> None:
    (cli.folder / "output").mkdir()
    (cli.folder / "output" / "broken.xlsx").write_text("no workbook")
    result = cli("--quiet", "send")
    assert result.exit_code == 5
    assert "broken.xlsx: damaged" in result.stderr


def test_version_and_help(cli: CLI) -> None:
    assert cli.ok("--version").stdout.startswith("ticketattr 0.")
    help_text = cli.ok("--help").stdout
    for command in ("fetch", "classify", "report", "send", "run", "pending"):
        assert command in help_text
        assert "--help" in cli.ok(command, "--help").stdout


def prepare_report(cli: CLI, output: str = "") -> None:
    cli.ok("fetch")
    cli.ok("classify")
    cli.ok("report", *(["-o", output] if output else []))


def os_utime(path: Path, time: float) -> None:
    import os

    os.utime(path, (time, time))
