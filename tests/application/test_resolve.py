"""A person's decision about reports in doubt, with a real folder and log."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticketattr.application.resolve import Decision, resolve_doubt
from ticketattr.domain.delivery import Delivery
from ticketattr.errors import InputError

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
    with desk.log.acquire_sender_lock(desk.clock()):
        return resolve_doubt(desk.outgoing().tracker, desk.log, report, decision, desk.clock())


def details(desk: Desk) -> dict[str, str]:
    statuses = desk.outgoing().tracker.statuses()
    return {status.report.path.name: status.detail for status in statuses}


def test_a_report_that_arrived_is_not_sent_again(doubtful: Desk) -> None:
    (resolved,) = resolve(doubtful, "a.xlsx", "sent")
    assert resolved.message == doubtful.sent[0]
    assert doubtful.states() == {"a.xlsx": "sent", "b.xlsx": "sent"}
    assert set(details(doubtful).values()) == {"a person decided that it arrived"}
    assert doubtful.send() == []


def test_resend_repeats_the_same_message_also_with_the_policy_hold(doubtful: Desk) -> None:
    doubtful.doubt = "hold"
    assert doubtful.send() == []
    resolve(doubtful, "a.xlsx", "resend")
    assert set(details(doubtful).values()) == {"a person decided that it is sent again"}
    assert doubtful.send() == [["a.xlsx", "b.xlsx"]]
    assert len(set(doubtful.sent)) == 1


def test_if_a_file_is_missing_the_other_reports_are_sent_in_a_new_message(doubtful: Desk) -> None:
    (doubtful.root / "b.xlsx").unlink()
    resolve(doubtful, "a.xlsx", "resend")
    assert details(doubtful) == {"a.xlsx": "a person decided that it is sent again, but a file is missing"}
    assert doubtful.send() == [["a.xlsx"]]


def test_a_report_may_be_named_by_path_file_name_or_start_of_its_sha256(doubtful: Desk) -> None:
    report = doubtful.sent[0].reports[0]
    elsewhere = doubtful.root.parent / "elsewhere.xlsx"
    elsewhere.write_bytes((doubtful.root / "a.xlsx").read_bytes())
    for called in (str(elsewhere), "a.xlsx", report.sha256, report.sha256[:8]):
        assert resolve(doubtful, called, "resend"), called


@pytest.mark.parametrize("called", ["c.xlsx", "", "0" * 64])
def test_a_report_that_is_not_in_doubt_cannot_be_resolved(doubtful: Desk, called: str) -> None:
    with pytest.raises(InputError, match=f"no message in doubt contains {called}") as caught:
        resolve(doubtful, called, "sent")
    assert caught.value.hint == "`ticketattr pending list` shows the reports in doubt."


def test_a_start_of_a_sha256_must_be_long_enough(doubtful: Desk) -> None:
    with pytest.raises(InputError):
        resolve(doubtful, doubtful.sent[0].reports[0].sha256[:7], "sent")


def test_a_sent_and_a_refused_report_are_not_in_doubt(desk: Desk) -> None:
    desk.put("a.xlsx")
    desk.mailer.troubles = [REFUSED]
    desk.send()
    desk.send()
    with pytest.raises(InputError):
        resolve(desk, "a.xlsx", "sent")


def test_a_report_in_another_folder_is_not_missing(doubtful: Desk) -> None:
    path = doubtful.root / "a.xlsx"
    elsewhere = path.rename(doubtful.root.parent / "a.xlsx")
    resolve(doubtful, str(elsewhere), "resend")
    assert doubtful.log.deliveries()[0].state == "in_doubt"
