"""What is learned from labelled tickets, and how it is counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.learning import (
    Answer,
    LabelledTicket,
    digest_of_words,
    figures_of,
    in_order_of_time,
    is_empty,
    languages_of,
    latest_fifth,
    new_names,
    same_words,
    unknown_labels,
    with_request_type,
)
from ticketattr.domain.statistics import wilson_estimate
from ticketattr.domain.ticket import Ticket

from ..fakes import CATALOG, LAPTOP, MIDNIGHT, PASSWORD, STOLEN

DAY = timedelta(days=1)


def test_tickets_with_a_request_type_are_labelled_with_it() -> None:
    labelled = Ticket("1", "a", request_category="Hardware", request_type="Laptop Repair")
    without_category = Ticket("2", "b", request_type="VPN")
    tickets = [labelled, Ticket("3", "c", request_category="Hardware"), without_category]
    assert list(with_request_type(tickets)) == [
        LabelledTicket(labelled, ("Hardware", "Laptop Repair")),
        LabelledTicket(without_category, ("", "VPN")),
    ]


def test_figures_say_how_good_answers_are_and_nothing_without_answers() -> None:
    gold = [GoldTicket(Ticket(str(row), "x"), LAPTOP) for row in range(4)]
    answers = [Answer(row, 1, 1 if row else 0, 0.9 if row else 0.1) for row in range(4)]
    figures = figures_of(answers, gold, CATALOG, 0.95)
    assert figures is not None
    assert (figures.tickets, figures.accuracy, figures.target) == (4, wilson_estimate(3, 4), 0.95)
    assert figures.ece == pytest.approx(0.1)
    assert (figures.coverage, figures.precision) == (wilson_estimate(3, 4), wilson_estimate(3, 3))
    assert figures.threshold is not None
    assert 0.1 < figures.threshold <= 0.9
    assert figures_of([], gold, CATALOG, 0.95) is None


@pytest.mark.parametrize(
    ("short", "long", "empty"),
    [("", "", True), ("a", "", True), ("?!", " - ", True), ("ab", "", False), ("a", "b", False), ("1", "2", False)],
)
def test_a_ticket_with_fewer_than_two_letters_or_digits_is_empty(short: str, long: str, empty: bool) -> None:
    assert is_empty(Ticket("1", short, long)) is empty


def test_tickets_with_the_same_words_are_the_same_whatever_their_case_and_spaces() -> None:
    one, two, other = Ticket("1", "Screen  BROKEN", "now"), Ticket("2", "screen", " broken\nNOW"), Ticket("3", "screen")
    assert same_words(one) == same_words(two) == "screen broken now"
    assert digest_of_words(one) == digest_of_words(two) != digest_of_words(other)
    assert 0 <= digest_of_words(one) < 2**64
    assert digest_of_words(Ticket("4", "\ud800")) != digest_of_words(other)


def test_labels_outside_the_catalog_are_counted_the_most_frequent_first() -> None:
    counts = {("A", "a"): 1, LAPTOP.pair: 9, ("B", "b"): 3, ("hardware", "LAPTOP repair"): 5}
    assert list(unknown_labels(counts, CATALOG).items()) == [(("B", "b"), 3), (("A", "a"), 1)]


def _catalog(*names: str) -> ServiceCatalog:
    pairs = (name.partition("/") for name in names)
    return ServiceCatalog(tuple(RequestType(category, name, SLA(1, "days")) for category, _, name in pairs))


@pytest.mark.parametrize(
    ("label", "used", "entry"),
    [
        (("Access", "Password resets"), [], "Access / Password reset"),
        (("Hardware", "PASSWORD RESETS"), [], "Access / Password reset"),
        (("Network", "Password reset"), [], "Network / Password reset"),
        # An entry that no ticket has comes first, though another one is more alike.
        (
            ("Access", "Password reset"),
            [("Access", "Password reset"), ("Network", "Password reset")],
            "Access / Password",
        ),
        (("Access", "Sofa"), [], None),
    ],
)
def test_an_old_name_belongs_to_the_entry_with_the_most_similar_name(
    label: tuple[str, str], used: Sequence[tuple[str, str]], entry: str | None
) -> None:
    catalog = _catalog("Access/Password", "Access/Password reset", "Network/Password reset", "Access/Badge")
    found = new_names([label], catalog, used)
    assert {pair: str(one) for pair, one in found.items()} == ({label: entry} if entry else {})


def test_where_all_entries_are_used_an_old_name_belongs_to_one_of_them() -> None:
    assert new_names([("A", "Laptop repairs")], CATALOG, [entry.pair for entry in CATALOG.entries]) == {
        ("A", "Laptop repairs"): LAPTOP
    }


def test_tickets_without_a_time_come_before_all_others() -> None:
    times = [MIDNIGHT + DAY, None, MIDNIGHT, None]
    assert in_order_of_time(times) == [1, 3, 2, 0]


def _days(count: int, *, unknown: int = 0, different: int | None = None) -> list[datetime | None]:
    return [*(MIDNIGHT + DAY * (day % (different or count)) for day in range(count)), *[None] * unknown]


@pytest.mark.parametrize(
    ("times", "latest"),
    [
        (_days(10), [8, 9]),
        (_days(9, unknown=1), [7, 8]),
        (_days(8, unknown=2), []),
        (_days(11), [9, 10]),
        (_days(10, different=5), [4, 9]),
        (_days(10, different=4), []),
        ([*reversed(_days(10))], [0, 1]),
        ([], []),
    ],
)
def test_the_latest_fifth_needs_times_that_differ(times: list[datetime | None], latest: list[int]) -> None:
    assert latest_fifth(times) == latest


def test_languages_are_counted_the_most_frequent_first_and_others_left_out() -> None:
    german = Ticket("1", "Der Drucker ist kaputt und ich kann nicht drucken", "Bitte helfen Sie mir mit dem Gerät")
    english = Ticket("2", "The printer is broken and I cannot print", "Please help me with the device")
    assert list(languages_of([english, german, english, Ticket("3", "")]).items()) == [("en", 2), ("de", 1)]


def test_an_answer_is_right_if_the_label_was_chosen() -> None:
    positions = CATALOG.entries.index(PASSWORD), CATALOG.entries.index(STOLEN)
    assert Answer(0, positions[0], positions[0], 0.5).is_right
    assert not Answer(0, positions[0], positions[1], 0.5).is_right
