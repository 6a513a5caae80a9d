"""Logs of other versions and of other programs, and what the tables keep to themselves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ticketattr.domain.report_status import DeliveryHistory
from ticketattr.domain.send_rules import statuses_of
from ticketattr.errors import InputError, SettingsError
from ticketattr.infrastructure.delivery.report_log import SQLiteReportLog

from ...fakes import MIDNIGHT, a_message, a_report


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reports.db"


@pytest.fixture
def log(path: Path) -> SQLiteReportLog:
    return SQLiteReportLog(path, who="somebody")


def run_sql(path: Path, *statements: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        return [row for statement in statements for row in database.execute(statement)]


class TestEarlierImplementation:
    def test_its_file_names_count_as_sent_for_files_older_than_the_entry(
        self, log: SQLiteReportLog, path: Path
    ) -> None:
        run_sql(
            path,
            "CREATE TABLE reports (id INTEGER PRIMARY KEY, filename TEXT, created_at TIMESTAMP)",
            "INSERT INTO reports (filename, created_at) VALUES ('output/sent.xlsx', '2026-11-23 01:00:00')",
            "INSERT INTO reports (filename, created_at) VALUES ('C:\\reports\\windows.xlsx', '2026-11-23T01:00:00Z')",
            "INSERT INTO reports (filename, created_at) VALUES ('epoch.xlsx', 1795395600)",
        )
        before, after = MIDNIGHT, MIDNIGHT + timedelta(hours=2)
        reports = [
            a_report(name.encode(), name, modified=modified)
            for modified in (before, after)
            for name in ("sent.xlsx", "windows.xlsx", "epoch.xlsx", "other.xlsx")
        ]
        statuses = statuses_of(reports, DeliveryHistory(log.deliveries(), log.adoptions()))
        assert [status.state for status in statuses] == ["sent", "sent", "sent", "pending", *["pending"] * 4]
        assert statuses[0].sent_at == datetime(2026, 11, 23, 1, tzinfo=timezone.utc)

    def test_its_table_is_kept_and_the_takeover_is_recorded(self, log: SQLiteReportLog, path: Path) -> None:
        run_sql(
            path,
            "CREATE TABLE reports (filename TEXT, created_at TEXT)",
            "INSERT INTO reports VALUES ('a.xlsx', '2026-11-23')",
        )
        assert log.exists()
        log.start_attempt(a_message(), MIDNIGHT)
        assert run_sql(path, "SELECT * FROM reports") == [("a.xlsx", "2026-11-23")]
        assert [event.what for event in log.events()] == ["taken_over", "sending"]
        assert [event.what for event in SQLiteReportLog(path).events()] == ["taken_over", "sending"], "taken over once"

    def test_an_invalid_time_is_an_error(self, log: SQLiteReportLog, path: Path) -> None:
        run_sql(
            path,
            "CREATE TABLE reports (filename TEXT, created_at TEXT)",
            "INSERT INTO reports VALUES ('a.xlsx', 'last week')",
        )
        with pytest.raises(InputError, match="last week"), log.acquire_sender_lock(MIDNIGHT):
            raise AssertionError("held")
        assert run_sql(path, "PRAGMA user_version") == [(0,)]


class TestEvents:
    def test_events_record_what_happened_and_who_did_it(self, log: SQLiteReportLog) -> None:
        log.start_attempt(a_message(), MIDNIGHT, why="again")
        log.record_result(a_message(), "in_doubt", "broke off", MIDNIGHT)
        log.record_decision(a_message(), "sent", "it arrived", MIDNIGHT)
        log.adopt([a_report(b"other")], "adopted", MIDNIGHT)
        told = [(event.what, event.who, event.message_id != "") for event in log.events()]
        assert told == [
            ("sending", "somebody", True),
            ("in_doubt", "somebody", True),
            ("resolved", "somebody", True),
            ("adopted", "somebody", False),
        ]

    @pytest.mark.parametrize("statement", ["UPDATE events SET who = 'else'", "DELETE FROM events"])
    def test_events_cannot_be_changed_or_deleted(self, log: SQLiteReportLog, path: Path, statement: str) -> None:
        log.start_attempt(a_message(), MIDNIGHT)
        with pytest.raises(sqlite3.DatabaseError, match="append-only"):
            run_sql(path, statement)

    def test_a_repetition_and_its_result_are_further_events(self, log: SQLiteReportLog) -> None:
        for state in ("failed", "sent"):
            log.start_attempt(a_message(), MIDNIGHT)
            log.record_result(a_message(), state, "why", MIDNIGHT)
        assert [event.what for event in log.events()] == ["sending", "failed", "sending", "sent"]


class TestSafety:
    def test_it_uses_a_write_ahead_log(self, log: SQLiteReportLog, path: Path) -> None:
        log.start_attempt(a_message(), MIDNIGHT)
        assert run_sql(path, "PRAGMA journal_mode") == [("wal",)]

    def test_it_is_for_its_owner_alone(self, log: SQLiteReportLog, path: Path) -> None:
        log.start_attempt(a_message(), MIDNIGHT)
        assert path.stat().st_mode & 0o777 == 0o600

    def test_internal_damage_is_found_before_anything_is_sent(self, log: SQLiteReportLog, path: Path) -> None:
        for number in range(60):
            log.start_attempt(a_message(number=number), MIDNIGHT)
        # An index that has lost an entry: every row can still be read.
        run_sql(path, "PRAGMA writable_schema = ON", "UPDATE sqlite_master SET rootpage = 2 WHERE name LIKE '%sha256'")
        with pytest.raises(InputError) as error, log.acquire_sender_lock(MIDNIGHT):
            raise AssertionError("held")
        assert "is damaged" in str(error.value)
        assert "backup" in error.value.hint

    def test_a_log_that_cannot_be_written_is_an_error_before_anything_is_sent(
        self, log: SQLiteReportLog, path: Path
    ) -> None:
        log.start_attempt(a_message(), MIDNIGHT)
        # A name that is too long for the journal beside it; permissions do not bind the administrator.
        long = path.with_name("x" * 253)
        path.rename(long)
        with pytest.raises(SettingsError):
            SQLiteReportLog(long).start_attempt(a_message(number=2), MIDNIGHT)

    def test_a_log_that_disappears_meanwhile_is_not_created_again(self, log: SQLiteReportLog, path: Path) -> None:
        log.start_attempt(a_message(), MIDNIGHT)
        path.unlink()
        with pytest.raises(SettingsError, match="has disappeared"):
            log.record_result(a_message(), "sent", "250 ok", MIDNIGHT)
        assert not path.exists()

    @pytest.mark.parametrize("content", [None, b""], ids=["no file", "empty file"])
    def test_a_log_without_records_does_not_exist(
        self, log: SQLiteReportLog, path: Path, content: bytes | None
    ) -> None:
        if content is not None:
            path.write_bytes(content)
        with log.acquire_sender_lock(MIDNIGHT):
            assert not log.exists()
        log.start_attempt(a_message(), MIDNIGHT)
        assert log.exists()
