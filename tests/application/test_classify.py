"""Attributing a queue, with a classifier that does as it is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ticketattr.application.classify import classify_tickets
from ticketattr.application.ports import BatchFailed
from ticketattr.domain.ticket import AttributedTicket, Attribution, Reason, Ticket, Unattributed
from ticketattr.errors import SettingsError
from ticketattr.infrastructure.classifiers.answer_cache import NoAnswerCache

from ..fakes import CATALOG, GENERAL, LAPTOP, PASSWORD, ScriptedClassifier


def ignore(done: int, total: int) -> None:
    pass


def queue(size: int) -> list[Ticket]:
    return [Ticket(f"T-{number}", f"open {number}") for number in range(size)]


def classify(tickets: Sequence[Ticket], classifier: ScriptedClassifier) -> list[AttributedTicket]:
    return classify_tickets(tickets, CATALOG, classifier, NoAnswerCache(), ignore)


def failure(reason: Reason, detail: str) -> BatchFailed:
    """One that no other batch would mend."""
    return BatchFailed(reason, detail, lies_in_content=False)


def summaries(tickets: Sequence[AttributedTicket]) -> list[str]:
    return [
        f"{ticket.outcome.source} {ticket.outcome.entry.name}"
        if isinstance(ticket.outcome, Attribution)
        else ticket.outcome.reason
        for ticket in tickets
    ]


def kept(id: str = "kept") -> Ticket:
    return Ticket(id, "came with a pair", request_category=" hardware ", request_type="LAPTOP  repair")


class TestKept:
    def test_a_pair_of_the_catalog_is_kept_and_never_shown(self) -> None:
        classifier = ScriptedClassifier()
        tickets = classify([kept(), Ticket("open", "open")], classifier)
        assert summaries(tickets) == ["kept Laptop Repair", "model General Inquiry"]
        assert [[ticket.id for ticket in batch] for batch in classifier.shown] == [["open"]]

    @pytest.mark.parametrize(
        ("category", "request_type"),
        [("Hardware", "Password Reset"), ("Canteen", "Menu"), ("Hardware", ""), ("", "Laptop Repair")],
        ids=["of two entries", "not in the catalog", "no type", "no category"],
    )
    def test_an_invalid_pair_is_classified_as_if_there_were_none(self, category: str, request_type: str) -> None:
        classifier = ScriptedClassifier()
        ticket = Ticket("1", "open", request_category=category, request_type=request_type)
        assert summaries(classify([ticket], classifier)) == ["model General Inquiry"]
        assert classifier.shown == [[ticket]]

    def test_a_queue_that_is_all_kept_asks_nobody(self) -> None:
        classifier = ScriptedClassifier()
        assert summaries(classify([kept(), kept()], classifier)) == ["kept Laptop Repair"] * 2
        assert (classifier.shown, classifier.entered) == ([], 0)

    def test_an_empty_queue_asks_nobody(self) -> None:
        classifier = ScriptedClassifier()
        assert classify([], classifier) == []
        assert (classifier.shown, classifier.entered) == ([], 0)


class TestOrder:
    def test_results_come_in_the_order_of_the_queue(self) -> None:
        by_text = {"p": PASSWORD, "l": LAPTOP}
        classifier = ScriptedClassifier(lambda ticket: by_text.get(ticket.short_description), batch_size=2)
        tickets = [Ticket("1", "p"), kept("2"), Ticket("3", "?"), Ticket("4", "l"), kept("5"), Ticket("6", "p")]
        attributed = classify(tickets, classifier)
        assert [ticket.ticket for ticket in attributed] == tickets
        assert summaries(attributed) == [
            "model Password Reset",
            "kept Laptop Repair",
            "no_match",
            "model Laptop Repair",
            "kept Laptop Repair",
            "model Password Reset",
        ]

    def test_tickets_that_share_an_id_share_no_answer(self) -> None:
        by_text = {"p": PASSWORD, "l": LAPTOP}
        classifier = ScriptedClassifier(lambda ticket: by_text[ticket.short_description])
        tickets = [Ticket("7", "p"), Ticket("7", "l"), Ticket("", "p"), Ticket("", "l")]
        assert summaries(classify(tickets, classifier)) == ["model Password Reset", "model Laptop Repair"] * 2

    @pytest.mark.parametrize(
        ("size", "batches"), [(1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])], ids=str
    )
    def test_no_batch_is_larger_than_the_classifier_takes(self, size: int, batches: list[int]) -> None:
        classifier = ScriptedClassifier(batch_size=3)
        classify(queue(size), classifier)
        assert [len(batch) for batch in classifier.shown] == batches

    def test_the_classifier_is_entered_once_for_all_batches(self) -> None:
        classifier = ScriptedClassifier(batch_size=1)
        classify(queue(4), classifier)
        assert (classifier.entered, classifier.left) == (1, 1)


class TestFailures:
    def test_a_failed_batch_leaves_its_tickets_unattributed_and_goes_on(self) -> None:
        classifier = ScriptedClassifier(batch_size=2, failures={1: failure("blocked", "the question was blocked")})
        tickets = classify(queue(6), classifier)
        assert summaries(tickets) == [*["model General Inquiry"] * 2, *["blocked"] * 2, *["model General Inquiry"] * 2]
        assert tickets[2].outcome == Unattributed("blocked", "the question was blocked")
        assert len(classifier.shown) == 3

    def test_a_failed_batch_takes_no_kept_pair_with_it(self) -> None:
        classifier = ScriptedClassifier(failures={0: failure("service_error", "down")})
        tickets = classify([Ticket("1", "open"), kept(), Ticket("3", "closed")], classifier)
        assert summaries(tickets) == ["service_error", "kept Laptop Repair", "service_error"]
        assert [ticket.is_failure for ticket in tickets] == [True, False, True]

    def test_a_model_that_is_down_leaves_every_ticket_as_it_is(self) -> None:
        down = failure("service_error", "down")
        classifier = ScriptedClassifier(batch_size=1, failures={0: down, 1: down, 2: down})
        tickets = classify(queue(3), classifier)
        assert summaries(tickets) == ["service_error"] * 3
        assert [ticket.ticket for ticket in tickets] == queue(3)

    def test_nothing_that_fits_is_an_answer_and_no_failure(self) -> None:
        (ticket,) = classify(queue(1), ScriptedClassifier(lambda ticket: None))
        assert (ticket.is_attributed, ticket.is_failure) == (False, False)

    def test_a_wrong_setting_stops_at_once(self) -> None:
        classifier = ScriptedClassifier(batch_size=1, failures={1: SettingsError("the key is refused")})
        with pytest.raises(SettingsError, match="the key is refused"):
            classify(queue(5), classifier)
        assert len(classifier.shown) == 2
        assert (classifier.entered, classifier.left) == (1, 1)


class TestProgress:
    def test_progress_is_told_from_none_to_all_batches(self) -> None:
        told: list[tuple[int, int]] = []
        classifier = ScriptedClassifier(batch_size=2, failures={1: failure("bad_answer", "")})
        classify_tickets(queue(5), CATALOG, classifier, NoAnswerCache(), lambda done, total: told.append((done, total)))
        assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_the_entry_is_the_one_of_the_catalog_with_its_sla() -> None:
    (ticket,) = classify(queue(1), ScriptedClassifier())
    assert isinstance(ticket.outcome, Attribution)
    assert ticket.outcome.entry is GENERAL
