"""The log of what was sent, in real SQLite files."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from ticketattr.domain.delivery import ABANDONED, Delivery, MessageState, RecipientResult
from ticketattr.errors import BusyError, InputError, ServiceError, SettingsError
from ticketattr.infrastructure.delivery.report_log import SQLiteReportLog, read_backup
from ticketattr.infrastructure.delivery.report_log_schema import SCHEMA_VERSION
from ticketattr.infrastructure.delivery.sql_report_log import SQLReportLog

from ...fakes import MIDNIGHT, a_message, a_report

LATER = MIDNIGHT + timedelta(hours=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reports.db"


@pytest.fixture
def log(path: Path) -> SQLiteReportLog:
    return SQLiteReportLog(path)


@pytest.fixture
def other(path: Path) -> SQLiteReportLog:
    return SQLiteReportLog(path)


class ReportLogContract:
    """What every report log does. `log` is an empty one, and `other` another object for the same log."""

    def test_a_message_is_read_as_it_was_recorded(self, log: SQLReportLog) -> None:
        message = a_message(
            a_report(b"one", "output/für 报告.xlsx", "20261123T000000Z-7f3a"),
            a_report(b"two", "b.xlsx"),
            recipients=("lead@example.com", "boss@example.com"),
            subject='"Reports"; für',
        )
        log.start_attempt(message, LATER)
        recipients = tuple(RecipientResult(address, "sending") for address in message.recipients)
        assert log.deliveries() == [Delivery(message, "sending", LATER, results=recipients)]

    def test_a_message_is_sending_until_its_result_is_recorded(self, log: SQLReportLog) -> None:
        log.start_attempt(a_message(), MIDNIGHT)
        log.record_result(a_message(), "sent", "250 OK", LATER)
        results = (RecipientResult("lead@example.com", "sent", "250 OK"),)
        assert log.deliveries() == [Delivery(a_message(), "sent", LATER, "250 OK", results=results)]

    @pytest.mark.parametrize("state", ["sending", "sent", "failed", "in_doubt"])
    def test_every_state_is_kept(self, log: SQLReportLog, state: MessageState) -> None:
        log.start_attempt(a_message(), MIDNIGHT)
        log.record_result(a_message(), state, "why", LATER)
        (delivery,) = log.deliveries()
        assert (delivery.state, delivery.detail) == (state, "why")

    def test_a_repetition_is_a_further_attempt_of_the_same_message(self, log: SQLReportLog) -> None:
        log.start_attempt(a_message(), MIDNIGHT)
        log.record_result(a_message(), "in_doubt", "broke off", MIDNIGHT)
        log.start_attempt(a_message(), LATER)
        results = (RecipientResult("lead@example.com", "sending"),)
        assert log.deliveries() == [Delivery(a_message(), "sending", LATER, attempts=2, results=results)]

    def test_a_repetition_from_another_path_keeps_the_recorded_message(self, log: SQLReportLog) -> None:
        log.start_attempt(a_message(a_report(name="old.xlsx")), MIDNIGHT)
        log.start_attempt(a_message(a_report(name="new.xlsx")), LATER)
        assert [delivery.message for delivery in log.deliveries()] == [a_message(a_report(name="old.xlsx"))]

    def test_deliveries_come_oldest_first(self, log: SQLReportLog) -> None:
        for number in (2, 3, 1):
            log.start_attempt(a_message(number=number), LATER)
        assert [delivery.message for delivery in log.deliveries()] == [a_message(number=number) for number in (1, 2, 3)]

    def test_the_latest_deliveries_are_read_page_by_page(self, log: SQLReportLog) -> None:
        assert log.recent_deliveries(None, 2) == {}
        for number in range(5):
            log.start_attempt(a_message(a_report(b"one"), a_report(b"two"), number=number), LATER)
        pages, before = [], None
        while page := log.recent_deliveries(before, 2):
            pages.append([delivery.message for delivery in page.values()])
            before = min(page)
        numbers = ((4, 3), (2, 1), (0,))
        assert pages == [
            [a_message(a_report(b"one"), a_report(b"two"), number=number) for number in page] for page in numbers
        ]

    def test_one_report_may_be_in_several_messages(self, log: SQLReportLog) -> None:
        log.start_attempt(a_message(number=1), MIDNIGHT)
        log.start_attempt(a_message(number=2), MIDNIGHT)
        assert [delivery.message.reports for delivery in log.deliveries()] == [(a_report(),), (a_report(),)]

    def test_a_result_of_an_unknown_message_is_kept_and_is_an_error(self, log: SQLReportLog) -> None:
        log.start_attempt(a_message(number=1), MIDNIGHT)
        with pytest.raises(InputError, match="was replaced or cut meanwhile: it does not contain <ticketattr"):
            log.record_result(a_message(number=2), "sent", "250 ok", LATER)
        assert [(delivery.state, delivery.detail) for delivery in log.deliveries()] == [
            ("sending", ""),
            ("sent", "250 ok"),
        ]

    def test_a_decision_about_an_unknown_message_is_an_error(self, log: SQLReportLog) -> None:
        log.start_attempt(a_message(number=1), MIDNIGHT)
        with pytest.raises(InputError, match="nothing was decided"):
            log.record_decision(a_message(number=2), "sent", "", LATER)

    def test_two_processes_see_what_the_other_recorded(self, log: SQLReportLog, other: SQLReportLog) -> None:
        log.start_attempt(a_message(number=1), MIDNIGHT)
        other.start_attempt(a_message(number=2), MIDNIGHT)
        other.record_result(a_message(number=1), "sent", "", LATER)
        assert log.deliveries() == other.deliveries()
        assert [delivery.state for delivery in log.deliveries()] == ["sent", "sending"]

    def test_a_log_that_is_only_read_does_not_come_into_being(self, log: SQLReportLog) -> None:
        assert (log.deliveries(), log.adoptions(), log.events(), log.identity().id) == ([], [], [], "")
        assert log.delivery("<a@b>") is None
        assert not log.exists()

    def test_events_tell_what_happened_in_order(self, log: SQLReportLog) -> None:
        log.start_attempt(a_message(), MIDNIGHT, why="asked for")
        log.record_result(a_message(), "in_doubt", "broke off", LATER)
        log.record_decision(a_message(), "sent", "it arrived", LATER)
        assert [event.what for event in log.events()] == ["sending", "in_doubt", "resolved"]
        assert json.loads(log.events()[0].facts)["why"] == "asked for"

    def test_a_recipient_is_settled_and_with_the_last_one_the_message(self, log: SQLReportLog) -> None:
        message = a_message(recipients=("lead@example.com", "boss@example.com"))
        log.start_attempt(message, MIDNIGHT)
        log.record_result(message, "in_doubt", "broke off", LATER)
        log.settle_recipient(message, "lead@example.com", "sent", "has it", LATER)
        assert [delivery.state for delivery in log.deliveries()] == ["in_doubt"]
        log.settle_recipient(message, "boss@example.com", "refused", "gave up", LATER)
        assert [(result.state, result.reply) for result in log.deliveries()[0].results] == [
            ("sent", "has it"),
            ("refused", "gave up"),
        ]
        assert [delivery.state for delivery in log.deliveries()] == ["sent"]

    def test_the_frame_of_the_first_attempt_stays(self, log: SQLReportLog) -> None:
        for frame in ("first", "second"):
            log.start_attempt(replace(a_message(), frame=(frame,)), MIDNIGHT)
        delivery = log.delivery(a_message().message_id)
        assert delivery
        assert delivery.message.frame == ("first",)

    def test_what_was_deleted_leaves_an_adoption_and_no_address(self, log: SQLReportLog) -> None:
        for number in (1, 2):
            log.start_attempt(a_message(number=number), MIDNIGHT)
        log.record_result(a_message(number=1), "sent", "250", LATER)
        log.delete_deliveries([delivery for delivery in log.deliveries() if delivery.state == "sent"], LATER)
        assert [delivery.message for delivery in log.deliveries()] == [a_message(number=2)]
        assert [(one.sha256, one.at) for one in log.adoptions()] == [(a_report().sha256, LATER)]
        assert {event.message_id for event in log.events()} == {"", a_message(number=2).message_id}

    def test_its_identity_is_established_once(self, log: SQLReportLog, other: SQLReportLog) -> None:
        first = log.establish()
        assert first.id
        assert other.establish() == log.identity() == first

    def test_a_backup_restores_what_was_in_it_and_keeps_what_was_not(self, log: SQLReportLog, tmp_path: Path) -> None:
        backup = tmp_path / "backup.db"
        log.start_attempt(replace(a_message(number=1), frame=("a", "b")), MIDNIGHT)
        log.adopt([a_report(b"old")], "by hand", MIDNIGHT)
        log.back_up(backup)
        before = (log.deliveries(), log.adoptions())
        assert (read_backup(backup).deliveries, read_backup(backup).adoptions) == before
        log.start_attempt(a_message(number=2), LATER)
        former = log.restore(backup, LATER)
        assert (log.deliveries(), log.adoptions()) == before
        assert len(read_backup(Path(former)).deliveries) == 2
        log.start_attempt(a_message(number=3), LATER)
        numbers = [event.number for event in log.events()]
        assert numbers == sorted(set(numbers))

    def test_there_is_no_backup_of_no_log(self, log: SQLReportLog, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="there is no report log"):
            log.back_up(tmp_path / "backup.db")

    def test_a_second_sender_is_refused_with_the_name_of_the_first(
        self, log: SQLReportLog, other: SQLReportLog
    ) -> None:
        with log.acquire_sender_lock(MIDNIGHT):
            assert other.is_locked()
            assert f"process {os.getpid()}" in other.lock_holder()
            with pytest.raises(BusyError, match=f"process {os.getpid()}"), other.acquire_sender_lock(LATER):
                pass
        assert not other.is_locked()
        with other.acquire_sender_lock(LATER):
            assert log.is_locked()

    def test_what_a_dead_sender_left_is_in_doubt(self, log: SQLReportLog, other: SQLReportLog) -> None:
        log.start_attempt(a_message(), MIDNIGHT)
        with other.acquire_sender_lock(LATER):
            (delivery,) = log.deliveries()
        assert (delivery.state, delivery.detail) == ("in_doubt", ABANDONED)


class TestRecords(ReportLogContract):
    """The contract, in a file of SQLite; and what only such a file does."""

    def test_a_log_that_was_emptied_gets_no_result(self, log: SQLiteReportLog, path: Path) -> None:
        log.start_attempt(a_message(), MIDNIGHT)
        path.write_bytes(b"")
        with pytest.raises(SettingsError, match="has disappeared"):
            log.record_result(a_message(), "sent", "250 ok", LATER)
        assert path.read_bytes() == b""


class TestFile:
    def test_reading_creates_no_file(self, log: SQLiteReportLog, path: Path) -> None:
        assert log.deliveries() == []
        assert not list(path.parent.iterdir())

    def test_the_folder_is_created_by_the_first_record(self, tmp_path: Path) -> None:
        log = SQLiteReportLog(tmp_path / "deep" / "down" / "reports.db")
        log.start_attempt(a_message(), MIDNIGHT)
        assert len(log.deliveries()) == 1

    @pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, SCHEMA_VERSION - 1, -1, 0])
    def test_a_database_with_an_unknown_schema_is_not_changed(
        self, log: SQLiteReportLog, path: Path, version: int
    ) -> None:
        with closing(sqlite3.connect(path)) as database:
            database.executescript(f"CREATE TABLE theirs (a); PRAGMA user_version = {version};")
        before = path.read_bytes()
        with pytest.raises(InputError) as error:
            log.start_attempt(a_message(), MIDNIGHT)
        assert f"schema version {version}" in str(error.value)
        assert "REPORT_LOG_DB_PATH" in error.value.hint
        with pytest.raises(InputError):
            log.deliveries()
        assert path.read_bytes() == before

    def test_what_is_no_database_is_left_alone(self, log: SQLiteReportLog, path: Path) -> None:
        path.write_text("Dear diary, today I sent a report. " * 100)
        before = path.read_bytes()
        with pytest.raises(InputError, match="is damaged"):
            log.deliveries()
        with pytest.raises(InputError):
            log.start_attempt(a_message(), MIDNIGHT)
        assert path.read_bytes() == before

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9], ids=str)
    def test_a_truncated_log_is_damaged_and_not_replaced(self, log: SQLiteReportLog, path: Path, share: float) -> None:
        for number in range(50):
            log.start_attempt(a_message(number=number), MIDNIGHT)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(InputError) as error:
            log.deliveries()
        assert "backup" in error.value.hint

    def test_a_path_to_a_folder_is_a_settings_error(self, tmp_path: Path) -> None:
        (tmp_path / "taken").mkdir()
        with pytest.raises(SettingsError) as error:
            SQLiteReportLog(tmp_path / "taken").deliveries()
        assert "REPORT_LOG_DB_PATH" in error.value.hint

    def test_a_folder_that_cannot_be_created_is_a_settings_error(self, tmp_path: Path) -> None:
        (tmp_path / "taken").write_text("a file")
        log = SQLiteReportLog(tmp_path / "taken" / "reports.db")
        with pytest.raises(SettingsError):
            log.start_attempt(a_message(), MIDNIGHT)


HOLD_AND_WAIT = """
import sys, time
from datetime import datetime, timezone
from pathlib import Path
from ticketattr.infrastructure.delivery.report_log import SQLiteReportLog
with SQLiteReportLog(Path(sys.argv[1])).acquire_sender_lock(datetime(2026, 11, 23, tzinfo=timezone.utc)):
    print("held", flush=True)
    time.sleep(60)
"""


class TestHold:
    def test_a_second_process_fails_with_the_holder_and_the_time(self, path: Path) -> None:
        with SQLiteReportLog(path).acquire_sender_lock(MIDNIGHT), pytest.raises(ServiceError) as error:
            hold_and_release(path)
        assert f"process {os.getpid()} since 2026-11-23 00:00:00 UTC" in str(error.value)

    def test_the_next_process_acquires_a_released_lock(self, path: Path) -> None:
        hold_and_release(path)
        hold_and_release(path)

    def test_the_lock_is_released_when_the_holder_fails(self, path: Path) -> None:
        with pytest.raises(InputError, match="mine"), SQLiteReportLog(path).acquire_sender_lock(MIDNIGHT):
            raise InputError("mine")
        hold_and_release(path)

    def test_a_second_process_is_refused_although_the_lock_file_was_deleted(
        self, path: Path, log: SQLiteReportLog
    ) -> None:
        log.start_attempt(a_message(), MIDNIGHT)
        holder = subprocess.Popen([sys.executable, "-c", HOLD_AND_WAIT, str(path)], stdout=subprocess.PIPE, text=True)
        assert holder.stdout
        with holder:
            assert holder.stdout.readline() == "held\n"
            path.with_name("reports.db.lock").unlink()
            with pytest.raises(ServiceError, match="a process whose lock file was deleted"):
                hold_and_release(path)
            assert len(log.deliveries()) == 1
            holder.send_signal(signal.SIGKILL)
        hold_and_release(path)

    def test_a_lock_file_that_is_replaced_before_it_is_locked_is_not_enough(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        acquire, lock = FileLock.acquire, path.with_name("reports.db.lock")
        replaced: list[Path] = []

        def replace_then(held: FileLock, *args: Any, **options: Any) -> Any:
            result = acquire(held, *args, **options)
            if not replaced:
                lock.unlink()
                lock.touch()
                replaced.append(lock)
            return result

        monkeypatch.setattr(FileLock, "acquire", replace_then)
        with SQLiteReportLog(path).acquire_sender_lock(MIDNIGHT):
            monkeypatch.undo()
            with pytest.raises(ServiceError):
                hold_and_release(path)

    def test_other_processes_may_read_meanwhile(self, path: Path, log: SQLiteReportLog) -> None:
        log.start_attempt(a_message(), MIDNIGHT)
        with SQLiteReportLog(path).acquire_sender_lock(MIDNIGHT):
            assert len(log.deliveries()) == 1

    def test_the_lock_is_released_when_its_process_is_killed(self, path: Path) -> None:
        holder = subprocess.Popen([sys.executable, "-c", HOLD_AND_WAIT, str(path)], stdout=subprocess.PIPE, text=True)
        assert holder.stdout
        with holder:
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(ServiceError, match=f"process {holder.pid} since"):
                hold_and_release(path)
            holder.send_signal(signal.SIGKILL)
        hold_and_release(path)

    def test_a_lock_file_that_cannot_be_created_is_an_error(self, path: Path) -> None:
        path.with_name("reports.db.lock").mkdir()
        with pytest.raises((SettingsError, ServiceError)):
            hold_and_release(path)

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe"], ids=["empty", "not text"])
    def test_a_lock_without_a_readable_name_still_locks(self, path: Path, content: bytes) -> None:
        with SQLiteReportLog(path).acquire_sender_lock(MIDNIGHT):
            path.with_name("reports.db.lock").write_bytes(content)
            with pytest.raises(ServiceError, match="unknown process"):
                hold_and_release(path)


def hold_and_release(path: Path) -> None:
    with SQLiteReportLog(path).acquire_sender_lock(LATER):
        pass
