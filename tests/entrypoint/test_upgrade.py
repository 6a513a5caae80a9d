"""What version 0.1.0 left opens in this version, and nothing of it is sent again or forgotten."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ..conftest import CLI, DATA

LEFT = DATA / "version_0.1.0"
RUN_1 = Path("work/20261128T182654Z-5144")


@pytest.fixture
def upgraded(cli: CLI) -> CLI:
    """This version, in a folder in which 0.1.0 ran, with the settings of then."""
    shutil.copytree(LEFT, cli.folder, dirs_exist_ok=True)
    lines = (LEFT / "settings.env").read_text(encoding="utf-8").splitlines()
    cli.settings = dict(line.split("=", 1) for line in lines)
    return cli


def states(cli: CLI, *options: str) -> list[tuple[str, str]]:
    rows = json.loads(cli.ok("pending", "list", "--format", "json", *options).stdout)
    return [(row["file"][-9:-5], row["state"]) for row in rows]


def test_the_report_log_says_what_it_said(upgraded: CLI) -> None:
    assert states(upgraded, "--all") == [
        ("5144", "sent"),
        ("5144", "in_doubt"),
        ("61b4", "in_doubt"),
        ("61b4", "pending"),
        ("f252", "pending"),
    ]


def test_what_was_pending_is_sent_once_and_what_was_sent_is_not(upgraded: CLI) -> None:
    assert "2 reports sent" in upgraded.ok("send").stderr
    assert "nothing to send" in upgraded.ok("send").stderr
    assert states(upgraded) == []
    assert len(upgraded.mails) == 1


def test_a_message_in_doubt_can_be_decided(upgraded: CLI) -> None:
    upgraded.settings["EMAIL_TRANSPORT"] = "smtp"
    upgraded.settings["EMAIL_SMTP_HOST"] = "127.0.0.1"
    (report,) = upgraded.folder.glob("output/*-5144.xlsx")
    upgraded.ok("pending", "resolve", str(report), "--sent")
    assert [state for _, state in states(upgraded, "--all")] == ["sent", "sent", "sent", "pending"]


def test_a_backup_of_the_log_is_restored(upgraded: CLI) -> None:
    before = states(upgraded, "--all")
    shutil.copyfile(LEFT / "output" / "reports.db", "old.db")
    upgraded.ok("pending", "restore", "old.db", "--unknown", "pending")
    assert states(upgraded, "--all") == before


def test_stage_files_and_workbooks_are_read(upgraded: CLI) -> None:
    inputs = ("-i", str(RUN_1 / "tickets.json"), "--catalog", str(RUN_1 / "catalog.json"))
    assert "8 of 8 tickets attributed" in upgraded.ok("classify", *inputs, "-o", "again.json").stderr
    old = ("-i", str(RUN_1 / "attributions.json"), "--catalog", str(RUN_1 / "catalog.json"))
    assert "8 rows written, 8 of them attributed" in upgraded.ok("report", *old, "-o", "again.xlsx").stderr
    assert "0 corrections imported" in upgraded.ok("corrections", "import", "corrected.xlsx").stderr


def test_a_workbook_that_was_corrected_then_is_imported_into_an_empty_folder(upgraded: CLI) -> None:
    Path("work/corrections.db").unlink()
    assert "1 correction imported" in upgraded.ok("corrections", "import", "corrected.xlsx").stderr


def test_a_run_keeps_the_corrections(upgraded: CLI) -> None:
    before = set(Path("work").iterdir())
    assert "3 reports sent" in upgraded.ok("run").stderr
    (run,) = (path for path in Path("work").iterdir() if path.is_dir() and path not in before)
    tickets = json.loads((run / "attributions.json").read_text(encoding="utf-8"))["data"]
    corrected = [ticket["attribution"] for ticket in tickets if ticket["attribution"]["source"] == "corrected"]
    assert [attribution["request_type"] for attribution in corrected] == ["Lost or Stolen Device"]


def test_settings_that_are_gone_are_named_with_what_to_do(upgraded: CLI) -> None:
    upgraded.settings |= {"LLM_VOTES": "3", "LLM_BACKOFF_FACTOR": "2", "EMAIL_BACKOFF_FACTOR": "2"}
    said = upgraded("check").stdout
    for name in ("LLM_VOTES", "LLM_BACKOFF_FACTOR", "EMAIL_BACKOFF_FACTOR"):
        assert f"{name} " in said
    assert "Remove it" in said
