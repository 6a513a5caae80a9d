"""Attributing a queue, with a scripted classifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from ticketattr.application.classify import (
    classify_stream,
    classify_texts,
    classify_tickets,
    plan_classification,
    plan_stream,
)
from ticketattr.application.ports import BatchFailed
from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.examples import NO_EXAMPLES, Examples
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.ticket import AttributedTicket, Attribution, Decision, Outcome, Reason, Ticket, Unattributed
from ticketattr.domain.usage import NOTHING_PLANNED, Bill, ClassificationPlan, Usage
from ticketattr.errors import SettingsError
from ticketattr.infrastructure.classifiers.answer_cache import NoAnswerCache

from ..fakes import CATALOG, GENERAL, LAPTOP, PASSWORD, ScriptedClassifier, a_correction


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

    def test_a_queue_of_kept_pairs_makes_no_call(self) -> None:
        classifier = ScriptedClassifier()
        assert summaries(classify([kept(), kept()], classifier)) == ["kept Laptop Repair"] * 2
        assert (classifier.shown, classifier.entered) == ([], 0)

    def test_an_empty_queue_makes_no_call(self) -> None:
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

    def test_the_classifier_chooses_from_the_catalog_of_the_queue(self) -> None:
        class Choosing(ScriptedClassifier):
            def fingerprint(self, catalog: ServiceCatalog) -> str:
                assert catalog is CATALOG
                return "choosing"

            async def choose(
                self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES
            ) -> list[Outcome]:
                assert catalog is CATALOG
                return await super().choose(tickets, catalog, examples)

        assert summaries(classify(queue(1), Choosing())) == ["model General Inquiry"]
        assert classify_texts(queue(1), 1, CATALOG, Choosing(), NoAnswerCache(), ignore) == [
            Attribution(GENERAL, "model")
        ]

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

    def test_a_failed_batch_changes_no_kept_pair(self) -> None:
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

    def test_no_match_is_an_answer_and_not_a_failure(self) -> None:
        (ticket,) = classify(queue(1), ScriptedClassifier(lambda ticket: None))
        assert (ticket.is_attributed, ticket.is_failure) == (False, False)

    def test_a_wrong_setting_stops_at_once(self) -> None:
        classifier = ScriptedClassifier(batch_size=1, failures={1: SettingsError("the key is refused")})
        with pytest.raises(SettingsError, match="the key is refused"):
            classify(queue(5), classifier)
        assert len(classifier.shown) == 2
        assert (classifier.entered, classifier.left) == (1, 1)


class TestProgress:
    def test_progress_is_told_from_none_to_all_tickets(self) -> None:
        told: list[tuple[int, int]] = []
        classifier = ScriptedClassifier(batch_size=2, failures={1: failure("bad_answer", "")})
        classify_tickets(queue(5), CATALOG, classifier, NoAnswerCache(), lambda done, total: told.append((done, total)))
        assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]


def test_the_entry_is_the_one_of_the_catalog_with_its_sla() -> None:
    (ticket,) = classify(queue(1), ScriptedClassifier())
    assert isinstance(ticket.outcome, Attribution)
    assert ticket.outcome.entry is GENERAL


@dataclass
class Remembering:
    """Answers by their question, in memory."""

    answers: dict[str, Outcome] = field(default_factory=dict)

    def get(self, tickets: Mapping[str, Ticket], catalog: ServiceCatalog) -> dict[str, Outcome]:
        assert catalog is CATALOG
        return {key: self.answers[key] for key in tickets if key in self.answers}

    def put(self, answers: Mapping[str, Outcome], tickets: Mapping[str, Ticket]) -> None:
        assert answers.keys() <= tickets.keys()
        self.answers |= answers


class TestCache:
    def test_what_was_answered_is_not_asked_again(self) -> None:
        cache, classifier = Remembering(), ScriptedClassifier(batch_size=2)
        classify_tickets(queue(3), CATALOG, classifier, cache, ignore)
        again = classify_tickets([*queue(4), kept()], CATALOG, classifier, cache, ignore)
        assert summaries(again) == [
            *["cached General Inquiry"] * 3,
            "model General Inquiry",
            "kept Laptop Repair",
        ]
        assert [[ticket.id for ticket in batch] for batch in classifier.shown] == [["T-0", "T-1"], ["T-2"], ["T-3"]]

    def test_no_match_is_cached_and_a_failure_is_not(self) -> None:
        cache = Remembering()
        classify_tickets(queue(2), CATALOG, ScriptedClassifier(lambda ticket: None), cache, ignore)
        failing = ScriptedClassifier(failures={0: failure("blocked", "no")})
        assert summaries(classify_tickets(queue(2), CATALOG, failing, cache, ignore)) == ["no_match"] * 2
        other = [Ticket("1", "another")]
        assert summaries(classify_tickets(other, CATALOG, failing, cache, ignore)) == ["blocked"]
        assert summaries(classify_tickets(other, CATALOG, ScriptedClassifier(), cache, ignore)) == [
            "model General Inquiry"
        ]

    def test_tickets_with_the_same_text_are_classified_once(self) -> None:
        classifier = ScriptedClassifier()
        same = [Ticket("1", "a", "b"), Ticket("2", "a", "b"), Ticket("3", "a", "c"), Ticket("4", "ab", "")]
        classify(same, classifier)
        assert [(ticket.short_description, ticket.long_description) for ticket in classifier.shown[0]] == [
            ("a", "b"),
            ("a", "c"),
            ("ab", ""),
        ]

    def test_an_answer_of_another_classifier_is_not_used(self) -> None:
        class Another(ScriptedClassifier):
            def fingerprint(self, catalog: ServiceCatalog) -> str:
                return "another"

        cache, other = Remembering(), Another()
        classify_tickets(queue(1), CATALOG, ScriptedClassifier(), cache, ignore)
        classify_tickets(queue(1), CATALOG, other, cache, ignore)
        assert len(other.shown) == 1

    def test_half_a_surrogate_pair_in_a_ticket_does_no_harm(self) -> None:
        assert summaries(classify([Ticket("1", "\ud800")], ScriptedClassifier())) == ["model General Inquiry"]


class TestCorrections:
    def test_a_person_decides_before_the_pair_that_came_with_it(self) -> None:
        classifier = ScriptedClassifier()
        ticket = kept("1")
        correction = a_correction(ticket.short_description, "1", pair=("Access", "Password Reset"))
        decided = classify_tickets([ticket], CATALOG, classifier, NoAnswerCache(), ignore, [correction])
        assert summaries(decided) == ["corrected Password Reset"]
        assert decided[0].decision == Decision("Access", "Password Reset", False, correction.at)
        assert classifier.shown == []

    def test_a_confirmed_ticket_keeps_what_the_report_said(self) -> None:
        confirmed = replace(a_correction("open 0", "T-0"), reported_category="Hardware", reported_type="Laptop Repair")
        decided = classify_tickets(queue(1), CATALOG, ScriptedClassifier(), NoAnswerCache(), ignore, [confirmed])
        assert summaries(decided) == ["confirmed Laptop Repair"]

    def test_tickets_like_a_corrected_one_are_asked_about_again_with_it_as_an_example(self) -> None:
        cache, classifier = Remembering(), ScriptedClassifier()
        tickets = [Ticket("1", "Screen flickers badly"), Ticket("2", "Lunch?")]
        classify_tickets(tickets, CATALOG, classifier, cache, ignore)
        corrections = [a_correction("Screen flickers", "9")]
        answered = classify_tickets(tickets, CATALOG, classifier, cache, ignore, corrections)
        assert summaries(answered) == ["model General Inquiry", "cached General Inquiry"]
        assert classifier.shown[1] == tickets[:1]
        assert [example.short_description for example in classifier.examples[1]] == ["Screen flickers"]
        corrections = [a_correction("Screen flickers", "9", pair=("Access", "Password Reset"))]
        classify_tickets(tickets, CATALOG, classifier, cache, ignore, corrections)
        assert classifier.shown[2] == tickets[:1], "the same example, decided otherwise, is another question"


class Priced(ScriptedClassifier):
    """A call costs a dollar a ticket, and one more for each example; nobody knows the price of long ones."""

    def estimate(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES) -> Bill:
        assert catalog is CATALOG
        unknown = any("long" in ticket.short_description for ticket in tickets)
        return Bill(
            Usage(calls=1, tokens_in=len(tickets)),
            None if unknown else float(len(tickets) + len(examples.for_batch(tickets))),
        )


class TestPlan:
    def test_a_plan_counts_what_would_be_asked_and_makes_no_call(self) -> None:
        cache, classifier = Remembering(), Priced(batch_size=2)
        classify_tickets(queue(1), CATALOG, classifier, cache, ignore)
        corrections = [a_correction("corrected", "c")]
        tickets = [*queue(4), kept(), kept("other"), Ticket("c", "corrected"), Ticket("d", "open 3")]
        plan = plan_classification(tickets, CATALOG, classifier, cache, corrections)
        assert plan == ClassificationPlan(
            tickets=8,
            kept=2,
            cached=1,
            to_ask=3,
            batches=2,
            bill=Bill(Usage(calls=2, tokens_in=3), cost=3.0),
            corrected=1,
        )
        assert len(classifier.shown) == 1

    def test_examples_cost_too(self) -> None:
        plan = plan_classification(
            [Ticket("1", "Screen flickers badly")],
            CATALOG,
            Priced(),
            Remembering(),
            [a_correction("Screen flickers", "9")],
        )
        assert plan.bill.cost == 2.0

    def test_an_unknown_price_makes_the_sum_unknown(self) -> None:
        tickets = [Ticket("1", "short"), Ticket("2", "long")]
        plan = plan_classification(tickets, CATALOG, Priced(batch_size=1), Remembering())
        assert (plan.bill.cost, plan.bill.usage.calls) == (None, 2)

    def test_a_plan_without_calls_costs_nothing(self) -> None:
        plan = plan_classification([kept()], CATALOG, Priced(), Remembering())
        assert plan == ClassificationPlan(tickets=1, kept=1, cached=0, to_ask=0, batches=0, bill=Bill())


def test_the_number_of_texts_to_ask_about_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="ticketattr.application.classify"):
        corrections = [a_correction("corrected", "c")]
        tickets = [*queue(2), kept(), Ticket("c", "corrected")]
        classify_tickets(tickets, CATALOG, ScriptedClassifier(), Remembering(), ignore, corrections)
    (message,) = caplog.messages
    assert message.split(", ") == [
        "1 ticket decided by a person",
        "1 with the pair from the helpdesk",
        "0 with a cached answer; 2 different texts left to ask about",
    ]


class TestStream:
    """A queue of any length, of which as many tickets are in memory as are asked about at once."""

    def test_a_stream_is_decided_as_a_queue_part_by_part(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO", logger="ticketattr.application.classify")
        classifier, cache = ScriptedClassifier(batch_size=2, concurrency=2), Remembering()
        corrections, labelled = [a_correction("corrected", "c")], [GoldTicket(Ticket("9", "open 1"), LAPTOP)]
        tickets = [*queue(3), kept(), Ticket("c", "corrected"), Ticket("7", "open 0"), Ticket("8", "open 0")]
        read: list[Ticket] = []

        def reading() -> Iterator[Ticket]:
            for ticket in tickets:
                read.append(ticket)
                yield ticket

        stream = classify_stream(reading(), CATALOG, classifier, cache, corrections, labelled)
        first = next(stream)
        assert (first.ticket, len(read)) == (tickets[0], 4)
        attributed = [first, *stream]
        assert [ticket.ticket for ticket in attributed] == tickets
        assert summaries(attributed) == [
            *["model General Inquiry"] * 3,
            *("kept Laptop Repair", "corrected Laptop Repair"),
            *["cached General Inquiry"] * 2,
        ]
        assert [[ticket.short_description for ticket in batch] for batch in classifier.shown] == [
            *(["open 0", "open 1"], ["open 2"]),
        ]
        assert [example.entry for example in classifier.examples[0]] == [LAPTOP]
        assert caplog.messages == [], "a line for each part would be too many"

    def test_an_id_counts_as_unique_if_it_is_unique_in_its_part(self) -> None:
        tickets = [Ticket("c", "another text"), Ticket("x", "open"), Ticket("c", "corrected")]
        stream = classify_stream(
            tickets, CATALOG, ScriptedClassifier(batch_size=2), NoAnswerCache(), [a_correction("corrected", "c")]
        )
        assert summaries(list(stream))[2] == "corrected Laptop Repair"

    def test_the_plan_of_a_stream_is_that_of_its_parts_together(self) -> None:
        cache, classifier = Remembering(), Priced(batch_size=2)
        corrections, labelled = [a_correction("corrected", "c")], [GoldTicket(Ticket("9", "open 3"), LAPTOP)]
        classify_tickets(queue(1), CATALOG, classifier, cache, ignore, corrections, labelled)
        tickets = [*queue(4), kept(), kept("other"), Ticket("c", "corrected"), Ticket("d", "open 3")]
        plan = plan_stream(iter(tickets), CATALOG, classifier, cache, corrections, labelled)
        parts = [tickets[place : place + 2] for place in range(0, 8, 2)]
        expected = [plan_classification(part, CATALOG, classifier, cache, corrections, labelled) for part in parts]
        assert plan == sum(expected, NOTHING_PLANNED)
        assert (plan.tickets, plan.kept, plan.corrected, plan.cached, plan.to_ask) == (8, 2, 1, 1, 4)
        assert plan_stream([], CATALOG, classifier, cache) == NOTHING_PLANNED
        assert len(classifier.shown) == 1
