"""Old data is deleted. Pending reports are kept, and so is the fact that a report was sent."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import pytest

from ticketattr.application.ports import DeliveryInDoubt, MessageRefused
from ticketattr.application.report import last_sent_run
from ticketattr.application.retention import Retention, Storage, prune
from ticketattr.domain.delivery import Event, RecipientResult
from ticketattr.infrastructure.stage_files.work_folder import WorkFolder

from ..fakes import MIDNIGHT, FakeMailer
from .test_send import DOUBT, REFUSED, Desk

Incident: TypeAlias = MessageRefused | DeliveryInDoubt
DAY = timedelta(days=1)
OLD, OLDER, RECENT = "20261001T000000Z-0000", "20260901T000000Z-0000", "20261122T000000Z-0000"
NEWEST = "20261123T000000Z-0000"
A_MONTH = Retention(timedelta(days=30))
EVERYTHING = Retention(timedelta(days=30), reports=timedelta(days=30))


def leave(desk: Desk, *runs: str) -> None:
    for run in runs:
        folder = desk.root.parent / "work" / run
        folder.mkdir(parents=True)
        (folder / "tickets.json").write_text("{}")


def prune_at(desk: Desk, retention: Retention, days: float = 0) -> None:
    work = WorkFolder(desk.root.parent / "work")
    storage = Storage(work, desk.outgoing().tracker, desk.log, work.audits, lambda: None)
    with desk.log.acquire_sender_lock(desk.clock()):
        prune(storage, retention, MIDNIGHT + timedelta(days=days))


def runs(desk: Desk) -> list[str]:
    return sorted(path.name for path in (desk.root.parent / "work").iterdir())


def files(desk: Desk) -> list[str]:
    return sorted(path.name for path in desk.root.glob("*.xlsx"))


def pending(desk: Desk) -> list[str]:
    return [status.report.path.name for status in desk.outgoing().tracker.pending()]


def written_anywhere(desk: Desk, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in desk.root.glob("reports.db*"))


class TestRuns:
    def test_folders_of_old_runs_are_deleted(self, desk: Desk) -> None:
        leave(desk, OLDER, OLD, RECENT, NEWEST)
        prune_at(desk, A_MONTH)
        assert runs(desk) == [RECENT, NEWEST]

    def test_audits_of_labels_are_deleted_like_runs_and_none_of_them_is_needed(self, desk: Desk) -> None:
        leave(desk, NEWEST, f"audits/{OLDER}", f"audits/{NEWEST}")
        prune_at(desk, A_MONTH)
        assert runs(desk) == [NEWEST, "audits"]
        assert [path.name for path in (desk.root.parent / "work/audits").iterdir()] == [NEWEST]

    def test_the_newest_run_is_kept_however_old(self, desk: Desk) -> None:
        leave(desk, OLDER, OLD)
        prune_at(desk, A_MONTH)
        assert runs(desk) == [OLD]

    def test_the_run_of_the_last_sent_report_is_kept_for_the_next_comparison(self, desk: Desk) -> None:
        leave(desk, OLDER, OLD, NEWEST)
        desk.put("a.xlsx", run=OLDER)
        desk.send()
        desk.put("b.xlsx", run=OLD)
        desk.send()
        prune_at(desk, A_MONTH)
        assert runs(desk) == [OLD, NEWEST]

    @pytest.mark.parametrize("trouble", [None, DOUBT, REFUSED], ids=["pending", "in doubt", "failed"])
    def test_the_run_of_a_pending_report_is_kept(self, desk: Desk, trouble: Incident | None) -> None:
        leave(desk, OLDER, OLD, NEWEST)
        desk.put("a.xlsx", run=OLDER)
        if trouble:
            desk.mailer.troubles.append(trouble)
            desk.send()
        prune_at(desk, A_MONTH)
        assert runs(desk) == [OLDER, NEWEST]

    def test_other_files_and_folders_are_kept(self, desk: Desk) -> None:
        leave(desk, OLD, NEWEST, "mine", "20260901T000000Z")
        prune_at(desk, A_MONTH)
        assert runs(desk) == ["20260901T000000Z", NEWEST, "mine"]

    def test_a_link_in_the_place_of_a_run_is_said_and_never_followed(
        self, desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        leave(desk, NEWEST)
        precious = tmp_path / "precious"
        precious.mkdir()
        (desk.root.parent / "work" / OLD).symlink_to(precious)
        prune_at(desk, A_MONTH)
        assert precious.exists()
        (message,) = caplog.messages
        assert message.startswith("old data was not deleted completely: ")
        assert OLD in message

    def test_without_a_work_folder_nothing_happens(self, desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
        prune_at(desk, A_MONTH)
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


class TestClock:
    """By a clock that is years ahead, everything is old."""

    def test_a_leap_of_the_clock_deletes_nothing_and_is_told(
        self, desk: Desk, caplog: pytest.LogCaptureFixture
    ) -> None:
        leave(desk, OLDER, OLD, NEWEST, "20461123T000000Z-0000")
        desk.put("a.xlsx", run=OLDER)
        desk.send()
        before = runs(desk), files(desk), desk.log.deliveries()
        prune_at(desk, EVERYTHING, days=20 * 365.25)
        assert (runs(desk), files(desk), desk.log.deliveries()) == before
        (record,) = caplog.records
        assert record.levelno == logging.ERROR
        assert "and 2046-11-2" in record.getMessage()

    def test_a_second_run_by_that_clock_deletes_nothing_either(self, desk: Desk) -> None:
        leave(desk, OLDER, OLD, NEWEST, "20461122T000000Z-0000", "20461123T000000Z-0000")
        prune_at(desk, A_MONTH, days=20 * 365.25)
        assert len(runs(desk)) == 5

    def test_once_the_clock_is_right_again_old_runs_are_deleted(self, desk: Desk) -> None:
        leave(desk, OLDER, OLD, RECENT, NEWEST, "20461123T000000Z-0000")
        prune_at(desk, A_MONTH)
        assert runs(desk) == [RECENT, NEWEST, "20461123T000000Z-0000"]

    def test_a_clock_that_goes_on_from_its_new_time_is_believed(self, desk: Desk) -> None:
        leave(desk, OLDER, "20270601T000000Z-0000", "20270625T000000Z-0000")
        prune_at(desk, A_MONTH, days=214)  # on 25 June 2027
        assert runs(desk) == ["20270601T000000Z-0000", "20270625T000000Z-0000"]


class TestReports:
    def test_reports_are_kept_unless_the_setting_is_set(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.send()
        prune_at(desk, A_MONTH, days=9999)
        assert files(desk) == ["a.xlsx"]
        assert len(desk.log.deliveries()) == 1

    def test_a_report_sent_long_ago_is_deleted_with_its_recipients(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.send()
        desk.addressing = replace(desk.addressing, recipients=("other@example.com",))
        desk.put("b.xlsx")
        desk.send()
        assert written_anywhere(desk, "lead@example.com")
        prune_at(desk, EVERYTHING, days=31)
        assert files(desk) == []
        assert [delivery.message.recipients for delivery in desk.log.deliveries()] == [("other@example.com",)]
        assert not written_anywhere(desk, "lead@example.com")

    def test_a_report_sent_recently_is_kept(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.send()
        prune_at(desk, EVERYTHING, days=29)
        assert files(desk) == ["a.xlsx"]
        assert len(desk.log.deliveries()) == 1

    def test_a_deleted_report_that_comes_back_is_not_sent_again(self, desk: Desk) -> None:
        path = desk.put("a.xlsx")
        content = path.read_bytes()
        desk.send()
        desk.put("b.xlsx")
        desk.send()
        prune_at(desk, EVERYTHING, days=31)
        path.write_bytes(content)
        assert desk.send() == []
        assert pending(desk) == []

    def test_a_deleted_report_that_was_edited_is_not_sent_again(self, desk: Desk) -> None:
        desk.put("a.xlsx", run=OLD)
        desk.send()
        desk.put("b.xlsx", run=NEWEST)
        desk.send()
        prune_at(desk, EVERYTHING, days=31)
        desk.put("a.xlsx", "saved again", run=OLD)
        assert desk.send() == []

    @pytest.mark.parametrize("trouble", [None, DOUBT, REFUSED], ids=["pending", "in doubt", "failed"])
    def test_a_pending_report_is_kept_however_old(self, desk: Desk, trouble: Incident | None) -> None:
        desk.put("a.xlsx")
        if trouble:
            desk.mailer.troubles.append(trouble)
            desk.send()
        before = desk.log.deliveries()
        prune_at(desk, EVERYTHING, days=9999)
        assert files(desk) == ["a.xlsx"]
        assert desk.log.deliveries() == before
        assert pending(desk) == ["a.xlsx"]

    @pytest.mark.parametrize("days", [30, 31], ids=["just", "well"])
    def test_a_message_is_deleted_when_more_than_the_set_time_has_passed(self, desk: Desk, days: float) -> None:
        path = desk.put("a.xlsx", modified=0)
        desk.send()
        desk.put("b.xlsx", modified=0)
        desk.send()
        first = desk.log.deliveries()[0].changed
        os.utime(path, (first.timestamp(), first.timestamp()))
        prune_at(desk, EVERYTHING, days=days + (first - MIDNIGHT) / DAY)
        assert files(desk) == (["a.xlsx", "b.xlsx"] if days == 30 else [])
        assert len(desk.log.deliveries()) == (2 if days == 30 else 1)

    def test_the_last_sent_message_of_each_transport_is_kept_and_older_failed_ones_are_deleted(
        self, desk: Desk
    ) -> None:
        desk.put("a.xlsx")
        desk.send(FakeMailer(transport="file"))
        desk.send()
        desk.put("b.xlsx")
        desk.mailer.troubles = [REFUSED]
        desk.send()
        desk.send()
        (desk.root / "a.xlsx").unlink()
        (desk.root / "b.xlsx").unlink()
        prune_at(desk, EVERYTHING, days=31)
        kept = [(each.message.transport, each.state) for each in desk.log.deliveries()]
        assert kept == [("file", "sent"), ("smtp", "sent")]

    def test_a_message_with_a_deferred_recipient_is_kept_however_old(self, desk: Desk) -> None:
        desk.addressing = replace(desk.addressing, recipients=("lead@example.com", "later@example.com"))
        desk.mailer.answers = [(RecipientResult("later@example.com", "deferred", "450 later"),)]
        path = desk.put("a.xlsx")
        desk.send()
        (message,) = desk.outgoing().messages().pending()
        desk.mailer.answers = [(RecipientResult("later@example.com", "deferred", "450 later"),)] * 2
        desk.put("b.xlsx")
        desk.send()
        path.unlink()
        prune_at(desk, EVERYTHING, days=9999)
        assert files(desk) == ["b.xlsx"]
        assert desk.log.deliveries()[0].message.message_id == message.message_id

    def test_the_numbers_of_deleted_items_are_logged(self, desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
        leave(desk, OLDER, OLD, NEWEST)
        for name in ("a.xlsx", "b.xlsx"):
            desk.put(name)
            desk.send()
        with caplog.at_level("INFO", logger="ticketattr.application.retention"):
            prune_at(desk, A_MONTH, days=31)
            prune_at(desk, EVERYTHING, days=31)
            prune_at(desk, EVERYTHING, days=31)
        assert caplog.messages == [
            "2 runs from before 2026-11-24 deleted",
            "2 reports and 1 message from before 2026-11-24 deleted",
        ]

    def test_a_message_with_a_missing_file_is_deleted_and_logged(
        self, desk: Desk, caplog: pytest.LogCaptureFixture
    ) -> None:
        for name in ("a.xlsx", "b.xlsx"):
            desk.put(name)
            desk.send()
            (desk.root / name).unlink()
        with caplog.at_level("INFO", logger="ticketattr.application.retention"):
            prune_at(desk, EVERYTHING, days=31)
        assert caplog.messages == ["0 reports and 1 message from before 2026-11-24 deleted"]

    def test_an_edited_workbook_is_kept(self, desk: Desk) -> None:
        desk.put("a.xlsx", run=OLD)
        desk.send()
        desk.put("a.xlsx", "saved again", run=OLD)
        prune_at(desk, EVERYTHING, days=9999)
        assert files(desk) == ["a.xlsx"]

    def test_the_last_message_is_kept_for_the_next_comparison(self, desk: Desk) -> None:
        desk.put("a.xlsx", run=OLD)
        desk.send()
        prune_at(desk, EVERYTHING, days=9999)
        assert last_sent_run(desk.log, "smtp") == OLD

    def test_a_recently_modified_report_is_kept(self, desk: Desk) -> None:
        path = desk.put("a.xlsx")
        desk.send()
        desk.put("b.xlsx")
        desk.send()
        now = (MIDNIGHT + 31 * DAY).timestamp()
        os.utime(path, (now, now))
        prune_at(desk, EVERYTHING, days=31)
        assert files(desk) == ["a.xlsx"]
        assert desk.send() == []

    def test_the_log_records_the_deletion_and_keeps_the_rest(self, desk: Desk) -> None:
        for name in ("a.xlsx", "b.xlsx"):
            desk.put(name)
            desk.send()
        prune_at(desk, EVERYTHING, days=31)
        kept: list[Event] = desk.log.events()
        assert [event.what for event in kept] == ["sending", "sent", "pruned"]
        with closing(sqlite3.connect(desk.log.path)) as log, pytest.raises(sqlite3.IntegrityError, match="append-only"):
            log.execute("DELETE FROM events")


def test_what_was_deleted_is_told_with_its_number_and_the_day(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    leave(desk, OLDER, OLD, NEWEST, f"audits/{OLDER}")
    caplog.set_level(logging.INFO, "ticketattr.application.retention")
    prune_at(desk, A_MONTH)
    told = [record.getMessage() for record in caplog.records if record.name == "ticketattr.application.retention"]
    assert told == ["2 runs from before 2026-10-24 deleted", "1 audit from before 2026-10-24 deleted"]


def test_a_leap_of_the_clock_is_told_with_its_day_and_what_follows(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    leave(desk, OLD, NEWEST)
    prune_at(desk, A_MONTH, days=20 * 365.25)
    (message,) = caplog.messages
    assert message.startswith("the clock may be wrong, so nothing was deleted: it says 2046-11-23, and ")
    assert message.endswith(". If it is right, old data is deleted when runs have gone on for some time")
