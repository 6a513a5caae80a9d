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


def test_what_arrived_goes_to_nobody_again(doubtful: Desk) -> None:
    (resolved,) = resolve(doubtful, "a.xlsx", "sent")
    assert resolved.message == doubtful.sent[0]
    assert doubtful.states() == {"a.xlsx": "sent", "b.xlsx": "sent"}
    assert set(details(doubtful).values()) == {"a person decided that it arrived"}
    assert doubtful.send() == []


def test_what_goes_again_is_the_same_message_even_where_doubt_waits_for_a_person(doubtful: Desk) -> None:
    doubtful.doubt = "hold"
    assert doubtful.send() == []
    resolve(doubtful, "a.xlsx", "resend")
    assert set(details(doubtful).values()) == {"a person decided that it is sent again"}
    assert doubtful.send() == [["a.xlsx", "b.xlsx"]]
    assert len(set(doubtful.sent)) == 1


def test_with_a_file_gone_the_others_may_go_in_a_new_message(doubtful: Desk) -> None:
    (doubtful.root / "b.xlsx").unlink()
    resolve(doubtful, "a.xlsx", "resend")
    assert details(doubtful) == {"a.xlsx": "a person decided that it is sent again, but a file is missing"}
    assert doubtful.send() == [["a.xlsx"]]


def test_a_report_may_be_called_by_path_by_name_or_by_the_start_of_its_content(doubtful: Desk) -> None:
    report = doubtful.sent[0].reports[0]
    elsewhere = doubtful.root.parent / "elsewhere.xlsx"
    elsewhere.write_bytes((doubtful.root / "a.xlsx").read_bytes())
    for called in (str(elsewhere), "a.xlsx", report.sha256, report.sha256[:8]):
        assert resolve(doubtful, called, "resend"), called


@pytest.mark.parametrize("called", ["c.xlsx", "", "0" * 64])
def test_what_is_in_no_doubt_is_not_resolved(doubtful: Desk, called: str) -> None:
    with pytest.raises(InputError, match=f"no message in doubt contains {called}") as caught:
        resolve(doubtful, called, "sent")
    assert caught.value.hint == "`ticketattr pending list` shows the reports in doubt."


def test_the_start_of_a_content_must_be_long_enough_to_mean_one(doubtful: Desk) -> None:
    with pytest.raises(InputError):
        resolve(doubtful, doubtful.sent[0].reports[0].sha256[:7], "sent")


def test_what_was_sent_or_refused_is_in_no_doubt(desk: Desk) -> None:
    desk.put("a.xlsx")
    desk.mailer.troubles = [REFUSED]
    desk.send()
    desk.send()
    with pytest.raises(InputError):
        resolve(desk, "a.xlsx", "sent")


def test_a_report_whose_file_lies_elsewhere_is_there(doubtful: Desk) -> None:
    path = doubtful.root / "a.xlsx"
    elsewhere = path.rename(doubtful.root.parent / "a.xlsx")
    resolve(doubtful, str(elsewhere), "resend")
    assert doubtful.log.deliveries()[0].state == "in_doubt"
