"""Which labels an audit doubts, and what it says about the catalog."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone

import pytest

from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.label_audit import Guess, LabelAudit, contradictions, drift
from ticketattr.domain.label_audit import audit as audit_with_times
from ticketattr.domain.ticket import Ticket

PASSWORD, PRINTER, LAPTOP, VPN = ENTRIES = tuple(
    RequestType("IT", name, SLA(1, "days")) for name in ("Password", "Printer", "Laptop", "VPN")
)
CATALOG = ServiceCatalog(ENTRIES)


def gold(entry: RequestType, text: str = "", *, id: str = "", created_at: str = "") -> GoldTicket:
    return GoldTicket(Ticket(id, text, created_at=created_at), entry)


def guess(label: float, **others: float) -> Guess:
    places = {entry.name.lower(): place for place, entry in enumerate(ENTRIES)}
    likeliest = sorted(others.items(), key=lambda pair: -pair[1])
    return Guess(label, tuple((places[name], share) for name, share in likeliest))


def audit(history: list[GoldTicket], catalog: ServiceCatalog, guesses: list[Guess]) -> LabelAudit:
    return audit_with_times(history, catalog, guesses, [None] * len(history))


def test_label_is_doubted_if_another_type_is_likelier_and_the_most_doubtful_comes_first() -> None:
    history = [gold(PASSWORD), gold(PRINTER), gold(PRINTER), gold(LAPTOP)]
    guesses = [
        guess(0.9, printer=0.1),
        guess(0.8, password=0.2),
        guess(0.01, password=0.95),
        guess(0.4, printer=0.5),
    ]

    found = audit(history, CATALOG, guesses)

    assert [(label.row, label.suggested) for label in found.labels] == [(2, PASSWORD), (3, PRINTER)]
    # The threshold of a type is the mean that its own tickets get: 0.9 for Password, 0.405 for Printer.
    assert [label.is_sure for label in found.labels] == [True, True]
    assert found.sure == 2


def test_label_is_not_surely_wrong_while_the_other_type_is_less_likely_than_for_its_own_tickets() -> None:
    found = audit([gold(PASSWORD), gold(PRINTER)], CATALOG, [guess(0.9, printer=0.1), guess(0.3, password=0.6)])

    assert [label.is_sure for label in found.labels] == [False]


def test_ticket_without_a_guess_is_not_doubted() -> None:
    assert audit([gold(PASSWORD)], CATALOG, [Guess(0.0, ())]).labels == ()


def test_types_with_fewer_than_five_tickets_are_too_small() -> None:
    history = [gold(PASSWORD)] * 5 + [gold(PRINTER)] * 4 + [gold(LAPTOP)]

    small = audit(history, CATALOG, [guess(1.0)] * 10).small

    assert [(one.entry, one.tickets) for one in small] == [(VPN, 0), (LAPTOP, 1), (PRINTER, 4)]


def test_types_whose_tickets_are_often_taken_for_each_other_are_too_alike() -> None:
    history = [gold(PASSWORD)] * 10 + [gold(VPN)] * 20
    guesses = [guess(0.9)] * 8 + [guess(0.1, vpn=0.8)] * 2 + [guess(0.9)] * 18 + [guess(0.2, password=0.7)] * 2

    (alike,) = audit(history, CATALOG, guesses).alike

    assert ({alike.one, alike.other}, alike.mixed, alike.share) == ({PASSWORD, VPN}, 4, 0.4)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Printer in room 12 does not print", "Printer in room 12 does not print"),
        ("Printer in room 12 does not print", "RE: printer in room 12 does not print!"),
        ("打印机 不工作 二楼", "打印机 不工作 二楼"),
    ],
)
def test_almost_the_same_text_with_different_labels_is_a_contradiction(one: str, other: str) -> None:
    history = [gold(PRINTER, one), gold(VPN, "something else entirely"), gold(LAPTOP, other)]

    assert [found.rows for found in contradictions(history)] == [(0, 2)]


def test_same_text_with_the_same_label_or_another_text_or_no_text_is_no_contradiction() -> None:
    history = [
        *(gold(PRINTER, "Printer jams again"), gold(PRINTER, "Printer jams again")),
        *(gold(LAPTOP, "Laptop will not start today"), gold(VPN, "VPN will not start today, please help")),
        *(gold(LAPTOP, ""), gold(VPN, "")),
    ]

    assert contradictions(history) == []


def test_contradictions_of_a_long_history_are_found_in_time_that_grows_with_it() -> None:
    chance = random.Random(0)  # noqa: S311  # the same each time
    words = [f"word{number}" for number in range(5_000)]
    texts = [" ".join(chance.choices(words, k=8)) for _ in range(20_000)]
    history = [gold(PRINTER, text) for text in texts] + [gold(VPN, texts[7])] + [gold(VPN, "reset my password")] * 5_000

    assert [found.rows for found in contradictions(history)] == [(7, 20_000)]


def test_type_that_became_frequent_or_rare_drifts_and_chance_does_not() -> None:
    start = datetime(2025, 1, 1, tzinfo=timezone.utc)
    times = [start + timedelta(days=day) for day in range(1_000)]
    chance = random.Random(0)  # noqa: S311  # the same each time
    history = [gold(chance.choice((PASSWORD, PRINTER))) for _ in range(800)]
    history += [gold(LAPTOP if day % 2 else chance.choice((PASSWORD, PRINTER))) for day in range(200)]

    found = drift(history, times)

    assert found[0].entry == LAPTOP
    assert (found[0].earlier, found[0].latest, found[0].since) == (0.0, 0.5, times[800])
    assert {one.entry for one in found} == {PASSWORD, PRINTER, LAPTOP}
    assert drift(history[:800], times[:800]) == []
    assert drift(history, [None] * 1_000) == []
