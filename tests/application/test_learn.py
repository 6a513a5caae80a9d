"""A history of any length is read once, ticket by ticket, and learned from within bounds."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ticketattr.application.learn import History, UsableTickets, learn_tickets, usable_tickets
from ticketattr.application.ports import NO_PROGRESS
from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.learning import MOST_TICKETS, Answer, LabelledTicket, ModelCard, figures_of
from ticketattr.domain.ticket import Ticket
from ticketattr.errors import InputError, SettingsError
from ticketattr.infrastructure.classifiers.offline.teaching import teach_history
from ticketattr.infrastructure.evaluation.disk_list import DiskList

from ..fakes import CATALOG, GENERAL, LAPTOP, PASSWORD


def usable(tickets: Iterable[LabelledTicket]) -> UsableTickets:
    return usable_tickets(History("history.jsonl", tickets), CATALOG, NO_PROGRESS)


def labelled(count: int, text: str = "laptop or not") -> Iterator[LabelledTicket]:
    for number in range(count):
        entry = (LAPTOP, GENERAL)[number % 2]
        ticket = Ticket(str(number), f"{number} {text}", created_at=f"{2000 + number % 25}-01-01T00:00:00Z")
        yield LabelledTicket(ticket, entry.pair)


@pytest.mark.thorough
def test_of_very_many_tickets_the_latest_are_learned_from_in_their_order() -> None:
    undated = LabelledTicket(Ticket("undated", "laptop"), LAPTOP.pair)
    found = usable([undated, *labelled(MOST_TICKETS + 10)])
    assert len(found.gold) == len(found.times) == MOST_TICKETS
    assert found.left_out == {f"older than the latest {MOST_TICKETS:,}": 11}
    ids = [gold.ticket.id for gold in found.gold]
    oldest = {"undated", *(str(25 * number) for number in range(10))}
    assert ids == [str(number) for number in range(MOST_TICKETS + 10) if str(number) not in oldest]


@pytest.mark.thorough
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


@pytest.mark.thorough
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


def history(*pairs: tuple[str, str], **changes: Any) -> History:
    tickets = [LabelledTicket(Ticket(str(number), f"text {number}"), pair) for number, pair in enumerate(pairs)]
    return History("history.jsonl", tickets, **changes)


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        ("Fax", "'Fax' is not in the catalog"),
        ("laptop repair", "'laptop repair' stands for 2 entries of the catalog"),
    ],
)
def test_a_new_name_that_is_not_one_entry_is_a_wrong_setting(new: str, problem: str) -> None:
    catalog = ServiceCatalog((*CATALOG.entries, RequestType("Field", "Laptop Repair", SLA(1, "days"))))
    with pytest.raises(SettingsError) as caught:
        usable_tickets(history(LAPTOP.pair, GENERAL.pair, renames=[("Old", new)]), catalog, NO_PROGRESS)
    assert str(caught.value) == f"--rename Old={new}: {problem}"
    assert caught.value.hint == "Name it as 'Category / Type'."


def test_an_old_name_stands_for_its_entry_with_and_without_its_category() -> None:
    renames = [("notebook", "LAPTOP repair"), ("Any / Thing", "Other / General Inquiry")]
    found = usable_tickets(history(("x", "Notebook"), ("any", "thing"), renames=renames), CATALOG, NO_PROGRESS)
    assert [gold.entry for gold in found.gold] == [LAPTOP, GENERAL]
    assert found.gold[0:1] == [found.gold[0]]
    assert (found.times, found.left_out) == ([None, None], {})


def test_tickets_that_teach_nothing_are_counted_by_the_reason() -> None:
    tickets = history(LAPTOP.pair, GENERAL.pair, ("No", "Such"), ("No", "Such"), ignore_unknown=True)
    empty = LabelledTicket(Ticket("empty", " "), LAPTOP.pair)
    found = usable_tickets(replace(tickets, tickets=[*tickets.tickets, empty, empty]), CATALOG, NO_PROGRESS)
    assert [gold.ticket.id for gold in found.gold] == ["0", "1"]
    assert found.left_out == {"labels that are not in the catalog": 2, "no text": 2}


@pytest.mark.parametrize(
    ("pairs", "message", "hint"),
    [
        (
            [],
            "history.jsonl has no ticket with a text and a label that is in the catalog",
            "Check the file and --catalog.",
        ),
        (
            [LAPTOP.pair] * 2,
            "history.jsonl: all tickets have the label Hardware / Laptop Repair",
            "Add tickets of other types: a model of one request type has nothing to decide.",
        ),
        (
            [LAPTOP.pair, GENERAL.pair, *[("Zebra", "Qux")] * 2, ("Yak", "Vlu")],
            "history.jsonl: labels that are not in the catalog (2): Zebra / Qux (2 tickets), Yak / Vlu (1 ticket)",
            None,
        ),
    ],
)
def test_a_history_that_teaches_nothing_is_refused(
    pairs: Sequence[tuple[str, str]], message: str, hint: str | None
) -> None:
    with pytest.raises(InputError) as caught:
        usable_tickets(history(*pairs), CATALOG, NO_PROGRESS)
    assert str(caught.value) == message
    if hint is not None:
        assert caught.value.hint == hint


def test_a_type_that_was_renamed_is_proposed_with_the_option_to_copy() -> None:
    with pytest.raises(InputError) as caught:
        usable_tickets(
            history(("Hardware", "Laptop Repairs"), ("Access", "Passwords Reset"), GENERAL.pair), CATALOG, NO_PROGRESS
        )
    assert caught.value.hint == (
        "Leave those tickets out with --ignore-unknown, or say how the types are called now with --rename OLD=NEW, "
        'perhaps --rename "Hardware / Laptop Repairs=Hardware / Laptop Repair" '
        '--rename "Access / Passwords Reset=Access / Password Reset".'
    )


@dataclass
class Taught:
    """Three sets of answers, and the cards that were saved."""

    answers: Sequence[Answer]
    latest: Sequence[Answer]
    without: Sequence[Answer]
    saved: list[tuple[Path, ModelCard]] = field(default_factory=list)

    def save(self, path: Path, card: ModelCard) -> int:
        self.saved.append((path, card))
        return 1_234


def test_the_card_says_what_was_learned_from_and_what_it_reaches() -> None:
    texts = ["my laptop is broken", "the laptop and the dock", "Je ne peux pas imprimer", "my laptop is  BROKEN", "42"]
    times = ["2026-03-01T00:00:00Z", "", "2026-01-01T00:00:00+01:00", "2026-02-01T00:00:00Z", ""]
    entries = [GENERAL, LAPTOP, LAPTOP, GENERAL, PASSWORD]
    tickets = [
        LabelledTicket(Ticket(str(place), text, created_at=times[place]), entries[place].pair)
        for place, text in enumerate(texts)
    ]
    found = usable_tickets(History("x", [*tickets, LabelledTicket(Ticket("", ""), LAPTOP.pair)]), CATALOG, NO_PROGRESS)
    right, wrong = [Answer(0, 3, 3, 0.9)], [Answer(1, 1, 3, 0.8), Answer(2, 1, 1, 0.7)]
    taught = Taught(right, wrong, [*right, *wrong])
    shown: list[tuple[object, ...]] = []

    def teach(*given: object) -> Taught:
        shown.append(given)
        return taught

    path = Path("desk.model")
    card, size = learn_tickets(found, CATALOG, teach, path, NO_PROGRESS, target=0.75)
    assert card == ModelCard(
        tickets=5,
        repeated=1,
        types={str(GENERAL): 2, str(LAPTOP): 2, str(PASSWORD): 1},
        languages={"en": 3, "fr": 1},
        left_out={"no text": 1},
        first="2026-01-01T00:00:00+01:00",
        last="2026-03-01T00:00:00+00:00",
        cross_validation=figures_of(right, found.gold, CATALOG, 0.75),
        latest=figures_of(wrong, found.gold, CATALOG, 0.75),
        without=figures_of([*right, *wrong], found.gold, CATALOG, 0.75),
    )
    assert list(card.types) == [str(LAPTOP), str(GENERAL), str(PASSWORD)]
    assert (size, taught.saved) == (1_234, [(path, card)])
    assert shown == [(CATALOG, found.gold, [], NO_PROGRESS)]


def test_the_card_of_a_history_without_times_names_none() -> None:
    found = usable_tickets(history(LAPTOP.pair, GENERAL.pair), CATALOG, NO_PROGRESS)
    card, _ = learn_tickets(found, CATALOG, lambda *given: Taught((), (), ()), Path("x"), NO_PROGRESS, target=0.9)
    assert (card.first, card.last, card.repeated, card.cross_validation) == ("", "", 0, None)


def test_the_teacher_knows_which_tickets_are_the_latest() -> None:
    found = usable_tickets(History("x", labelled(10)), CATALOG, NO_PROGRESS)
    latest: list[Sequence[int]] = []

    def teach(catalog: object, gold: object, last: Sequence[int], progress: object) -> Taught:
        latest.append(last)
        return Taught((), (), ())

    learn_tickets(found, CATALOG, teach, Path("x"), NO_PROGRESS, target=0.9)
    assert latest == [[8, 9]]


def test_of_many_unknown_labels_the_first_eight_are_named_and_nothing_is_proposed_for_what_no_entry_is_like() -> None:
    unknown = [("Zebra", f"Qux{number}") for number in range(1_234)]
    with pytest.raises(InputError) as caught:
        usable_tickets(history(LAPTOP.pair, GENERAL.pair, *unknown), CATALOG, NO_PROGRESS)
    named = ", ".join(f"Zebra / Qux{number} (1 ticket)" for number in range(8))
    assert str(caught.value) == (f"history.jsonl: labels that are not in the catalog (1,234): {named}, and 1,226 more")
    assert caught.value.hint == (
        "Leave those tickets out with --ignore-unknown, or say how the types are called now with --rename OLD=NEW."
    )


def test_reading_is_shown_every_500_tickets() -> None:
    shown = Shown()
    usable_tickets(History("x", labelled(1_001)), CATALOG, shown)
    assert shown.numbers == {"Reading tickets": [(0, None), (500, None), (1_000, None)]}
