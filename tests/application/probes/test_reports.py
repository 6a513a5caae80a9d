"""The report log and its reports, as a check sees them: real folder, real log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ticketattr.application.check import CheckResult
from ticketattr.application.probes.reports import probe_corrections, probe_reports
from ticketattr.application.report_tracker import ReportTracker
from ticketattr.domain.correction import Correction
from ticketattr.errors import InputError
from ticketattr.infrastructure.delivery.report_folder import OutputFolder

from ...fakes import MIDNIGHT, a_correction
from ..test_send import DOUBT, REFUSED, Desk


@dataclass
class FakeLog:
    is_there: bool = True
    is_current: bool = True
    sender: str = ""

    def exists(self) -> bool:
        return self.is_there

    def check_integrity(self) -> bool:
        return self.is_current

    def lock_holder(self) -> str:
        return self.sender


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "output")


def check(desk: Desk, log: FakeLog | None = None, *, now: datetime = MIDNIGHT) -> list[CheckResult]:
    tracker = ReportTracker(OutputFolder(desk.root), desk.log, "smtp", desk.doubt)
    return list(probe_reports(tracker, log or FakeLog(), "reports.db", lambda: now))


NONE_PENDING = CheckResult("reports", "none is pending")


def test_a_report_log_without_pending_reports_is_fine(desk: Desk) -> None:
    assert check(desk) == [CheckResult("report log", "reports.db is sound"), NONE_PENDING]


def test_a_report_log_that_does_not_exist_is_fine_as_long_as_nothing_may_have_been_sent(desk: Desk) -> None:
    assert check(desk, FakeLog(is_there=False)) == [
        CheckResult("report log", "reports.db does not exist yet: nothing was sent so far"),
        NONE_PENDING,
    ]
    desk.put("a.xlsx")
    with pytest.raises(InputError, match="there is no report log"):
        check(desk, FakeLog(is_there=False), now=MIDNIGHT + timedelta(days=3))


def test_of_a_log_of_the_earlier_implementation_nothing_more_is_read(desk: Desk) -> None:
    desk.put("a.xlsx")
    assert check(desk, FakeLog(is_current=False)) == [
        CheckResult(
            "report log", "reports.db is from the earlier implementation; the next command that uses it takes it over"
        )
    ]


def test_another_process_that_sends_is_a_warning(desk: Desk) -> None:
    assert check(desk, FakeLog(sender="process 17")) == [
        CheckResult("report log", "reports.db is sound"),
        CheckResult(
            "report log",
            "another ticketattr is running: process 17",
            "warning",
            "Until it ends, another run stops with exit code 4.",
        ),
        NONE_PENDING,
    ]


def test_reports_that_wait_are_counted_by_their_state(desk: Desk) -> None:
    desk.put("a.xlsx")
    desk.mailer.troubles = [DOUBT]
    desk.send()
    desk.put("b.xlsx")
    desk.put("c.xlsx")
    assert check(desk)[1:] == [
        CheckResult(
            "reports",
            "1 report in doubt",
            "warning",
            "The next run repeats the same message, or decide with `ticketattr pending resolve`.",
        ),
        CheckResult("reports", "2 reports not sent yet", "warning", "The next run sends them, or `ticketattr send`."),
    ]


def test_a_report_in_doubt_may_be_held(desk: Desk) -> None:
    desk.doubt = "hold"
    desk.put("a.xlsx")
    desk.mailer.troubles = [DOUBT]
    desk.send()
    assert check(desk)[1:] == [
        CheckResult("reports", "1 report in doubt and held", "warning", "Decide with `ticketattr pending resolve`.")
    ]


def test_a_report_that_the_mail_server_refused_is_a_warning(desk: Desk) -> None:
    desk.put("a.xlsx")
    desk.mailer.troubles = [REFUSED]
    desk.send()
    assert check(desk)[1:] == [
        CheckResult(
            "reports",
            "1 report not accepted by the mail server yet",
            "warning",
            "`ticketattr pending list` says why; the next run tries again.",
        )
    ]


@dataclass
class FakeCorrections:
    corrections: list[Correction]

    def all(self) -> list[Correction]:
        return self.corrections

    def add(self, corrections: object) -> None:
        raise AssertionError("a check changes nothing")


@pytest.mark.parametrize(("number", "words"), [(0, "0 corrections"), (1, "1 correction"), (2, "2 corrections")])
def test_corrections_are_counted(number: int, words: str) -> None:
    store = FakeCorrections([a_correction("locked out")] * number)
    assert list(probe_corrections(store)) == [CheckResult("corrections", words)]
