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
PHONE, RESET = (RequestType("Hardware", "Phone", SLA(4, "hours")), RequestType("Access", "Reset", SLA(2, "days")))
ANN = Caller("ann", "operate")


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
    return Reviewing(Store(), lambda: ["20261127T120000Z-0000", RUN], lambda run_id: run, 0.6, "", "UTC")  # type: ignore[arg-type]


def test_the_doubtful_tickets_of_the_latest_run_are_shown_overdue_ones_first_then_the_least_certain(
    reviewing: Reviewing,
) -> None:
    review = open_review(reviewing, NOW)
    assert review
    assert [item.row.id for item in review.items] == ["T-4", "T-3", "T-5", "T-2"]
    assert review.items[0].candidates == (PHONE, RESET)
    assert review.items[1].candidates == ()


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
    ("run_id", "place", "pair", "message"),
    [
        ("20261127T120000Z-0000", 2, PHONE.pair, "there is a newer run"),
        (RUN, 0, PHONE.pair, "there is no such ticket"),
        (RUN, 6, PHONE.pair, "there is no such ticket"),
        (RUN, 2, ("Hardware", "Fax"), "not in the catalog"),
        (RUN, 2, ("", ""), "not in the catalog"),
    ],
)
def test_a_choice_that_does_not_fit_is_refused_and_nothing_is_recorded(
    reviewing: Reviewing, run_id: str, place: int, pair: tuple[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        decide(reviewing, ANN, run_id, place, pair, NOW)
    assert reviewing.store.all() == []


def test_without_a_run_there_is_nothing_to_review(reviewing: Reviewing) -> None:
    assert open_review(replace(reviewing, runs=list), NOW) is None
