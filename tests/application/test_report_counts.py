"""Counts of reports and deliveries, from a real folder and a real report log."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ticketattr.application.outgoing_messages import Addressing
from ticketattr.application.report_counts import count_reports
from ticketattr.application.report_tracker import ReportTracker
from ticketattr.domain.metrics import ReportCounts
from ticketattr.infrastructure.delivery.report_folder import OutputFolder

from ..fakes import MIDNIGHT, FakeMailer
from .test_send import DOUBT, REFUSED, Desk


def count(desk: Desk, *, since: datetime = MIDNIGHT) -> ReportCounts:
    tracker = ReportTracker(OutputFolder(desk.root), desk.log, "smtp", desk.doubt)
    return count_reports(desk.log, tracker.statuses(), since=since)


def test_all_counts_of_an_empty_folder_are_zero(desk: Desk) -> None:
    assert count(desk) == ReportCounts(delivered=0, recipients=0, sent=0, pending=0, in_doubt=0, oldest=None)


def test_delivered_counts_every_transport_and_pending_only_its_own(desk: Desk) -> None:
    desk.addressing = Addressing("smtp", "desk@example.com", ("a@example.com", "b@example.com"), "x")
    desk.put("a.xlsx")
    desk.put("b.xlsx")
    desk.send()
    desk.put("c.xlsx", modified=500)
    desk.put("d.xlsx", modified=700)
    desk.send(FakeMailer(transport="file"))
    assert count(desk) == ReportCounts(
        delivered=6, recipients=4, sent=6, pending=2, in_doubt=0, oldest=MIDNIGHT + timedelta(seconds=500)
    )


def test_sent_since_counts_deliveries_that_ended_then_or_later(desk: Desk) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        desk.put(name)
        desk.send()
    ended = desk.log.deliveries()[1].changed
    assert count(desk, since=ended).sent == 1
    assert count(desk, since=ended + timedelta(microseconds=1)).sent == 0
    assert count(desk, since=ended).delivered == 2


@pytest.mark.parametrize("policy", ["resend", "hold"])
def test_a_report_in_doubt_is_pending_with_either_policy(desk: Desk, policy: str) -> None:
    desk.doubt = "hold" if policy == "hold" else "resend"
    desk.put("a.xlsx")
    desk.mailer.troubles = [DOUBT]
    desk.send()
    counts = count(desk)
    assert (counts.pending, counts.in_doubt, counts.delivered, counts.recipients) == (1, 1, 0, 0)


def test_a_report_that_was_refused_is_pending_and_not_delivered(desk: Desk) -> None:
    desk.put("a.xlsx")
    desk.mailer.troubles = [REFUSED]
    desk.send()
    counts = count(desk)
    assert (counts.pending, counts.in_doubt, counts.delivered, counts.recipients) == (1, 0, 0, 0)


def test_a_missing_report_has_no_age(desk: Desk) -> None:
    path = desk.put("a.xlsx")
    desk.mailer.troubles = [DOUBT]
    desk.send()
    path.unlink()
    counts = count(desk)
    assert (counts.pending, counts.in_doubt) == (1, 1)
