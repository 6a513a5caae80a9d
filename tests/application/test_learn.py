"""A history of any length is read once, ticket by ticket, and learned from within bounds."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ticketattr.application.learn import History, UsableTickets, learn_tickets, usable_tickets
from ticketattr.application.ports import NO_PROGRESS
from ticketattr.domain.learning import MOST_TICKETS, LabelledTicket
from ticketattr.domain.ticket import Ticket
from ticketattr.infrastructure.classifiers.offline.teaching import teach_history
from ticketattr.infrastructure.disk_list import DiskList

from ..fakes import CATALOG, GENERAL, LAPTOP


def usable(tickets: Iterable[LabelledTicket]) -> UsableTickets:
    return usable_tickets(History("history.jsonl", tickets), CATALOG, NO_PROGRESS)


def labelled(count: int, text: str = "laptop or not") -> Iterator[LabelledTicket]:
    for number in range(count):
        entry = (LAPTOP, GENERAL)[number % 2]
        ticket = Ticket(str(number), f"{number} {text}", created_at=f"{2000 + number % 25}-01-01T00:00:00Z")
        yield LabelledTicket(ticket, entry.pair)


def test_of_very_many_tickets_the_latest_are_learned_from_in_their_order() -> None:
    undated = LabelledTicket(Ticket("undated", "laptop"), LAPTOP.pair)
    found = usable([undated, *labelled(MOST_TICKETS + 10)])
    assert len(found.gold) == len(found.times) == MOST_TICKETS
    assert found.left_out == {f"older than the latest {MOST_TICKETS:,}": 11}
    ids = [gold.ticket.id for gold in found.gold]
    oldest = {"undated", *(str(25 * number) for number in range(10))}
    assert ids == [str(number) for number in range(MOST_TICKETS + 10) if str(number) not in oldest]


def test_long_history_is_never_in_memory_as_a_whole() -> None:
    text = "broken " * 1_000
    tracemalloc.start()
    with DiskList[Ticket]() as store:
        found = usable_tickets(History("x", labelled(3_000, text), store=store), CATALOG, NO_PROGRESS)
        assert sum(len(gold.ticket.short_description) for gold in found.gold) > 20_000_000
        _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


@dataclass
class Shown:
    """What a progress bar showed, by the text before it."""

    numbers: dict[str, list[tuple[int, int | None]]] = field(default_factory=dict)
    text: str = ""

    def __call__(self, done: int, total: int | None, /) -> None:
        self.numbers[self.text].append((done, total))

    def describe(self, text: str, /) -> None:
        self.text = text
        self.numbers[text] = []


def test_the_progress_moves_through_all_that_takes_time(tmp_path: Path) -> None:
    shown = Shown()
    found = usable_tickets(History("history.jsonl", labelled(501)), CATALOG, shown)
    learn_tickets(found, CATALOG, partial(teach_history, version=1), tmp_path / "desk.model", shown, target=0.95)
    assert list(shown.numbers) == ["Reading tickets", "Computing vectors", "Solving", "Calibrating"]
    for text, numbers in shown.numbers.items():
        done = [each for each, _ in numbers]
        assert done == sorted(set(done)), text
        assert len(done) > 1, text
        assert all(total is None or each <= total for each, total in numbers), text
