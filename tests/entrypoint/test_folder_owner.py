"""One folder of reports belongs to one report log: another one is refused."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ticketattr.errors import ExitCode

from ..conftest import CLI
from ..servers import MailServer
from .test_mail_servers import SETTINGS, listed, put_report

MARKER = Path("output/.ticketattr-report-log.json")
DAY = 86_400


@pytest.fixture
def desk(cli: CLI, mail: MailServer) -> CLI:
    """One report was sent by SMTP."""
    cli.settings |= {**SETTINGS, "EMAIL_SMTP_PORT": str(mail.port)}
    put_report(cli, "a.xlsx", age=3 * DAY)
    cli.ok("send", "--send-old")
    return cli


def forget_identity(log: Path) -> None:
    """Make it the log of a version that knew neither identities nor markers."""
    MARKER.unlink()
    with closing(sqlite3.connect(log, isolation_level=None)) as database:
        for statement in ("DROP TABLE message_frames", "DROP TABLE identity", "PRAGMA user_version = 2"):
            database.execute(statement)


def use_another_log(cli: CLI) -> None:
    """The log of another host, which has sent something from elsewhere."""
    cli.settings["REPORT_LOG_DB_PATH"] = "other/reports.db"
    elsewhere = put_report(cli, "elsewhere.xlsx").rename("elsewhere.xlsx")
    owner = MARKER.read_bytes()
    MARKER.unlink()
    cli.ok("send", "--report", str(elsewhere), "--send-old")
    MARKER.write_bytes(owner)


class TestDefault:
    def test_the_log_follows_the_folder_of_reports(self, cli: CLI) -> None:
        cli.settings["OUTPUT_DIR"] = str(cli.folder / "elsewhere")
        cli.ok("run")
        assert Path("elsewhere/reports.db").is_file()
        assert not Path("output").exists()

    def test_from_another_working_folder_nothing_is_sent_again(
        self, cli: CLI, mail: MailServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cli.settings |= {**SETTINGS, "EMAIL_SMTP_PORT": str(mail.port), "OUTPUT_DIR": str(cli.folder / "elsewhere")}
        cli.ok("run")
        (cli.folder / "cwd").mkdir()
        monkeypatch.chdir(cli.folder / "cwd")
        assert "nothing to send" in cli.ok("send").stderr
        assert len(mail.received) == 1

    def test_a_log_at_the_former_default_is_taken_over(
        self, desk: CLI, mail: MailServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Until now, OUTPUT_DIR was set, and the log was beside the working folder.
        reports = Path("reports")
        reports.mkdir()
        Path("output/a.xlsx").rename(reports / "a.xlsx")
        forget_identity(Path("output/reports.db"))
        desk.settings["OUTPUT_DIR"] = str(reports.resolve())
        for _ in range(2):
            assert "nothing to send" in desk.ok("send").stderr
        assert not (reports / "reports.db").exists()
        put_report(desk, "b.xlsx").rename(reports / "b.xlsx")
        desk.ok("send")
        assert len(mail.received) == 2
        # From another working folder, the log is not found, and the folder says where it is.
        Path("cwd").mkdir()
        monkeypatch.chdir("cwd")
        result = desk("send")
        assert result.exit_code == ExitCode.INPUT
        assert str(desk.folder / "output" / "reports.db") in result.stderr
        assert len(mail.received) == 2


class TestMarker:
    def test_it_names_the_log_and_is_for_its_owner_alone(self, desk: CLI) -> None:
        marker = json.loads(MARKER.read_bytes())
        assert marker["place"].startswith(str(Path("output/reports.db").resolve()))
        assert MARKER.stat().st_mode & 0o777 == 0o600

    def test_an_installation_without_one_goes_on_and_gets_one(self, desk: CLI, mail: MailServer) -> None:
        forget_identity(Path("output/reports.db"))
        assert "nothing to send" in desk.ok("send").stderr
        assert MARKER.is_file()
        assert len(mail.received) == 1

    def test_a_dry_run_and_a_list_write_none(self, desk: CLI) -> None:
        forget_identity(Path("output/reports.db"))
        desk.ok("send", "--dry-run")
        desk.ok("pending", "list")
        assert not MARKER.exists()

    def test_a_log_that_moved_is_the_same(self, desk: CLI, mail: MailServer) -> None:
        Path("moved").mkdir()
        shutil.move("output/reports.db", "moved/reports.db")
        desk.settings["REPORT_LOG_DB_PATH"] = "moved/reports.db"
        assert "nothing to send" in desk.ok("send").stderr
        assert "moved" in json.loads(MARKER.read_bytes())["place"]
        assert len(mail.received) == 1

    @pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b"[" * 60_000])
    def test_one_that_cannot_be_read_stops_sending(self, desk: CLI, content: bytes) -> None:
        MARKER.write_bytes(content)
        result = desk("send")
        assert result.exit_code == ExitCode.INPUT
        assert "does not say which report log" in result.stderr


class TestAnotherLog:
    @pytest.mark.parametrize("command", [["send"], ["run"], ["pending", "list"], ["check"]])
    def test_it_is_refused_with_the_way_out(self, desk: CLI, mail: MailServer, command: list[str]) -> None:
        use_another_log(desk)
        result = desk(*command)
        assert result.exit_code == ExitCode.USAGE, result.output
        said = " ".join((result.stderr + result.stdout).split())
        assert "belongs to another report log" in said
        assert "pending adopt" in said
        assert str(Path("output/reports.db").resolve()) in said
        assert len(mail.received) == 2

    def test_a_log_that_is_still_to_be_made_is_refused_too(self, desk: CLI, mail: MailServer) -> None:
        desk.settings["REPORT_LOG_DB_PATH"] = "other/reports.db"
        for command in ("send", "run"):
            result = desk(command)
            assert result.exit_code == ExitCode.INPUT
            assert "does not exist, but the folder of reports belongs to one that was last at" in result.stderr
        assert len(mail.received) == 1

    def test_adopting_all_reports_makes_it_the_log_of_the_folder(self, desk: CLI, mail: MailServer) -> None:
        use_another_log(desk)
        assert desk.ok("pending", "adopt").stdout == "output/a.xlsx\n"
        put_report(desk, "b.xlsx")
        desk.ok("send")
        assert [attached(received) for received in mail.received] == [["a.xlsx"], ["elsewhere.xlsx"], ["b.xlsx"]]
        del desk.settings["REPORT_LOG_DB_PATH"]
        assert desk("send").exit_code == ExitCode.USAGE

    def test_adopting_one_of_them_does_not(self, desk: CLI) -> None:
        use_another_log(desk)
        desk.ok("pending", "adopt", "output/a.xlsx")
        assert desk("send").exit_code == ExitCode.USAGE

    def test_correcting_the_setting_is_enough(self, desk: CLI, mail: MailServer) -> None:
        use_another_log(desk)
        del desk.settings["REPORT_LOG_DB_PATH"]
        assert "nothing to send" in desk.ok("send").stderr


class TestLostLog:
    def test_a_young_report_is_not_sent_again(self, desk: CLI, mail: MailServer) -> None:
        put_report(desk, "young.xlsx")
        desk.ok("send")
        Path("output/a.xlsx").unlink()
        Path("output/reports.db").unlink()
        assert desk("send").exit_code == ExitCode.INPUT
        assert len(mail.received) == 2

    def test_in_an_empty_folder_a_new_log_is_begun(self, desk: CLI) -> None:
        Path("output/a.xlsx").unlink()
        Path("output/reports.db").unlink()
        desk.ok("run")
        assert [row["state"] for row in listed(desk, "--all")] == ["sent"]

    def test_a_restored_backup_is_the_log_of_the_folder(self, desk: CLI, mail: MailServer) -> None:
        desk.ok("pending", "backup", "backup.db")
        Path("output/reports.db").unlink()
        desk.ok("pending", "restore", "backup.db")
        assert "nothing to send" in desk.ok("send").stderr

    def test_so_is_a_backup_of_the_version_before(self, desk: CLI, mail: MailServer) -> None:
        marker = MARKER.read_bytes()
        forget_identity(Path("output/reports.db"))
        shutil.move("output/reports.db", "backup.db")
        MARKER.write_bytes(marker)
        desk.ok("pending", "restore", "backup.db")
        assert "nothing to send" in desk.ok("send").stderr
        assert MARKER.read_bytes() == marker


def attached(mail: Any) -> list[str]:
    return [str(part.get_filename()) for part in mail.iter_attachments()]
