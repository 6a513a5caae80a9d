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
