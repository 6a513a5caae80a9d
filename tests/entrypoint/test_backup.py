"""The report log copied while in use, and put back without forgetting a delivery; what `run` drops for its age."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ticketattr.errors import ExitCode
from ticketattr.infrastructure.delivery.report_log import SQLiteReportLog

from ..conftest import CLI
from .test_mail_servers import put_report

LOG = Path("output/reports.db")
BACKUP = Path("backups/reports.db")


def states(cli: CLI) -> dict[str, str]:
    rows: list[dict[str, Any]] = json.loads(cli.ok("pending", "list", "--all", "--format", "json").stdout)
    return {Path(row["file"]).name: row["state"] for row in rows}


@pytest.fixture
def sent(cli: CLI) -> CLI:
    """One report was sent, then a backup made."""
    put_report(cli, "a.xlsx")
    cli.ok("send")
    assert cli.ok("pending", "backup", str(BACKUP)).stdout == f"{BACKUP}\n"
    return cli


class TestBackup:
    def test_it_is_one_file_for_its_owner_alone(self, sent: CLI) -> None:
        assert list(BACKUP.parent.iterdir()) == [BACKUP]
        assert stat.S_IMODE(BACKUP.stat().st_mode) == 0o600

    def test_it_is_made_while_another_process_writes(self, sent: CLI) -> None:
        with closing(sqlite3.connect(LOG, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("INSERT INTO adoptions VALUES ('2026-11-23T00:00:00+00:00', 'half', 'x', '', '')")
            sent.ok("pending", "backup", str(BACKUP), "--force")
        with closing(sqlite3.connect(BACKUP)) as copy:
            assert copy.execute("SELECT count(*) FROM messages").fetchone() == (1,)
            assert copy.execute("SELECT count(*) FROM adoptions").fetchone() == (0,)

    def test_without_a_log_there_is_nothing_to_back_up(self, cli: CLI) -> None:
        result = cli("pending", "backup", str(BACKUP))
        assert result.exit_code == ExitCode.INPUT
        assert "there is no report log" in result.stderr
        assert not BACKUP.exists()

    def test_a_damaged_log_is_not_backed_up_over_a_good_backup(self, sent: CLI) -> None:
        before = BACKUP.read_bytes()
        LOG.write_bytes(LOG.read_bytes()[:5000])
        assert sent("pending", "backup", str(BACKUP), "--force").exit_code == ExitCode.INPUT
        assert BACKUP.read_bytes() == before

    def test_a_file_that_exists_is_replaced_only_by_force(self, sent: CLI) -> None:
        other = Path("notes.txt")
        other.write_text("mine")
        refused = sent("pending", "backup", str(other))
        assert refused.exit_code == ExitCode.USAGE
        assert "notes.txt exists and is not overwritten" in refused.stderr
        assert other.read_text() == "mine"
        sent.ok("pending", "backup", str(other), "--force")
        assert "--force" not in sent.ok("pending", "restore", str(other)).stderr

    def test_a_folder_that_cannot_be_written_is_a_setting(self, sent: CLI) -> None:
        Path("file").touch()
        assert sent("pending", "backup", "file/reports.db").exit_code == ExitCode.USAGE


class TestRestore:
    def test_a_log_that_is_gone_is_back(self, sent: CLI) -> None:
        LOG.unlink()
        assert "does not exist, but the folder of reports belongs to it: nobody knows" in sent("send").stderr
        sent.ok("pending", "restore", str(BACKUP))
        assert states(sent) == {"a.xlsx": "sent"}
        assert "nothing to send" in sent.ok("send").stderr
        assert json.loads(sent.ok("pending", "export").stdout)[-1]["event"] == "restored"

    def test_a_damaged_log_is_replaced_and_kept_beside_it(self, sent: CLI) -> None:
        damaged = LOG.read_bytes()[:5000]
        LOG.write_bytes(damaged)
        assert sent("send").exit_code == ExitCode.INPUT
        result = sent.ok("pending", "restore", str(BACKUP))
        assert states(sent) == {"a.xlsx": "sent"}
        (aside,) = LOG.parent.glob("reports.db.before-*")
        assert str(aside) in result.stderr
        assert aside.read_bytes() == damaged

    def test_the_backup_stays_as_it_was(self, sent: CLI) -> None:
        before = BACKUP.read_bytes()
        BACKUP.chmod(0o400)
        LOG.unlink()
        sent.ok("pending", "restore", str(BACKUP))
        assert BACKUP.read_bytes() == before

    def test_reports_that_the_backup_does_not_know_are_asked_about(self, sent: CLI) -> None:
        put_report(sent, "b.xlsx")
        sent.ok("send")
        LOG.unlink()
        result = sent("pending", "restore", str(BACKUP))
        assert result.exit_code == ExitCode.INPUT
        assert "b.xlsx" in result.stderr
        assert "--unknown sent" in result.stderr
        assert not LOG.exists()

    def test_a_report_that_was_sent_after_the_backup_is_warned_about(self, sent: CLI) -> None:
        put_report(sent, "b.xlsx")
        sent.settings["EMAIL_OUTBOX_DIR"] = "file"
        Path("file").touch()
        sent("send")
        sent.ok("pending", "backup", "later.db")
        del sent.settings["EMAIL_OUTBOX_DIR"]
        sent.ok("send")
        LOG.unlink()
        restored = sent.ok("pending", "restore", "later.db", "--unknown", "pending")
        assert "1 report not sent according to the backup" in restored.stderr
        assert "the next run sends it again" in restored.stderr

    def test_they_count_as_sent_if_a_person_says_so(self, sent: CLI) -> None:
        put_report(sent, "b.xlsx")
        sent.ok("send")
        LOG.unlink()
        assert "b.xlsx" in sent.ok("pending", "restore", str(BACKUP), "--unknown", "sent").stdout
        sent.ok("send")
        assert len(sent.mails) == 2

    def test_or_go_again(self, sent: CLI) -> None:
        put_report(sent, "b.xlsx")
        sent.ok("send")
        LOG.unlink()
        sent.ok("pending", "restore", str(BACKUP), "--unknown", "pending")
        sent.ok("send")
        assert len(sent.mails) == 3

    def test_a_log_that_knows_more_than_the_backup_is_kept(self, sent: CLI) -> None:
        put_report(sent, "b.xlsx")
        sent.ok("send")
        result = sent("pending", "restore", str(BACKUP), "--unknown", "pending")
        assert result.exit_code == ExitCode.INPUT
        assert "contains 1 message that the backup does not" in result.stderr
        assert states(sent) == {"a.xlsx": "sent", "b.xlsx": "sent"}

    @pytest.mark.parametrize("content", [None, b"", b"no database at all, though long enough to be taken for one"])
    def test_what_is_no_backup_changes_nothing(self, sent: CLI, content: bytes | None) -> None:
        other = Path("other.db")
        if content is not None:
            other.write_bytes(content)
        before = LOG.read_bytes()
        result = sent("pending", "restore", str(other))
        assert result.exit_code == ExitCode.INPUT
        assert "other.db" in result.stderr
        assert LOG.read_bytes() == before

    def test_the_database_of_another_program_changes_nothing(self, sent: CLI) -> None:
        with closing(sqlite3.connect("other.db")) as other:
            other.execute("CREATE TABLE recipes (name TEXT)")
        assert sent("pending", "restore", "other.db").exit_code == ExitCode.INPUT
        assert states(sent) == {"a.xlsx": "sent"}

    @pytest.mark.parametrize("state", ["intact", "damaged", "gone"])
    def test_through_a_link_the_file_is_replaced_and_not_the_link(self, sent: CLI, state: str) -> None:
        target = Path("elsewhere/log.db")
        target.parent.mkdir()
        LOG.rename(target)
        LOG.symlink_to(target.resolve())
        if state == "damaged":
            target.write_bytes(target.read_bytes()[:5000])
        if state == "gone":
            target.unlink()
        sent.ok("pending", "restore", str(BACKUP))
        assert LOG.is_symlink()
        assert states(sent) == {"a.xlsx": "sent"}

    def test_two_restores_in_one_second_keep_both_former_logs(self, sent: CLI) -> None:
        log = SQLiteReportLog(LOG)
        at = datetime(2026, 11, 23, tzinfo=timezone.utc)
        assert len({log.restore(BACKUP, at) for _ in range(3)}) == 3

    def test_it_waits_for_nobody_who_sends(self, sent: CLI) -> None:
        from filelock import FileLock

        with FileLock("output/reports.db.lock"):
            assert sent("pending", "restore", str(BACKUP)).exit_code == ExitCode.SERVICE


class TestRetention:
    def test_a_complete_run_deletes_old_folders(self, cli: CLI) -> None:
        old = Path("work/20200101T000000Z-0000")
        old.mkdir(parents=True)
        cli.ok("run")
        assert not old.exists()
        assert len(list(Path("work").glob("2*"))) == 1

    def test_a_damaged_workbook_does_not_keep_the_ticket_text_of_old_runs(self, cli: CLI) -> None:
        old = Path("work/20200101T000000Z-0000")
        old.mkdir(parents=True)
        put_report(cli, "damaged.xlsx").write_bytes(b"no workbook")
        assert cli("run").exit_code == ExitCode.PARTIAL
        assert not old.exists()

    def test_a_run_that_stops_with_an_error_deletes_nothing(self, cli: CLI) -> None:
        old = Path("work/20200101T000000Z-0000")
        old.mkdir(parents=True)
        cli.settings["HELPDESK_API_URL"] = "absent.json"
        assert cli("run").exit_code == ExitCode.INPUT
        assert old.exists()

    def test_a_dry_run_deletes_nothing(self, cli: CLI) -> None:
        old = Path("work/20200101T000000Z-0000")
        old.mkdir(parents=True)
        cli.ok("run", "--dry-run")
        assert old.exists()

    def test_reports_go_only_if_somebody_says_when(self, cli: CLI) -> None:
        path = put_report(cli, "a.xlsx")
        cli.ok("send")
        os.utime(path, (0, 0))
        cli.ok("run")
        assert path.exists()

    @pytest.mark.parametrize("value", ["0", "-1", "never"])
    def test_a_time_that_is_none_is_refused(self, cli: CLI, value: str) -> None:
        cli.settings["RETENTION_DAYS"] = value
        result = cli("run")
        assert result.exit_code == ExitCode.USAGE
        assert "RETENTION_DAYS is not a number from 1" in result.stderr


def test_a_copied_backup_is_as_good(sent: CLI, tmp_path: Path) -> None:
    moved = shutil.copy(BACKUP, tmp_path / "elsewhere.db")
    LOG.unlink()
    sent.ok("pending", "restore", str(moved))
    assert states(sent) == {"a.xlsx": "sent"}
