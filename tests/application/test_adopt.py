"""Reports that count as sent without a message, with a real folder and log."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticketattr.application.adopt import adopt_reports, adoptable_reports
from ticketattr.domain.report_status import ReportStatus
from ticketattr.errors import InputError, SettingsError

from ..fakes import MIDNIGHT, a_report
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


def adopt(desk: Desk, *names: str) -> list[str]:
    statuses = adoptable_reports(desk.outgoing().tracker, [desk.root / name for name in names])
    return [report.path.name for report in adopt_reports(desk.log, statuses, desk.clock())]


def test_what_waits_or_was_refused_counts_as_sent(desk: Desk) -> None:
    desk.put("a.xlsx")
    desk.mailer.troubles = [REFUSED]
    desk.send()
    desk.put("b.xlsx")
    assert adopt(desk, "a.xlsx", "b.xlsx") == ["a.xlsx", "b.xlsx"]
    assert {status.detail for status in desk.outgoing().tracker.statuses()} == {"adopted: counts as sent"}
    assert desk.send() == []


def test_what_is_sent_needs_no_adoption(desk: Desk) -> None:
    desk.put("a.xlsx")
    desk.send()
    assert adopt(desk, "a.xlsx") == []
    assert desk.log.adoptions() == []


def test_what_is_in_doubt_is_for_another_decision(doubtful: Desk) -> None:
    for policy, state in (("resend", "in_doubt"), ("hold", "held")):
        doubtful.doubt = "hold" if policy == "hold" else "resend"
        with pytest.raises(InputError, match=rf"a\.xlsx is not adopted: {state}") as caught:
            adopt(doubtful, "a.xlsx")
        assert caught.value.hint == "Decide with `ticketattr pending resolve`."
    assert doubtful.log.adoptions() == []


def test_what_is_damaged_is_not_adopted_and_takes_no_other_along(desk: Desk) -> None:
    desk.put("a.xlsx")
    (desk.root / "broken.xlsx").write_bytes(b"no workbook")
    with pytest.raises(InputError, match=r"broken\.xlsx is not adopted: .") as caught:
        adopt(desk, "a.xlsx", "broken.xlsx")
    assert caught.value.hint == "Only a report that can be sent can count as sent."
    assert desk.states()["a.xlsx"] == "pending"


def test_without_a_log_all_workbooks_may_be_adopted_but_what_is_damaged_is_passed_over(desk: Desk) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        desk.put(name)
    (desk.root / "broken.xlsx").write_bytes(b"no workbook")
    assert adopt(desk) == ["a.xlsx", "b.xlsx"]
    assert desk.send() == []


def test_with_a_log_those_to_adopt_have_to_be_named(desk: Desk) -> None:
    desk.put("a.xlsx")
    desk.send()
    with pytest.raises(SettingsError, match="there is a report log") as caught:
        adopt(desk)
    assert caught.value.hint == "Name the workbooks that are to count as sent."


def test_what_is_being_sent_is_not_adopted(desk: Desk) -> None:
    with pytest.raises(InputError, match="sending"):
        adopt_reports(desk.log, [ReportStatus(a_report(), "sending")], MIDNIGHT)
