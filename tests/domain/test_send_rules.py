"""Which reports are sent, and which are not: files, and what the log says about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from ticketattr.domain.delivery import Adoption, Delivery, Message, MessageState, RecipientResult, ReportFile
from ticketattr.domain.report_status import (
    DeliveryHistory,
    DoubtPolicy,
    ReportState,
    ReportStatus,
)
from ticketattr.domain.send_rules import needs_new_message, refuse_to_send, status_in, statuses_of
from ticketattr.errors import InputError

from ..fakes import MIDNIGHT, a_message, a_report

REPORT = a_report(b"as made", run_id="the run")
HOUR = timedelta(hours=1)


def delivery(state: MessageState, *, hour: int = 1, message: Message | None = None, attempts: int = 1) -> Delivery:
    message = message or a_message(REPORT)
    return Delivery(message, state, MIDNIGHT + hour * HOUR, f"{state} in hour {hour}", attempts=attempts)


def status(report: ReportFile, *deliveries: Delivery, adoptions: tuple[Adoption, ...] = ()) -> ReportStatus:
    (status,) = statuses_of([report], DeliveryHistory(deliveries, adoptions))
    return status


def test_a_report_that_is_not_in_the_log_is_pending() -> None:
    assert status(REPORT, delivery("sent", message=a_message(a_report(b"another")))) == ReportStatus(REPORT, "pending")


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (["failed"], "failed"),
        (["failed", "sent"], "sent"),
        (["sent", "failed"], "sent"),
        (["sent", "in_doubt"], "sent"),
        (["in_doubt", "failed"], "in_doubt"),
        (["failed", "sending"], "sending"),
        (["in_doubt", "sending"], "sending"),
    ],
    ids=" then ".join,
)
def test_sent_beats_in_doubt_and_in_doubt_beats_failed(states: list[MessageState], state: ReportState) -> None:
    deliveries = [delivery(each, hour=hour) for hour, each in enumerate(states)]
    assert status(REPORT, *deliveries).state == state


def test_of_equal_deliveries_the_latest_decides_and_all_attempts_are_counted() -> None:
    first, second = delivery("failed", hour=1, attempts=2), delivery("failed", hour=2, attempts=3)
    assert status(REPORT, first, second) == ReportStatus(REPORT, "failed", "failed in hour 2", second, attempts=5)


def test_the_status_by_one_delivery_is_its_state() -> None:
    failed = delivery("failed", hour=1, attempts=2)
    assert status_in(failed, REPORT, DeliveryHistory([])) == ReportStatus(
        REPORT, "failed", "failed in hour 1", failed, 2
    )


def test_a_sent_report_has_the_time() -> None:
    sent = delivery("sent", hour=2)
    assert status(REPORT, sent) == ReportStatus(REPORT, "sent", "sent in hour 2", sent, 1, MIDNIGHT + 2 * HOUR)


def test_a_workbook_whose_run_was_sent_with_other_content_was_edited() -> None:
    edited = status(a_report(b"edited", run_id="the run"), delivery("sent", hour=15))
    assert (edited.state, edited.detail) == (
        "edited",
        "its run was sent at 2026-11-23 15:00 UTC; this file was saved again afterwards",
    )
    assert not edited.is_pending


@pytest.mark.parametrize("state", ["failed", "in_doubt", "sending"])
def test_a_workbook_whose_run_was_not_sent_is_another_report(state: MessageState) -> None:
    assert status(a_report(b"edited", run_id="the run"), delivery(state)).state == "pending"


def test_a_workbook_without_a_run_id_is_never_edited() -> None:
    assert status(a_report(b"b"), delivery("sent", message=a_message(a_report(b"a")))).state == "pending"


@pytest.mark.parametrize(
    ("report", "detail", "is_pending"),
    [
        (ReportFile(Path("a.xlsx"), "0", 1, MIDNIGHT, damage="no workbook"), "no workbook", True),
        (ReportFile(Path("~$a.xlsx"), "0", 1, MIDNIGHT, damage="a lock", is_temporary=True), "a lock", False),
    ],
    ids=lambda value: value.path.name if isinstance(value, ReportFile) else None,
)
def test_a_damaged_file_is_pending_unless_it_is_temporary(report: ReportFile, detail: str, is_pending: bool) -> None:
    damaged = status(report)
    assert (damaged.state, damaged.detail, damaged.is_pending) == ("damaged", detail, is_pending)


def test_a_sent_report_is_pending_while_a_recipient_is_deferred() -> None:
    results = RecipientResult("a@example.com", "sent"), RecipientResult("b@example.com", "deferred")
    put_off = Delivery(a_message(REPORT), "sent", MIDNIGHT, results=results)
    assert status(REPORT, put_off).is_pending
    assert not status(REPORT, Delivery(a_message(REPORT), "sent", MIDNIGHT, results=results[:1])).is_pending


def test_after_doubt_all_recipients_who_may_not_have_it_are_outstanding() -> None:
    message = a_message(recipients=("a@x", "b@x", "c@x", "d@x"))
    results = RecipientResult("a@x", "sent"), RecipientResult("b@x", "refused"), RecipientResult("c@x", "deferred")
    assert Delivery(message, "in_doubt", MIDNIGHT, results=results).outstanding == ("c@x", "d@x")
    assert Delivery(message, "sent", MIDNIGHT, results=results).outstanding == ("c@x",)


class TestAdoption:
    @pytest.mark.parametrize(
        ("adoption", "state"),
        [
            (Adoption(MIDNIGHT, "adopted", sha256=REPORT.sha256), "sent"),
            (Adoption(MIDNIGHT, "adopted", sha256="another"), "pending"),
            (Adoption(MIDNIGHT, "adopted", sha256="another", name="report.xlsx"), "pending"),
            (Adoption(MIDNIGHT, "adopted", name="report.xlsx"), "sent"),
            (Adoption(MIDNIGHT - HOUR, "adopted", name="report.xlsx"), "pending"),
            (Adoption(MIDNIGHT, "adopted", name="other.xlsx"), "pending"),
        ],
        ids=["its content", "another content", "content before name", "its name", "changed since", "another name"],
    )
    def test_it_counts_for_a_content_or_else_for_a_name_until_the_file_changes(
        self, adoption: Adoption, state: ReportState
    ) -> None:
        assert status(REPORT, adoptions=(adoption,)).state == state

    def test_it_beats_failed_but_not_in_doubt(self) -> None:
        adoptions = (Adoption(MIDNIGHT, "by ann", sha256=REPORT.sha256),)
        assert status(REPORT, delivery("in_doubt"), adoptions=adoptions).state == "in_doubt"
        adopted = status(REPORT, delivery("failed"), adoptions=adoptions)
        assert (adopted.state, adopted.detail, adopted.sent_at) == ("sent", "by ann", MIDNIGHT)

    def test_another_content_of_its_run_was_edited(self) -> None:
        adoption = Adoption(MIDNIGHT, "adopted", sha256="another", run_id="the run")
        assert status(REPORT, adoptions=(adoption,)).state == "edited"


class TestTransports:
    def test_a_delivery_counts_for_its_own_and_an_adoption_for_all(self) -> None:
        into_files = delivery("sent", message=a_message(REPORT, transport="file"))
        adoption = Adoption(MIDNIGHT, "adopted", sha256="another")
        history = DeliveryHistory([into_files], [adoption], "hold")
        assert history.for_transport("smtp") == DeliveryHistory([], [adoption], "hold")
        assert history.for_transport("file") == history


class TestDoubt:
    @pytest.mark.parametrize(
        ("policy", "one", "state"),
        [
            ("resend", delivery("in_doubt"), "in_doubt"),
            ("hold", delivery("in_doubt"), "held"),
            ("hold", replace(delivery("in_doubt"), released=True), "in_doubt"),
            ("hold", delivery("failed"), "failed"),
        ],
        ids=["goes again", "waits", "somebody decided", "none"],
    )
    def test_it_is_held_with_the_policy_hold_until_a_person_decides(
        self, policy: DoubtPolicy, one: Delivery, state: ReportState
    ) -> None:
        (judged,) = statuses_of([REPORT], DeliveryHistory([one], doubt=policy))
        assert judged.state == state
        assert judged.is_pending


@pytest.mark.parametrize("state", get_args(ReportState))
def test_only_a_report_that_no_message_may_have_carried_needs_a_new_one(state: ReportState) -> None:
    assert needs_new_message(ReportStatus(REPORT, state)) is (state in {"pending", "failed"})


@pytest.mark.parametrize(
    ("state", "again", "message", "hint"),
    [
        ("damaged", False, "is not sent: why", "Create the report again with `ticketattr report`."),
        ("damaged", True, "is not sent: why", "Create the report again with `ticketattr report`."),
        ("edited", False, "is not sent: why", "Use `--again` to send it all the same."),
        ("edited", True, "", ""),
        ("held", False, "is not sent: it may have arrived (why)", "Decide with `ticketattr pending resolve`."),
        ("held", True, "", ""),
        ("sent", False, "", ""),
        ("pending", False, "", ""),
    ],
)
def test_a_named_report_is_refused_with_the_way_on(state: ReportState, again: bool, message: str, hint: str) -> None:
    status = ReportStatus(REPORT, state, "why")
    if not message:
        refuse_to_send(status, again=again)
        return
    with pytest.raises(InputError) as caught:
        refuse_to_send(status, again=again)
    assert (str(caught.value), caught.value.hint) == (f"{REPORT.path} {message}", hint)
