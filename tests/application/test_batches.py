"""Whatever a classifier does, every ticket gets one outcome from the catalog, within the budget of calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketattr.application.batches import Answers, ask_in_batches, extra_calls
from ticketattr.application.ports import BatchFailed, ClassifierStopped, Progress
from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.examples import NO_EXAMPLES, Examples
from ticketattr.domain.ticket import Attribution, Outcome, Ticket, Unattributed
from ticketattr.errors import SettingsError

from ..fakes import ScriptedClassifier

ENTRY = RequestType("Access", "Password", SLA(4, "hours"))
CATALOG = ServiceCatalog((ENTRY,))
ANSWERED = Attribution(ENTRY, "model")
LEFT_OUT = Unattributed("not_answered")

Reaction = str
REACTIONS = ("answer", "answer", "leave some out", "leave all out", "fail", "fail for ever", "stop")


@dataclass
class Moody(ScriptedClassifier):
    """Reacts to each call as the list says, and answers when the list is at its end."""

    batch_size: int = 7
    concurrency: int = 3
    reactions: list[Reaction] = field(default_factory=list)
    calls: list[Sequence[Ticket]] = field(default_factory=list)

    async def choose(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES
    ) -> list[Outcome]:
        self.calls.append(tickets)
        await anyio.lowlevel.checkpoint()
        reaction = self.reactions.pop(0) if self.reactions else "answer"
        if reaction == "stop":
            raise ClassifierStopped("quota", "enough")
        if reaction.startswith("fail"):
            raise BatchFailed("bad_answer", "no", lies_in_content=reaction == "fail")
        if reaction == "leave all out":
            return [LEFT_OUT] * len(tickets)
        if reaction == "leave some out":
            return [LEFT_OUT if place % 3 == 0 and len(tickets) > 1 else ANSWERED for place in range(len(tickets))]
        return [ANSWERED] * len(tickets)


def ignore(done: int, total: int) -> None:
    pass


def ask(classifier: Moody, number: int, progress: Progress = ignore) -> tuple[list[Outcome], dict[int, Outcome]]:
    tickets = [Ticket(str(place), f"ticket {place}") for place in range(number)]
    kept: dict[int, Outcome] = {}

    def keep(answers: Answers) -> None:
        kept.update(answers)

    outcomes = anyio.run(ask_in_batches, tickets, CATALOG, classifier, keep, progress, NO_EXAMPLES)
    return outcomes, kept


@given(reactions=st.lists(st.sampled_from(REACTIONS), max_size=60), number=st.integers(1, 60))
def test_no_ticket_is_lost_and_the_calls_stay_within_the_budget(reactions: list[Reaction], number: int) -> None:
    classifier = Moody(reactions=reactions)
    outcomes, kept = ask(classifier, number)
    assert len(outcomes) == number
    first_round = -(-number // classifier.batch_size)
    assert len(classifier.calls) <= first_round + extra_calls(first_round)
    # What is kept for the next run is what was answered, and nothing else.
    assert kept == {place: outcome for place, outcome in enumerate(outcomes) if isinstance(outcome, Attribution)}


@given(reactions=st.lists(st.sampled_from(REACTIONS[:5]), max_size=3), number=st.integers(15, 60))
def test_a_failed_first_round_loses_no_ticket(reactions: list[Reaction], number: int) -> None:
    outcomes, _ = ask(Moody(reactions=reactions), number)
    assert all(isinstance(outcome, Attribution) for outcome in outcomes)


def test_what_was_left_out_is_asked_about_once_more_and_together() -> None:
    classifier = Moody(reactions=["leave some out", "leave some out", "leave some out"])
    ask(classifier, 21)
    assert len(classifier.calls) == 4
    assert len(classifier.calls[-1]) == 9


def test_what_is_left_out_twice_stays_without_an_answer() -> None:
    classifier = Moody(reactions=["leave some out", "leave some out"])
    outcomes, _ = ask(classifier, 7)
    assert [outcome for outcome in outcomes if isinstance(outcome, Unattributed)] == [LEFT_OUT]


def test_failures_that_do_not_lie_in_the_content_are_not_split() -> None:
    classifier = Moody(reactions=["fail for ever"])
    outcomes, _ = ask(classifier, 14)
    assert len(classifier.calls) == 2
    assert sum(isinstance(outcome, Unattributed) for outcome in outcomes) == 7


def test_a_settings_error_is_raised_unwrapped() -> None:
    class Refused(Moody):
        async def choose(
            self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES
        ) -> list[Outcome]:
            self.calls.append(tickets)
            raise SettingsError("the key is refused")

    classifier = Refused(concurrency=1)
    with pytest.raises(SettingsError, match="the key is refused"):
        ask(classifier, 700)
    assert len(classifier.calls) == 1


def test_no_more_calls_are_in_flight_than_the_classifier_wants() -> None:
    class Counting(Moody):
        in_flight = most = 0

        async def choose(
            self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES
        ) -> list[Outcome]:
            self.in_flight += 1
            self.most = max(self.most, self.in_flight)
            await anyio.sleep(0.001)
            self.in_flight -= 1
            return [ANSWERED] * len(tickets)

    classifier = Counting(concurrency=4)
    ask(classifier, 200)
    assert classifier.most == 4


def poisoned(place: int) -> Moody:
    """Fails for the content of every batch that has the ticket of that place."""

    class Poisoned(Moody):
        async def choose(
            self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES
        ) -> list[Outcome]:
            self.calls.append(tickets)
            if any(ticket.id == str(place) for ticket in tickets):
                raise BatchFailed("blocked", "the question was blocked")
            return [ANSWERED] * len(tickets)

    return Poisoned(batch_size=30, concurrency=1)


@pytest.mark.parametrize("place", [0, 7, 15, 29])
def test_a_poison_ticket_among_30_is_found_in_ten_more_calls_and_asked_about_once_more(place: int) -> None:
    classifier = poisoned(place)
    outcomes, _ = ask(classifier, 30)
    assert [each for each, outcome in enumerate(outcomes) if outcome != ANSWERED] == [place]
    assert outcomes[place] == Unattributed("blocked", "the question was blocked")
    assert len(classifier.calls) <= 1 + 10 + 1
    assert all(classifier.calls), "nobody is asked about nothing"


def test_a_poison_ticket_that_came_alone_is_asked_about_once_more() -> None:
    classifier = poisoned(0)
    ask(classifier, 1)
    assert [[ticket.id for ticket in tickets] for tickets in classifier.calls] == [["0"], ["0"]]


def test_after_eight_failures_the_rest_is_not_asked_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    classifier = Moody(batch_size=1, concurrency=1, reactions=["fail for ever"] * 99)
    outcomes, kept = ask(classifier, 10)
    assert outcomes[:8] == [Unattributed("bad_answer", "no")] * 8
    assert outcomes[8:] == [Unattributed("bad_answer", "not asked, because 8 earlier calls failed (no)")] * 2
    assert (len(classifier.calls), kept) == (8, {})
    assert caplog.messages == [
        *["a batch of 1 ticket failed: no"] * 8,
        "no further calls are made: not asked, because 8 earlier calls failed (no)",
    ]


def test_after_one_success_no_number_of_failures_stops_the_calls() -> None:
    classifier = Moody(batch_size=1, concurrency=1, reactions=["answer", *["fail for ever"] * 99])
    ask(classifier, 20)
    assert len(classifier.calls) == 20


def test_a_stop_leaves_those_that_failed_before_with_their_own_reason() -> None:
    classifier = Moody(batch_size=2, concurrency=1, reactions=["answer", "fail", "stop"])
    outcomes, _ = ask(classifier, 8)
    assert outcomes == [
        *[ANSWERED] * 2,
        *[Unattributed("bad_answer", "no")] * 2,
        *[Unattributed("quota", "enough")] * 4,
    ]


def test_a_stop_when_asking_again_leaves_the_first_reason() -> None:
    classifier = Moody(batch_size=2, concurrency=1, reactions=["fail", "stop"])
    outcomes, _ = ask(classifier, 2)
    assert outcomes == [Unattributed("bad_answer", "no")] * 2


def test_when_the_calls_are_used_up_the_rest_keeps_its_reason_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Of ten batches one is answered: 9 fail, then their 18 halves; of the 36 of those, there are calls for 22."""
    classifier = Moody(batch_size=8, concurrency=1, reactions=["answer", *["fail"] * 99])
    told: list[tuple[int, int]] = []
    outcomes, _ = ask(classifier, 80, lambda done, planned: told.append((done, planned)))
    assert len(classifier.calls) == 10 + extra_calls(10) == 50
    assert outcomes == [*[ANSWERED] * 8, *[Unattributed("bad_answer", "no")] * 72]
    assert [message for message in caplog.messages if "not sent again" in message] == [
        "not sent again, because that would take too many calls: 14 batches",
        "not sent again, because that would take too many calls: 44 batches",
    ]
    assert told[-1] == (80, 80)


def test_progress_counts_a_ticket_once_also_if_it_failed_and_is_asked_again() -> None:
    told: list[tuple[int, int]] = []
    classifier = Moody(batch_size=4, concurrency=1, reactions=["fail", "answer"])
    ask(classifier, 8, lambda done, planned: told.append((done, planned)))
    assert told == [(0, 8), (4, 8), (8, 8), (8, 8), (8, 8), (8, 8)]


def test_the_result_of_a_batch_is_logged_in_numbers(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        ask(Moody(reactions=["leave some out"]), 7)
    assert caplog.messages == ["batch of 7 tickets: 4 answered", "batch of 3 tickets: 3 answered"]


def test_a_batch_without_a_usable_answer_is_a_failure() -> None:
    classifier = Moody(batch_size=1, concurrency=1, reactions=["leave all out"] * 99)
    outcomes, _ = ask(classifier, 10)
    assert (
        outcomes[8:]
        == [Unattributed("bad_answer", "not asked, because 8 earlier calls failed (no usable answer in the batch)")] * 2
    )
    assert len(classifier.calls) == 8


def test_a_ticket_without_an_answer_that_came_alone_is_asked_about_once_more() -> None:
    classifier = Moody(reactions=["leave all out"] * 9)
    outcomes, _ = ask(classifier, 1)
    assert (outcomes, [len(tickets) for tickets in classifier.calls]) == ([LEFT_OUT], [1, 1])


@pytest.mark.parametrize("size", [2, 3])
def test_a_batch_of_several_tickets_without_any_answer_is_split_in_halves(size: int) -> None:
    classifier = Moody(batch_size=size, concurrency=1, reactions=["leave all out"])
    outcomes, _ = ask(classifier, size)
    assert (outcomes, [len(tickets) for tickets in classifier.calls]) == ([ANSWERED] * size, [size, size - 1, 1])
