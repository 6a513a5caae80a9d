"""What a person can decide about reports: real folder, real log."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ticketattr.application.report_tracker import (
    Decision,
    adopt_reports,
    adoptable_reports,
    refuse_lost_report_log,
    resolve_doubt,
    unfinished,
)
from ticketattr.domain.delivery import Delivery
from ticketattr.domain.report_status import ReportStatus
from ticketattr.errors import InputError, SettingsError

from ..fakes import MIDNIGHT, FakeMailer, a_report
from .test_send import DOUBT, REFUSED, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "output")


@pytest.fixture
def doubtful(desk: Desk) -> Desk:
    """Two reports in one message in doubt."""
    desk.put("a.xlsx")
    desk.put("b.xlsx")
    desk.mailer.troubles = [DOUBT]
    desk.send()
    return desk


def resolve(desk: Desk, report: str, decision: Decision) -> list[Delivery]:
    with desk.log.hold(desk.clock()):
        return resolve_doubt(desk.outgoing().tracker, report, decision, desk.clock())


def details(desk: Desk) -> dict[str, str]:
    statuses = desk.outgoing().tracker.statuses()
    return {status.report.path.name: status.detail for status in statuses}


class TestResolve:
    def test_what_arrived_goes_to_nobody_again(self, doubtful: Desk) -> None:
        (resolved,) = resolve(doubtful, "a.xlsx", "sent")
        assert resolved.message == doubtful.sent[0]
        assert doubtful.states() == {"a.xlsx": "sent", "b.xlsx": "sent"}
        assert set(details(doubtful).values()) == {"a person decided that it arrived"}
        assert doubtful.send() == []

    def test_what_goes_again_is_the_same_message_even_where_doubt_waits_for_a_person(self, doubtful: Desk) -> None:
        doubtful.doubt = "hold"
        assert doubtful.send() == []
        resolve(doubtful, "a.xlsx", "resend")
        assert set(details(doubtful).values()) == {"a person decided that it goes again"}
        assert doubtful.send() == [["a.xlsx", "b.xlsx"]]
        assert len(set(doubtful.sent)) == 1

    def test_with_a_file_gone_the_others_may_go_in_a_new_message(self, doubtful: Desk) -> None:
        (doubtful.root / "b.xlsx").unlink()
        resolve(doubtful, "a.xlsx", "resend")
        assert details(doubtful) == {"a.xlsx": "a person decided that it goes again, but a file is gone"}
        assert doubtful.send() == [["a.xlsx"]]

    def test_a_report_may_be_called_by_path_by_name_or_by_the_start_of_its_content(self, doubtful: Desk) -> None:
        report = doubtful.sent[0].reports[0]
        elsewhere = doubtful.root.parent / "elsewhere.xlsx"
        elsewhere.write_bytes((doubtful.root / "a.xlsx").read_bytes())
        for called in (str(elsewhere), "a.xlsx", report.sha256, report.sha256[:8]):
            assert resolve(doubtful, called, "resend"), called

    @pytest.mark.parametrize("called", ["c.xlsx", "", "0" * 64])
    def test_what_is_in_no_doubt_is_not_resolved(self, doubtful: Desk, called: str) -> None:
        with pytest.raises(InputError, match=f"no message in doubt carries {called}") as caught:
            resolve(doubtful, called, "sent")
        assert caught.value.hint == "`ticketattr pending list` shows those that do."

    def test_the_start_of_a_content_must_be_long_enough_to_mean_one(self, doubtful: Desk) -> None:
        with pytest.raises(InputError):
            resolve(doubtful, doubtful.sent[0].reports[0].sha256[:7], "sent")

    def test_what_was_sent_or_refused_is_in_no_doubt(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.mailer.troubles = [REFUSED]
        desk.send()
        desk.send()
        with pytest.raises(InputError):
            resolve(desk, "a.xlsx", "sent")

    def test_a_report_whose_file_lies_elsewhere_is_there(self, doubtful: Desk) -> None:
        path = doubtful.root / "a.xlsx"
        elsewhere = path.rename(doubtful.root.parent / "a.xlsx")
        resolve(doubtful, str(elsewhere), "resend")
        assert doubtful.log.deliveries()[0].state == "in_doubt"


class TestForgotten:
    @pytest.mark.parametrize(("number", "named"), [(1, "0.xlsx is"), (3, "0.xlsx and 2 more reports are")])
    def test_old_workbooks_without_a_log_may_have_been_sent(self, desk: Desk, number: int, named: str) -> None:
        old = [a_report(name=f"{place}.xlsx", modified=MIDNIGHT) for place in range(number)]
        now = MIDNIGHT + timedelta(days=1, seconds=1)
        with pytest.raises(InputError) as caught:
            refuse_lost_report_log([a_report(name="new.xlsx", modified=now), *old], desk.log, now)
        assert str(caught.value) == (
            f"there is no report log, but {named} over a day old: nobody knows whether that was sent"
        )
        for way_out in ("REPORT_LOG_DB_PATH", "ticketattr pending adopt", "--send-old"):
            assert way_out in caught.value.hint

    def test_those_of_a_day_are_new(self, desk: Desk) -> None:
        refuse_lost_report_log([a_report(modified=MIDNIGHT)], desk.log, MIDNIGHT + timedelta(days=1))

    def test_a_file_of_another_program_was_never_sent(self, desk: Desk) -> None:
        temporary = replace(a_report(name="~$a.xlsx"), is_temporary=True)
        refuse_lost_report_log([temporary], desk.log, MIDNIGHT + timedelta(days=9))

    def test_beside_a_log_everything_is_known(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.send()
        refuse_lost_report_log([a_report(name="old.xlsx")], desk.log, MIDNIGHT + timedelta(days=9))


class TestAdopt:
    def adopt(self, desk: Desk, *names: str) -> list[str]:
        statuses = adoptable_reports(desk.outgoing().tracker, [desk.root / name for name in names])
        return [report.path.name for report in adopt_reports(desk.log, statuses, desk.clock())]

    def test_what_waits_or_was_refused_counts_as_sent(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.mailer.troubles = [REFUSED]
        desk.send()
        desk.put("b.xlsx")
        assert self.adopt(desk, "a.xlsx", "b.xlsx") == ["a.xlsx", "b.xlsx"]
        assert details(desk) == dict.fromkeys(("a.xlsx", "b.xlsx"), "adopted: counts as sent")
        assert desk.send() == []

    def test_what_is_sent_needs_no_adoption(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.send()
        assert self.adopt(desk, "a.xlsx") == []
        assert desk.log.adoptions() == []

    def test_what_is_in_doubt_is_for_another_decision(self, doubtful: Desk) -> None:
        for policy, state in (("resend", "in_doubt"), ("hold", "held")):
            doubtful.doubt = "hold" if policy == "hold" else "resend"
            with pytest.raises(InputError, match=rf"a\.xlsx is not adopted: {state}") as caught:
                self.adopt(doubtful, "a.xlsx")
            assert caught.value.hint == "Decide with `ticketattr pending resolve`."
        assert doubtful.log.adoptions() == []

    def test_what_is_damaged_is_not_adopted_and_takes_no_other_along(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        (desk.root / "broken.xlsx").write_bytes(b"no workbook")
        with pytest.raises(InputError, match=r"broken\.xlsx is not adopted: .") as caught:
            self.adopt(desk, "a.xlsx", "broken.xlsx")
        assert caught.value.hint == "Only what can be sent can count as sent."
        assert desk.states()["a.xlsx"] == "pending"

    def test_without_a_log_all_workbooks_may_be_adopted_but_what_is_damaged_is_passed_over(self, desk: Desk) -> None:
        for name in ("a.xlsx", "b.xlsx"):
            desk.put(name)
        (desk.root / "broken.xlsx").write_bytes(b"no workbook")
        assert self.adopt(desk) == ["a.xlsx", "b.xlsx"]
        assert desk.send() == []

    def test_with_a_log_those_to_adopt_have_to_be_named(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        desk.send()
        with pytest.raises(SettingsError, match="there is a report log") as caught:
            self.adopt(desk)
        assert caught.value.hint == "Name the workbooks that are to count as sent."

    def test_what_is_being_sent_is_not_adopted(self, desk: Desk) -> None:
        with pytest.raises(InputError, match="sending"):
            adopt_reports(desk.log, [ReportStatus(a_report(), "sending")], MIDNIGHT)


def test_a_person_is_shown_what_still_has_to_go_and_what_never_will(desk: Desk) -> None:
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
    def test_a_message_in_doubt_is_until_each_of_its_reports_arrived(self, doubtful: Desk) -> None:
        for name, left in (("a.xlsx", 1), ("b.xlsx", 0)):
            doubtful.send_report(doubtful.root / name, again=True)
            assert len(unfinished(doubtful.outgoing().tracker.history())) == left

    def test_a_report_whose_file_is_gone_is_told_with_why_it_cannot_go(self, doubtful: Desk) -> None:
        (doubtful.root / "a.xlsx").unlink()
        assert details(doubtful) == {
            "a.xlsx": "its message cannot be repeated: the file is gone",
            "b.xlsx": str(DOUBT),
        }

    def test_what_a_process_did_not_live_to_finish_is_in_doubt_unless_somebody_is_at_it(self, desk: Desk) -> None:
        desk.put("a.xlsx")
        outgoing = desk.outgoing()
        (message,) = outgoing.planner().pending()
        with desk.log.hold(MIDNIGHT):
            outgoing.tracker.log.begin(message, MIDNIGHT)
            assert [each.state for each in outgoing.tracker.history().deliveries] == ["sending"]
        (abandoned,) = outgoing.tracker.history().deliveries
        assert (abandoned.state, abandoned.detail) == ("in_doubt", "its process ended before it knew the answer")
        assert replace(outgoing.tracker, transport="file").history().deliveries == []

    def test_records_know_the_policy_and_what_was_adopted(self, desk: Desk) -> None:
        desk.log.adopt([a_report()], "adopted", MIDNIGHT)
        desk.doubt = "hold"
        for mailer in (FakeMailer(transport="smtp"), FakeMailer(transport="file")):
            history = desk.outgoing(mailer).tracker.history()
            assert (len(history.adoptions), history.doubt) == (1, "hold")
