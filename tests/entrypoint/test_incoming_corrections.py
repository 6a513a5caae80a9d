"""A workbook that somebody puts into CORRECTIONS_DIR is taken over by the next run."""

from __future__ import annotations

import csv
import io
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ticketattr.application.incoming_corrections import Incoming
from ticketattr.domain.report import Report, Row
from ticketattr.entrypoint import wiring
from ticketattr.entrypoint.settings.folders import FolderSettings
from ticketattr.infrastructure.reports.excel import write_workbook

from ..conftest import CLI
from ..fakes import MIDNIGHT
from .test_corrections import change_ticket, check, correct, edit, listed, mark_cell, row_of, rows

LAPTOP, STOLEN = ("Hardware", "Laptop Repair"), ("Hardware", "Stolen Device")
ROOT = getattr(os, "geteuid", lambda: 1)() == 0


@pytest.fixture
def folder(cli: CLI) -> Path:
    (cli.folder / "corrections").mkdir()
    return cli.folder / "corrections"


def drop(report: Path, folder: Path, name: str = "lead.xlsx", *, saved: float | None = None) -> Path:
    """Put a copy of the report into the folder, as if it was saved at that time."""
    path = folder / name
    shutil.copyfile(report, path)
    if saved is not None:
        os.utime(path, (saved, saved))
    return path


def workbook_of_another_desk() -> bytes:
    file = io.BytesIO()
    write_workbook(Report("20200101T000000Z-0000", MIDNIGHT, (Row("T-1", place=1),)), file)
    return file.getvalue()


def note(path: Path) -> str:
    return path.with_name(f"{path.name}.txt").read_text()


def found(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


class TestRoundTrip:
    def test_three_corrections_and_two_confirmations_hold_when_the_requester_replies(
        self, cli: CLI, report: Path, folder: Path
    ) -> None:
        correct(report, T1=LAPTOP, T2=STOLEN, T4=("Other", "General Inquiry"))
        check(report, "T-3", "T-5")
        drop(report, folder)
        change_ticket(cli, "T-1", long_description="The account is locked.\n\nAny news? I cannot work at all.")
        second = cli.ok("run")
        assert "lead.xlsx: 3 corrections and 2 confirmations taken over" in second.stderr
        assert found(folder) == ["done/lead.xlsx", "done/lead.xlsx.txt"]
        for _ in range(2):
            table = rows(cli.reports[-1])
            assert {ticket: (row["source"], row["request_type"]) for ticket, row in table.items()} == {
                "T-1": ("corrected", "Laptop Repair"),
                "T-2": ("corrected", "Stolen Device"),
                "T-3": ("confirmed", "SaaS Platform Access (Jira/Salesforce)"),
                "T-4": ("corrected", "General Inquiry"),
                "T-5": ("confirmed", rows(report)["T-5"]["request_type"]),
            }
            assert [ticket for ticket, row in table.items() if "the text changed since" in row["decision"]] == ["T-1"]
            assert not any(row["needs_review"] for row in table.values())
            assert "taken over" not in cli.ok("run").stderr

    def test_the_note_says_what_was_taken_from_each_row(self, cli: CLI, report: Path, folder: Path) -> None:
        correct(report, T1=LAPTOP)
        check(report, "T-3")
        drop(report, folder)
        cli.ok("run")
        text = note(folder / "done" / "lead.xlsx")
        assert "2 taken over, 0 known from an earlier import, 0 refused." in text
        assert f"C{row_of(report, 'T-1')}: ticket T-1 corrected to Hardware / Laptop Repair\n" in text
        assert "ticket T-3 confirmed as Access / SaaS Platform Access (Jira/Salesforce)\n" in text

    def test_pending_reports_are_sent_before_and_a_dry_run_takes_nothing_over(
        self, cli: CLI, report: Path, folder: Path
    ) -> None:
        correct(report, T1=LAPTOP)
        path = drop(report, folder)
        cli.ok("run", "--dry-run")
        assert path.exists()
        cli.settings |= {"EMAIL_TRANSPORT": "smtp", "EMAIL_SMTP_HOST": "127.0.0.1", "EMAIL_SMTP_PORT": "1"}
        assert cli("run").exit_code == 4
        assert path.exists(), "without a mail server, the run ends before the import"

    def test_the_command_and_the_folder_know_each_other(self, cli: CLI, report: Path, folder: Path) -> None:
        correct(report, T1=LAPTOP)
        drop(report, folder)
        cli.ok("corrections", "import", str(report))
        assert "lead.xlsx: 0 corrections taken over" in cli.ok("run").stderr
        assert "1 known from an earlier import" in note(folder / "done" / "lead.xlsx")
        assert len(listed(cli)) == 1


class TestRefusals:
    def test_valid_rows_are_taken_over_beside_wrong_ones(self, cli: CLI, report: Path, folder: Path) -> None:
        correct(report, T1=LAPTOP, T2=("Canteen", "Menu"))
        check(report, "T-3", mark="perhaps")
        drop(report, folder)
        result = cli("run")
        assert result.exit_code == 5
        assert "lead.xlsx: 1 correction taken over" in result.stderr
        assert "lead.xlsx: refused: 2 rows not taken over; see corrections/refused/lead.xlsx.txt" in result.stderr
        text = note(folder / "refused" / "lead.xlsx")
        assert f"B{row_of(report, 'T-2')}: 'Canteen' is not a category in the catalog (ticket T-2): refused" in text
        assert f"{mark_cell(report, 'T-3')}: 'perhaps' is neither an x nor empty (ticket T-3): refused" in text
        assert "put the workbook into the folder again. What was taken over stays." in text
        assert rows(cli.reports[-1])["T-1"]["request_type"] == "Laptop Repair"
        correct(report, T2=STOLEN)
        edit(report, {mark_cell(report, "T-3"): "x"})
        drop(report, folder)
        assert "lead.xlsx: 1 correction and 1 confirmation taken over" in cli.ok("run").stderr
        assert "1 known from an earlier import" in note(folder / "done" / "lead.xlsx")

    def test_what_is_no_report_of_this_desk_is_refused_with_a_reason(
        self, cli: CLI, report: Path, folder: Path
    ) -> None:
        (folder / "text.xlsx").write_text("no workbook")
        (folder / "export.csv").write_text("a,b")
        openpyxl.Workbook().save(folder / "other.xlsx")
        (folder / "link.xlsx").symlink_to(report)
        os.mkfifo(folder / "pipe.xlsx")
        (folder / "\x1b[31mred.xlsx").write_text("no workbook")
        (folder / "foreign.xlsx").write_bytes(workbook_of_another_desk())
        result = cli("run")
        assert result.exit_code == 5
        assert len(cli.reports) == 2, "the run goes on"
        expected = {
            "text.xlsx": "is not a report of ticketattr",
            "export.csv": "is not a workbook with the suffix .xlsx",
            "other.xlsx": "it has no sheet Tickets",
            "link.xlsx": "cannot be read: ",
            "pipe.xlsx": "it is not a file but a pipe or a device",
            "foreign.xlsx": "the files of its run 20200101T000000Z-0000 cannot be read",
        }
        for name, reason in expected.items():
            assert reason in note(folder / "refused" / name), name
            assert f"{name}: refused: " in result.stderr
        assert "\x1b" not in result.stderr
        assert (folder / "refused" / "link.xlsx").is_symlink()
        assert report.exists()
        assert not [name for name in found(folder) if "/" not in name]
        cli.ok("run")

    def test_folders_and_files_of_other_programs_stay(self, cli: CLI, folder: Path) -> None:
        for name in (".DS_Store", "~$closed.xlsx", "x.xlsx.part", "Thumbs.db", "archive/old.xlsx"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("x")
        before = found(folder)
        cli.ok("run")
        assert found(folder) == before


class TestUnfinished:
    @pytest.mark.parametrize("length", [0, 2, 1000, -200])
    def test_a_workbook_that_is_still_being_written_is_left_for_the_next_run(
        self, cli: CLI, report: Path, folder: Path, length: int
    ) -> None:
        correct(report, T1=LAPTOP)
        content = report.read_bytes()
        path = folder / "lead.xlsx"
        path.write_bytes(content[:length])
        result = cli.ok("run")
        assert "lead.xlsx: left for the next run: it is not complete yet" in result.stderr
        assert found(folder) == ["lead.xlsx"]
        path.write_bytes(content)
        assert "lead.xlsx: 1 correction taken over" in cli.ok("run").stderr

    def test_a_cut_workbook_that_nobody_writes_any_more_is_refused(self, cli: CLI, report: Path, folder: Path) -> None:
        path = folder / "lead.xlsx"
        path.write_bytes(report.read_bytes()[:2000])
        os.utime(path, (1_700_000_000, 1_700_000_000))
        assert cli("run").exit_code == 5
        assert found(folder) == ["refused/lead.xlsx", "refused/lead.xlsx.txt"]

    @pytest.mark.parametrize("lock", ["~$lead.xlsx", ".~lock.lead.xlsx#"])
    def test_an_open_workbook_is_left_for_the_next_run(self, cli: CLI, report: Path, folder: Path, lock: str) -> None:
        correct(report, T1=LAPTOP)
        drop(report, folder)
        (folder / lock).write_text("ann")
        result = cli.ok("run")
        assert f"another program has it open. If that is not so, delete {lock}" in result.stderr
        (folder / lock).unlink()
        assert "1 correction taken over" in cli.ok("run").stderr

    def test_a_workbook_that_is_saved_again_meanwhile_is_read_again(
        self, cli: CLI, report: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The second save comes after the corrections are stored and before the workbook is moved."""
        correct(report, T1=LAPTOP)
        path = drop(report, folder)
        correct(report, T1=STOLEN)
        incoming = incoming_corrections(cli)
        inbox: Any = incoming.inbox
        (file,) = inbox.workbooks()
        inbox.read(file)
        path.write_bytes(report.read_bytes())
        with pytest.raises(Exception, match="somebody saved it again"):
            inbox.settle(file, "done", "note")
        cli.ok("run")
        assert rows(cli.reports[-1])["T-1"]["request_type"] == "Stolen Device"


def incoming_corrections(cli: CLI) -> Incoming:
    folders = FolderSettings(
        output=cli.folder / "output",
        work=cli.folder / "work",
        report_log=cli.folder / "output/reports.db",
        corrections=cli.folder / "work/corrections.db",
        corrected_workbooks=cli.folder / "corrections",
    )
    return wiring.incoming_corrections(folders, lambda: datetime.now(timezone.utc))


class TestTwoWorkbooks:
    @pytest.mark.parametrize("is_first_name_later", [True, False])
    def test_the_workbook_that_was_saved_last_counts_and_both_say_so(
        self, cli: CLI, report: Path, folder: Path, is_first_name_later: bool
    ) -> None:
        cli.ok("run")
        second = cli.reports[-1]
        correct(report, T1=LAPTOP)
        correct(second, T1=STOLEN)
        times = (2e9, 1e9) if is_first_name_later else (1e9, 2e9)
        drop(report, folder, "a.xlsx", saved=times[0])
        drop(second, folder, "b.xlsx", saved=times[1])
        stderr = cli.ok("run").stderr
        last, first = ("a", "b") if is_first_name_later else ("b", "a")
        winner, loser = ("Laptop Repair", "Stolen Device") if last == "a" else ("Stolen Device", "Laptop Repair")
        assert rows(cli.reports[-1])["T-1"]["request_type"] == winner
        replaces = f"ticket T-1: Hardware / {winner} replaces Hardware / {loser} in {first}.xlsx"
        replaced = f"ticket T-1: Hardware / {loser} was replaced by Hardware / {winner} in {last}.xlsx"
        assert replaces in note(folder / "done" / f"{last}.xlsx")
        assert replaced in note(folder / "done" / f"{first}.xlsx")
        assert replaces in stderr
        assert replaced in stderr

    def test_two_copies_of_one_report_follow_the_same_rule(self, cli: CLI, report: Path, folder: Path) -> None:
        correct(report, T1=LAPTOP)
        drop(report, folder, "z.xlsx", saved=1e9)
        correct(report, T1=STOLEN)
        drop(report, folder, "a.xlsx", saved=1.5e9)
        cli.ok("run")
        assert rows(cli.reports[-1])["T-1"]["request_type"] == "Stolen Device"
        assert "was replaced by Hardware / Stolen Device in a.xlsx" in note(folder / "done" / "z.xlsx")

    def test_a_decision_of_an_earlier_import_is_named_when_it_is_replaced(
        self, cli: CLI, report: Path, folder: Path
    ) -> None:
        correct(report, T1=LAPTOP)
        cli.ok("corrections", "import", str(report))
        cli.ok("run")
        second = cli.reports[-1]
        correct(second, T1=STOLEN)
        drop(second, folder)
        cli.ok("run")
        assert "replaces Hardware / Laptop Repair of the report of run " in note(folder / "done" / "lead.xlsx")

    def test_a_name_that_is_taken_gets_a_number(self, cli: CLI, report: Path, folder: Path) -> None:
        for pair in (LAPTOP, STOLEN):
            correct(report, T1=pair)
            drop(report, folder)
            cli.ok("run")
        assert found(folder / "done") == ["lead-2.xlsx", "lead-2.xlsx.txt", "lead.xlsx", "lead.xlsx.txt"]


class TestNothingIsLost:
    def test_a_run_that_is_killed_between_store_and_move_adds_nothing_twice(
        self, cli: CLI, report: Path, folder: Path
    ) -> None:
        """Two copies of one report disagree. Their files are still there, as after a kill."""
        correct(report, T1=LAPTOP, T4=LAPTOP)
        first = drop(report, folder, "a.xlsx", saved=1e9)
        correct(report, T1=STOLEN)
        second = drop(report, folder, "b.xlsx", saved=1.5e9)
        cli.ok("run")
        taken = listed(cli)
        for path, saved in ((first, 1e9), (second, 1.5e9)):
            shutil.move(folder / "done" / path.name, path)
            os.utime(path, (saved, saved))
        cli.ok("run")
        assert listed(cli) == taken
        assert len(taken) == 3
        assert found(folder) == ["done/a.xlsx", "done/a.xlsx.txt", "done/b.xlsx", "done/b.xlsx.txt"]
        text = note(folder / "done" / "a.xlsx")
        assert "0 taken over, 2 known from an earlier import" in text
        assert "ticket T-1 corrected to Hardware / Laptop Repair (known from an earlier import)" in text
        assert "was replaced by Hardware / Stolen Device" in text
        assert rows(cli.reports[-1])["T-1"]["request_type"] == "Stolen Device"

    @pytest.mark.skipif(ROOT, reason="root may write everywhere")
    def test_a_folder_that_cannot_be_written_is_said_and_what_is_in_it_is_taken_over(
        self, cli: CLI, report: Path, folder: Path
    ) -> None:
        correct(report, T1=LAPTOP)
        drop(report, folder)
        folder.chmod(0o500)
        try:
            result = cli("run")
        finally:
            folder.chmod(0o700)
        assert result.exit_code == 5
        assert "lead.xlsx: not moved: " in result.stderr
        assert "Permission denied" in result.stderr

    def test_a_workbook_that_cannot_be_moved_is_said_and_stays(self, cli: CLI, report: Path, folder: Path) -> None:
        correct(report, T1=LAPTOP)
        drop(report, folder)
        (folder / "done").write_text("a file")
        for _ in range(2):
            result = cli("run")
            assert result.exit_code == 5
            assert "lead.xlsx: not moved: corrections/done cannot be written: " in result.stderr
            assert rows(cli.reports[-1])["T-1"]["request_type"] == "Laptop Repair"
        assert len(listed(cli)) == 1
        (folder / "done").unlink()
        elsewhere = cli.folder / "elsewhere"
        elsewhere.mkdir()
        (folder / "done").symlink_to(elsewhere)
        assert "is a link, which is not followed" in cli("run").stderr
        assert list(elsewhere.iterdir()) == []

    def test_a_folder_that_is_a_file_is_said_and_one_that_is_missing_is_not(self, cli: CLI) -> None:
        cli.ok("run")
        (cli.folder / "corrections").write_text("a file")
        result = cli("run")
        assert result.exit_code == 5
        assert "corrections cannot be read: Not a directory" in result.stderr
        assert len(cli.reports) == 2

    def test_a_damaged_store_leaves_the_workbooks_where_they_are(self, cli: CLI, report: Path, folder: Path) -> None:
        correct(report, T1=LAPTOP)
        drop(report, folder)
        (cli.folder / "work" / "corrections.db").write_bytes(b"no database at all, but long enough to be looked at")
        assert cli("run").exit_code == 3
        assert found(folder) == ["lead.xlsx"]

    @pytest.mark.parametrize("name", ["OUTPUT_DIR", "WORK_DIR"])
    def test_the_folder_is_no_folder_of_the_program(self, cli: CLI, name: str) -> None:
        cli.settings |= {"CORRECTIONS_DIR": "x", name: str(cli.folder / "x")}
        result = cli("run")
        assert result.exit_code == 2
        assert f"CORRECTIONS_DIR must be another folder than {name}" in result.stderr

    def test_the_note_may_be_read_by_those_who_may_read_the_workbook(
        self, cli: CLI, report: Path, folder: Path
    ) -> None:
        drop(report, folder, "mine.xlsx").chmod(0o600)
        drop(report, folder, "ours.xlsx").chmod(0o664)
        cli.ok("run")
        modes = [(folder / "done" / f"{name}.xlsx.txt").stat().st_mode & 0o777 for name in ("mine", "ours")]
        assert modes == [0o600, 0o664]


def test_the_store_knows_the_file_of_each_correction(cli: CLI, report: Path, folder: Path) -> None:
    correct(report, T1=LAPTOP)
    drop(report, folder)
    cli.ok("run")
    with closing(sqlite3.connect("work/corrections.db")) as store:
        ((digest,),) = store.execute("SELECT workbook FROM corrections").fetchall()
    assert len(digest) == 64
    (row,) = csv.DictReader(io.StringIO(cli.ok("corrections", "list", "--format", "csv").stdout))
    assert row["reviewer"] == listed(cli)[0]["reviewer"]
