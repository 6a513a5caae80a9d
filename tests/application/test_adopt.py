"""Reports that count as sent without a message, with a real folder and log."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ticketattr.application.adopt import adopt as adopt_in_folder
from ticketattr.application.adopt import adopt_reports, adoptable_reports
from ticketattr.domain.delivery import RecipientResult
from ticketattr.domain.report_status import ReportStatus
from ticketattr.errors import InputError, SettingsError
from ticketattr.infrastructure.delivery.report_log import SQLiteReportLog

from ..fakes import MIDNIGHT, a_report
from .test_send import REFUSED, Desk


def adopt(desk: Desk, *names: str) -> list[str]:
    statuses = adoptable_reports(desk.outgoing().tracker, [desk.root / name for name in names])
    return [report.path.name for report in adopt_reports(desk.log, statuses, desk.clock())]


def test_pending_and_refused_reports_count_as_sent_once_adopted(desk: Desk) -> None:
    desk.put("a.xlsx")
    desk.mailer.troubles = [REFUSED]
    desk.send()
    desk.put("b.xlsx")
    assert adopt(desk, "a.xlsx", "b.xlsx") == ["a.xlsx", "b.xlsx"]
    assert {status.detail for status in desk.outgoing().tracker.statuses()} == {"adopted: counts as sent"}
    assert desk.send() == []


def test_a_sent_report_is_not_adopted(desk: Desk) -> None:
    desk.put("a.xlsx")
    desk.send()
    assert adopt(desk, "a.xlsx") == []
    assert desk.log.adoptions() == []


def test_a_report_in_doubt_cannot_be_adopted(doubtful: Desk) -> None:
    for policy, state in (("resend", "in_doubt"), ("hold", "held")):
        doubtful.doubt = "hold" if policy == "hold" else "resend"
        with pytest.raises(InputError, match=rf"a\.xlsx is not adopted: {state}") as caught:
            adopt(doubtful, "a.xlsx")
        assert caught.value.hint == "Decide with `ticketattr pending resolve`."
    assert doubtful.log.adoptions() == []


def test_a_damaged_report_stops_the_adoption_of_all(desk: Desk) -> None:
    desk.put("a.xlsx")
    (desk.root / "broken.xlsx").write_bytes(b"no workbook")
    with pytest.raises(InputError, match=r"broken\.xlsx is not adopted: .") as caught:
        adopt(desk, "a.xlsx", "broken.xlsx")
    assert caught.value.hint == "Only a report that can be sent can count as sent."
    assert desk.states()["a.xlsx"] == "pending"


def test_without_a_log_all_workbooks_except_damaged_ones_can_be_adopted(desk: Desk) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        desk.put(name)
    (desk.root / "broken.xlsx").write_bytes(b"no workbook")
    assert adopt(desk) == ["a.xlsx", "b.xlsx"]
    assert desk.send() == []


def test_with_a_log_reports_to_adopt_must_be_named(desk: Desk) -> None:
    desk.put("a.xlsx")
    desk.send()
    with pytest.raises(SettingsError, match="there is a report log") as caught:
        adopt(desk)
    assert caught.value.hint == "Name the workbooks that are to count as sent."


def test_a_report_that_is_being_sent_cannot_be_adopted(desk: Desk) -> None:
    with pytest.raises(InputError, match="sending"):
        adopt_reports(desk.log, [ReportStatus(a_report(), "sending")], MIDNIGHT)


def test_a_report_that_a_recipient_still_waits_for_cannot_be_adopted(desk: Desk) -> None:
    desk.addressing = replace(desk.addressing, recipients=("lead@example.com", "later@example.com"))
    desk.mailer.answers = [(RecipientResult("later@example.com", "deferred", "450 later"),)]
    path = desk.put("a.xlsx")
    desk.send()
    with pytest.raises(InputError) as caught:
        adopt(desk, "a.xlsx")
    assert str(caught.value) == f"{path} is not adopted: it is sent, and deferred for a recipient"
    assert caught.value.hint == "Give the recipient up with `ticketattr pending resolve --recipient ADDRESS`."


class TestFolder:
    """Whose reports are adopted: those of a folder that belongs to no log, or to another one."""

    @staticmethod
    def adopt(desk: Desk, *names: str) -> list[str]:
        paths = [desk.root / name for name in names]
        with desk.log.acquire_sender_lock(desk.clock()):
            adopted = adopt_in_folder(desk.outgoing().tracker, desk.log, paths, desk.clock())
        return [report.path.name for report in adopted]

    @staticmethod
    def with_other_log(desk: Desk) -> None:
        """The folder belongs to its log so far; from here on, another log is set, and exists."""
        desk.log = SQLiteReportLog(desk.root.parent / "other.db")
        desk.log.establish()

    def test_a_folder_without_a_log_belongs_to_the_log_in_which_its_reports_are_adopted(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        assert self.adopt(desk) == ["a.xlsx"]
        owner = desk.outgoing().tracker.folder.owner()
        assert owner == desk.log.identity()

    def test_without_anything_to_adopt_no_log_is_made(self, desk: Desk) -> None:
        assert self.adopt(desk) == []
        assert (desk.log.exists(), desk.outgoing().tracker.folder.owner()) == (False, None)

    def test_a_folder_of_another_log_belongs_to_this_one_once_all_its_reports_are_adopted(self, desk: Desk) -> None:
        for name in ("a.xlsx", "b.xlsx"):
            desk.put(name)
        desk.send()
        self.with_other_log(desk)
        assert self.adopt(desk, "a.xlsx") == ["a.xlsx"]
        with pytest.raises(SettingsError, match="belongs to another report log"):
            desk.send()
        assert self.adopt(desk) == ["b.xlsx"]
        assert desk.send() == []
        assert desk.outgoing().tracker.folder.owner() == desk.log.identity()
