"""Which labels an audit doubts, and what it says about the catalog."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta, timezone

import pytest

from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.label_audit import (
    AlikeTypes,
    DoubtfulLabel,
    Drift,
    Guess,
    LabelAudit,
    alike_types,
    contradictions,
    drift,
)
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


def test_doubt_is_the_logarithm_of_how_many_times_likelier_the_other_type_is() -> None:
    found = audit([gold(PASSWORD), gold(PRINTER)], CATALOG, [guess(0.0, printer=0.5), guess(0.5)])

    (label,) = found.labels
    assert label.doubt == math.log((0.5 + 1e-9) / 1e-9)
    assert (label.probability, label.suggested_probability) == (0.0, 0.5)
    # As likely as the mean of its own tickets is enough.
    assert label.is_sure


def test_another_type_that_is_as_likely_as_the_label_raises_no_doubt() -> None:
    assert audit([gold(PASSWORD)], CATALOG, [guess(0.4, printer=0.4)]).labels == ()
    (label,) = audit([gold(PASSWORD), gold(VPN)], CATALOG, [guess(0.2, printer=0.4, vpn=0.2), guess(0.2)]).labels
    # No ticket has the label Printer, and VPN, which reaches its threshold, is no likelier than the label.
    assert (label.suggested, label.is_sure) == (PRINTER, False)


def test_type_that_reaches_its_threshold_is_suggested_before_a_likelier_one() -> None:
    history = [gold(PASSWORD), gold(PRINTER), gold(VPN)]
    (label,) = audit(history, CATALOG, [guess(0.1, printer=0.5, vpn=0.4), guess(0.9), guess(0.3)]).labels
    assert (label.suggested, label.suggested_probability, label.is_sure) == (VPN, 0.4, True)


def test_audit_counts_all_tickets_and_those_with_a_time() -> None:
    times = [datetime(2025, 1, 1, tzinfo=timezone.utc) + timedelta(days=day) for day in range(100)]
    history = [gold(PASSWORD, "the same")] + [gold(PASSWORD)] * 79 + [gold(LAPTOP, "the same")] * 20

    found = audit_with_times([*history, gold(VPN)], CATALOG, [guess(0.9)] * 101, [*times, None])

    assert (found.tickets, found.dated) == (101, 100)
    assert [one.rows for one in found.contradictions] == [(0, *range(80, 100))]
    assert [one.entry for one in found.drift] == [PASSWORD, LAPTOP]


def test_label_is_not_surely_wrong_while_the_other_type_is_less_likely_than_for_its_own_tickets() -> None:
    found = audit([gold(PASSWORD), gold(PRINTER)], CATALOG, [guess(0.9, printer=0.1), guess(0.3, password=0.6)])

    assert [label.is_sure for label in found.labels] == [False]


def test_ticket_without_a_guess_is_not_doubted() -> None:
    assert audit([gold(PASSWORD)], CATALOG, [Guess(0.0, ())]).labels == ()


def test_different_numbers_of_tickets_and_guesses_are_a_bug() -> None:
    with pytest.raises(ValueError, match="zip"):
        audit([gold(PASSWORD)], CATALOG, [])


def test_types_with_fewer_than_five_tickets_are_too_small() -> None:
    history = [gold(PASSWORD)] * 5 + [gold(PRINTER)] * 4 + [gold(LAPTOP)]

    small = audit(history, CATALOG, [guess(1.0)] * 10).small

    assert [(one.entry, one.tickets) for one in small] == [(VPN, 0), (LAPTOP, 1), (PRINTER, 4)]


def test_types_whose_tickets_are_often_taken_for_each_other_are_too_alike() -> None:
    history = [gold(PASSWORD)] * 10 + [gold(VPN)] * 20
    guesses = [guess(0.9)] * 8 + [guess(0.1, vpn=0.8)] * 2 + [guess(0.9)] * 18 + [guess(0.2, password=0.7)] * 2

    (alike,) = audit(history, CATALOG, guesses).alike

    assert ({alike.one, alike.other}, alike.mixed, alike.share) == ({PASSWORD, VPN}, 4, 0.4)


def mixed(one: RequestType, tickets: int, other: RequestType, others: int, wrong: int) -> list[AlikeTypes]:
    """The pairs that are alike if so many tickets of the first type look like the second one."""
    history = [gold(one)] * tickets + [gold(other)] * others
    doubtful = [DoubtfulLabel(row, other, 1.0, 0.1, 0.8, True) for row in range(wrong)]
    return alike_types(history, doubtful)


def test_three_tickets_that_are_a_fifth_of_the_smaller_type_make_types_alike() -> None:
    assert mixed(PASSWORD, 15, VPN, 16, 3) == [AlikeTypes(PASSWORD, VPN, 3, 0.2)]
    assert mixed(VPN, 16, PASSWORD, 15, 3) == [AlikeTypes(PASSWORD, VPN, 3, 0.2)]
    assert mixed(PASSWORD, 16, VPN, 16, 3) == []
    assert mixed(PASSWORD, 5, VPN, 5, 2) == []
    # A type with fewer than five tickets counts as one of five.
    assert mixed(PASSWORD, 4, VPN, 9, 3) == [AlikeTypes(PASSWORD, VPN, 3, 0.6)]


def test_the_most_mixed_types_come_first_then_by_name_and_no_share_is_more_than_whole() -> None:
    history = [gold(PASSWORD)] * 5 + [gold(VPN)] * 5 + [gold(LAPTOP)] * 6 + [gold(PRINTER)] * 12
    suggested = [VPN] * 5 + [PASSWORD] * 5 + [PRINTER] * 3 + [VPN] * 3
    doubtful = [DoubtfulLabel(row, entry, 1.0, 0.1, 0.8, True) for row, entry in enumerate(suggested)]
    assert alike_types(history, doubtful) == [
        AlikeTypes(PASSWORD, VPN, 10, 1.0),
        AlikeTypes(LAPTOP, VPN, 3, 0.6),
        AlikeTypes(LAPTOP, PRINTER, 3, 0.5),
    ]
    same = [DoubtfulLabel(10 + row, entry, 1.0, 0.1, 0.8, True) for row, entry in enumerate([PRINTER] * 3)]
    same += [DoubtfulLabel(16 + row, PASSWORD, 1.0, 0.1, 0.8, True) for row in range(3)]
    evenly = [gold(LAPTOP)] * 16 + [gold(PRINTER)] * 16 + [gold(PASSWORD)] * 15
    assert [(one.one, one.other) for one in alike_types(evenly, same)] == [(PASSWORD, PRINTER)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("help", "HELP!"),
        ("no network", "network? no"),
        ("one two three four", "one two three four five"),
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
    assert contradictions([gold(PRINTER, "one two three four five"), gold(VPN, "one two three four six")]) == []


def test_tickets_that_are_almost_the_same_through_others_are_one_contradiction() -> None:
    texts = ["a b c d e", "x", "a b c d e f", "a b c d e f g", "x"]
    history = [gold(entry, text) for entry, text in zip((VPN, VPN, VPN, LAPTOP, PRINTER), texts, strict=True)]
    assert [found.rows for found in contradictions(history)] == [(0, 2, 3), (1, 4)]


@pytest.mark.thorough
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


def drifted(of_80: int, of_20: int) -> list[Drift]:
    """The drift of Laptop from so many of 80 tickets to so many of the latest 20."""
    start = datetime(2025, 1, 1, tzinfo=timezone.utc)
    entries = [LAPTOP] * of_80 + [PASSWORD] * (80 - of_80) + [LAPTOP] * of_20 + [PASSWORD] * (20 - of_20)
    # The tickets come in the opposite order of their times, one without a time among them.
    history = [gold(VPN), *map(gold, reversed(entries))]
    times = [None, *(start + timedelta(days=day) for day in reversed(range(100)))]
    return [one for one in drift(history, times) if one.entry == LAPTOP]


def test_drift_is_a_change_of_four_standard_errors() -> None:
    assert drifted(8, 9) == []  # 3.7 standard errors
    assert drifted(8, 10) == [Drift(LAPTOP, 0.1, 0.5, datetime(2025, 3, 22, tzinfo=timezone.utc))]  # 4.2
    assert drifted(80, 20) == []


def test_four_tickets_are_too_few_for_drift() -> None:
    times = [datetime(2025, 1, day, tzinfo=timezone.utc) for day in range(1, 5)]
    assert drift([gold(VPN)] * 4, times) == []
