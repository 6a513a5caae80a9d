"""Review on a page: what needs a person comes first by urgency, and a choice is a correction of the next run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from ticketattr.application.service.review import Reviewing, decide, open_review
from ticketattr.domain.access import Caller
from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.correction import Correction, ReportedRun, decisions
from ticketattr.domain.ticket import AttributedTicket, Attribution, Ticket, Unattributed
from ticketattr.errors import InputError

NOW = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)
RUN = "20261128T120000Z-0000"
EARLIER = ("20261126T120000Z-0000", "20261127T120000Z-0000")
PHONE, RESET = (RequestType("Hardware", "Phone", SLA(4, "hours")), RequestType("Access", "Reset", SLA(2, "days")))
ANN = Caller("ann", "operate")
LOAD = "Load the page again."


class Store:
    def __init__(self) -> None:
        self.added: list[Correction] = []

    def all(self) -> list[Correction]:
        return self.added

    def add(self, corrections: list[Correction]) -> None:
        self.added += corrections


def ticket(number: int, confidence: float | None, created: str = "") -> AttributedTicket:
    outcome = Unattributed("no_match") if confidence is None else Attribution(PHONE, "model", confidence, "", (RESET,))
    return AttributedTicket(Ticket(f"T-{number}", f"subject {number}", "text", created_at=created), outcome)


@pytest.fixture
def reviewing() -> Reviewing:
    tickets = (ticket(1, 0.9), ticket(2, 0.5), ticket(3, None), ticket(4, 0.4, "2026-11-27T06:00:00Z"), ticket(5, 0.3))
    run = ReportedRun(RUN, ServiceCatalog((PHONE, RESET)), tickets)
    return Reviewing(Store(), lambda: [*EARLIER, RUN], lambda run_id: run, 0.6, "", "UTC")  # type: ignore[arg-type]


def test_the_doubtful_tickets_of_the_latest_run_are_shown_overdue_ones_first_then_the_least_certain(
    reviewing: Reviewing,
) -> None:
    review = open_review(reviewing, NOW)
    assert review
    assert [item.row.id for item in review.items] == ["T-4", "T-3", "T-5", "T-2"]
    assert review.items[0].candidates == (PHONE, RESET)
    assert review.items[1].candidates == ()


def test_of_urgent_tickets_the_one_that_is_overdue_longest_comes_first_then_the_one_that_is_due_next(
    reviewing: Reviewing,
) -> None:
    created = ("", "11:00", "03:00", "09:00", "07:30")  # a phone has four hours
    tickets = tuple(
        ticket(number, 0.5 if time else 0.3, f"2026-11-28T{time}:00Z" if time else "")
        for number, time in enumerate(created)
    )
    run = replace(reviewing.load(RUN), tickets=tickets)
    review = open_review(replace(reviewing, load=lambda run_id: run), NOW)
    assert review
    assert [(item.row.id, item.row.overdue_by) for item in review.items] == [
        *(("T-2", 5.0), ("T-4", 0.5), ("T-3", None), ("T-1", None), ("T-0", None)),
    ]


def test_a_review_is_read_from_the_report_of_its_run_as_it_looks_now(reviewing: Reviewing) -> None:
    page = replace(reviewing, review_below=0.95, ticket_url="https://desk.example.com/{id}", time_zone="Asia/Tokyo")
    review = open_review(page, NOW)
    assert review
    assert (review.run, review.report.run_id, review.report.generated_at) == (reviewing.load(RUN), RUN, NOW)
    assert (len(review.report.rows), len(review.items)) == (5, 5)
    first = review.items[0].row
    assert (first.url, str(first.due)) == ("https://desk.example.com/T-4", "2026-11-27 19:00:00+09:00")


def test_only_a_decision_about_a_doubtful_ticket_of_this_run_is_counted(reviewing: Reviewing) -> None:
    decide(reviewing, ANN, RUN, 1, PHONE.pair, NOW)  # nobody doubted it
    doubted = decide(reviewing, ANN, RUN, 2, PHONE.pair, NOW)
    reviewing.store.add([replace(doubted, run_id="20261127T120000Z-0000", place=3)])
    review = open_review(reviewing, NOW)
    assert review
    assert ([item.row.id for item in review.items], review.decided) == (["T-4", "T-3", "T-5"], 1)


def test_a_choice_is_for_the_id_of_the_ticket_only_if_no_other_ticket_has_it(reviewing: Reviewing) -> None:
    run = reviewing.load(RUN)
    twice = replace(run, tickets=(ticket(1, 0.5), ticket(2, 0.5), ticket(1, 0.5)))
    page = replace(reviewing, load=lambda run_id: twice)
    assert [decide(page, ANN, RUN, place, PHONE.pair, NOW).has_unique_id for place in (1, 2, 3)] == [False, True, False]


def test_a_choice_is_a_correction_that_the_next_run_takes_over(reviewing: Reviewing) -> None:
    correction = decide(reviewing, ANN, RUN, 3, RESET.pair, NOW)
    assert (correction.reviewer, correction.imported_by, correction.at) == ("ann", "ann", NOW)
    tickets = [one.ticket for one in reviewing.load(RUN).tickets]
    decided = decisions(tickets, reviewing.store.all(), reviewing.load(RUN).catalog)
    assert [bool(one) for one in decided] == [False, False, True, False, False]
    review = open_review(reviewing, NOW)
    assert review
    assert ([item.row.id for item in review.items], review.decided) == (["T-4", "T-5", "T-2"], 1)


def test_choosing_what_the_report_said_confirms_it(reviewing: Reviewing) -> None:
    assert decide(reviewing, ANN, RUN, 2, PHONE.pair, NOW).is_confirmation


@pytest.mark.parametrize(
    ("run_id", "place", "pair", "message", "hint"),
    [
        ("20261127T120000Z-0000", 2, PHONE.pair, "there is a newer run since this page was shown", LOAD),
        (RUN, 0, PHONE.pair, "the run has no ticket with the number 0", LOAD),
        (RUN, 6, PHONE.pair, "the run has no ticket with the number 6", LOAD),
        (RUN, 2, ("Hardware", "Fax"), "this request type is not in the catalog", "Choose one of the list."),
        (RUN, 2, ("", ""), "this request type is not in the catalog", "Choose one of the list."),
    ],
)
def test_a_choice_that_does_not_fit_is_refused_and_nothing_is_recorded(
    reviewing: Reviewing, run_id: str, place: int, pair: tuple[str, str], message: str, hint: str
) -> None:
    with pytest.raises(InputError) as caught:
        decide(reviewing, ANN, run_id, place, pair, NOW)
    assert (str(caught.value), caught.value.hint, reviewing.store.all()) == (message, hint, [])


def test_the_first_and_the_last_ticket_can_be_decided(reviewing: Reviewing) -> None:
    assert [decide(reviewing, ANN, RUN, place, RESET.pair, NOW).ticket_id for place in (1, 5)] == ["T-1", "T-5"]


def test_without_a_run_there_is_nothing_to_review(reviewing: Reviewing) -> None:
    page = replace(reviewing, runs=list)
    assert open_review(page, NOW) is None
    with pytest.raises(InputError, match="there is a newer run"):
        decide(page, ANN, RUN, 1, PHONE.pair, NOW)
