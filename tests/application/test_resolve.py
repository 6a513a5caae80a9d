"""A person's decision about reports in doubt, with a real folder and log."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from ticketattr.application.resolve import Decision, resolve_doubt, resolve_recipient
from ticketattr.domain.delivery import Delivery, RecipientResult
from ticketattr.errors import InputError

from .test_send import REFUSED, Desk


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


LATER = RecipientResult("Later@example.com", "deferred", "450 later")
ELSEWHERE = (
    "`ticketattr pending list --format json` shows the state of each recipient. A report that nobody accepted goes to"
    " the present EMAIL_RECIPIENT."
)


@pytest.fixture
def deferred(desk: Desk) -> Desk:
    """Two reports in two messages that one of two recipients got, and another waits for."""
    desk.addressing = replace(desk.addressing, recipients=("lead@example.com", LATER.address))
    desk.mailer.answers = [(LATER,)] * 3
    for name in ("a.xlsx", "b.xlsx"):
        desk.put(name)
        desk.send()
    return desk


def give_up(
    desk: Desk, address: str, report: str | None = None, state: Literal["sent", "refused"] = "refused"
) -> list[list[str]]:
    """Decide about a recipient; returns the names of the reports of each message that waited."""
    with desk.log.acquire_sender_lock(desk.clock()):
        found = resolve_recipient(desk.outgoing().tracker, desk.log, address, report, state, desk.clock())
    return [[report.path.name for report in delivery.message.reports] for delivery in found]


def results(desk: Desk) -> list[list[tuple[str, str, str]]]:
    return [[(one.address, one.state, one.reply) for one in each.results] for each in desk.log.deliveries()]


@pytest.mark.parametrize(
    ("state", "detail"),
    [("sent", "a person decided that it arrived"), ("refused", "a person decided that it is not sent there")],
)
def test_a_recipient_who_was_decided_about_waits_for_no_message_any_more(
    deferred: Desk, state: Literal["sent", "refused"], detail: str
) -> None:
    assert give_up(deferred, "LATER@EXAMPLE.COM", state=state) == [["a.xlsx"], ["b.xlsx"]]
    for lead, later in results(deferred):
        assert (lead[:2], later) == (("lead@example.com", "sent"), (LATER.address, state, detail))
    before = len(deferred.sent)
    assert deferred.send() == []
    assert len(deferred.sent) == before


def test_a_recipient_is_given_up_for_the_messages_with_one_report_alone(deferred: Desk) -> None:
    a, b = (delivery.message.reports[0] for delivery in deferred.log.deliveries())
    assert give_up(deferred, LATER.address, str(deferred.root / "a.xlsx")) == [["a.xlsx"]]
    (deferred.root / "b.xlsx").unlink()  # the report need not exist any more
    for called in (a.sha256, b.sha256[:7]):
        with pytest.raises(InputError, match=f"^no message with {called} waits for {LATER.address}$"):
            give_up(deferred, LATER.address, called)
    assert give_up(deferred, LATER.address, b.sha256[:8]) == [["b.xlsx"]]
    assert [later[1] for _, later in results(deferred)] == ["refused", "refused"]


def test_who_waits_for_no_message_is_told_with_what_to_look_at(deferred: Desk) -> None:
    for report, what in ((None, ""), ("a.xlsx", " with a.xlsx")):
        with pytest.raises(InputError) as caught:
            give_up(deferred, "lead@example.com", report)
        assert (str(caught.value), caught.value.hint) == (f"no message{what} waits for lead@example.com", ELSEWHERE)


def test_a_recipient_of_a_message_in_doubt_can_be_given_up_and_of_a_refused_one_cannot(doubtful: Desk) -> None:
    assert give_up(doubtful, "lead@example.com", "b.xlsx") == [["a.xlsx", "b.xlsx"]]
    doubtful.put("c.xlsx")
    doubtful.mailer.troubles = [REFUSED]
    doubtful.send()
    with pytest.raises(InputError, match=r"waits for lead@example\.com"):
        give_up(doubtful, "lead@example.com")
