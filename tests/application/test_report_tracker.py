"""The status of every report, with a real folder and log."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ticketattr.application.report_tracker import refuse_lost_report_log, unfinished_deliveries
from ticketattr.errors import InputError

from ..fakes import MIDNIGHT, FakeMailer, a_report
from .test_send import DOUBT, Desk


def details(desk: Desk) -> dict[str, str]:
    statuses = desk.outgoing().tracker.statuses()
    return {status.report.path.name: status.detail for status in statuses}


class TestForgotten:
    @pytest.mark.parametrize(("number", "named"), [(1, "0.xlsx is"), (3, "0.xlsx and 2 more reports are")])
    def test_old_workbooks_without_a_log_may_have_been_sent(self, number: int, named: str) -> None:
        old = [a_report(name=f"{place}.xlsx", modified=MIDNIGHT) for place in range(number)]
        now = MIDNIGHT + timedelta(days=1, seconds=1)
        with pytest.raises(InputError) as caught:
            refuse_lost_report_log([a_report(name="new.xlsx", modified=now), *old], now)
        assert str(caught.value) == (
            f"there is no report log, but {named} over a day old: nobody knows whether that was sent"
        )
        for way_out in ("REPORT_LOG_DB_PATH", "ticketattr pending adopt", "--send-old"):
            assert way_out in caught.value.hint

    def test_workbooks_of_the_last_day_are_new(self) -> None:
        refuse_lost_report_log([a_report(modified=MIDNIGHT)], MIDNIGHT + timedelta(days=1))

    def test_a_file_of_another_program_was_never_sent(self) -> None:
        temporary = replace(a_report(name="~$a.xlsx"), is_temporary=True)
        refuse_lost_report_log([temporary], MIDNIGHT + timedelta(days=9))

    def test_with_a_log_old_workbooks_are_not_refused(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.send()
        desk.put("old.xlsx")
        assert desk.outgoing().messages().pending()


def test_unsent_reports_are_the_pending_ones_and_those_that_are_never_sent(desk: Desk) -> None:
    desk.put("sent.xlsx", run="20261123T000000Z-0000")
    desk.put("edited.xlsx", run="20261123T000000Z-0001")
    desk.send()
    desk.put("edited.xlsx", "saved again", run="20261123T000000Z-0001")
    desk.put("new.xlsx")
    (desk.root / "broken.xlsx").write_bytes(b"no workbook")
    (desk.root / "~$new.xlsx").write_bytes(b"lock")
    tracker = desk.outgoing().tracker
    assert {status.report.path.name: status.state for status in tracker.unsent()} == {
        "edited.xlsx": "edited",
        "new.xlsx": "pending",
        "broken.xlsx": "damaged",
        "~$new.xlsx": "damaged",
    }
    assert {status.report.path.name for status in tracker.pending()} == {"new.xlsx", "broken.xlsx"}


class TestUnfinished:
    def test_a_message_in_doubt_is_unfinished_until_each_of_its_reports_arrived(self, doubtful: Desk) -> None:
        for name, left in (("a.xlsx", 1), ("b.xlsx", 0)):
            doubtful.send_report(doubtful.root / name, again=True)
            assert len(unfinished_deliveries(doubtful.outgoing().tracker.history())) == left

    def test_a_missing_report_is_listed_with_the_reason_why_it_cannot_be_sent(self, doubtful: Desk) -> None:
        (doubtful.root / "a.xlsx").unlink()
        assert details(doubtful) == {
            "a.xlsx": "its message cannot be repeated: the file is missing",
            "b.xlsx": str(DOUBT),
        }

    def test_a_message_of_a_dead_process_is_in_doubt_unless_a_sender_is_at_work(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        outgoing = desk.outgoing()
        (message,) = outgoing.messages().pending()
        with desk.log.acquire_sender_lock(MIDNIGHT):
            outgoing.log.start_attempt(message, MIDNIGHT)
            assert [each.state for each in outgoing.tracker.history().deliveries] == ["sending"]
        (abandoned,) = outgoing.tracker.history().deliveries
        assert (abandoned.state, abandoned.detail) == (
            "in_doubt",
            "the sending process ended before the server replied",
        )
        assert replace(outgoing.tracker, transport="file").history().deliveries == []

    def test_the_history_has_the_policy_and_the_adoptions(self, desk: Desk) -> None:
        desk.log.adopt([a_report()], "adopted", MIDNIGHT)
        desk.doubt = "hold"
        for mailer in (FakeMailer(transport="smtp"), FakeMailer(transport="file")):
            history = desk.outgoing(mailer).tracker.history()
            assert (len(history.adoptions), history.doubt) == (1, "hold")
