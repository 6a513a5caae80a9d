"""Labelled tickets are divided by time, and none of the later ones is learned from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

import pytest

from ticketattr.application.time_slice import Border, divided, learned_with
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.ticket import Ticket
from ticketattr.domain.times import DEFAULT_STYLE, TimeStyle
from ticketattr.errors import InputError

from ..fakes import CATALOG, LAPTOP

LATEST = Border(None, DEFAULT_STYLE)


def gold(*days: int | None) -> list[GoldTicket]:
    """Tickets of these days in November, None: without a time."""
    times = [f"2026-11-{day:02}T00:00:00Z" if day else "" for day in days]
    return [
        GoldTicket(Ticket(str(day), f"text {day}", created_at=time), LAPTOP)
        for day, time in zip(days, times, strict=True)
    ]


def ids(tickets: Iterable[GoldTicket]) -> list[str]:
    return [case.ticket.id for case in tickets]


def after(day: int) -> Border:
    return Border(datetime(2026, 11, day, tzinfo=timezone.utc), DEFAULT_STYLE)


@pytest.mark.parametrize(
    ("days", "border", "earlier", "later"),
    [
        ((1, 2), LATEST, ["1"], ["2"]),
        ((9, 1, 2, 3, 4, 5, 6, 7, 8), LATEST, [*"12345678"], ["9"]),
        ((9, 1, 2, 3, 4, 5, 6, 7, 8, 10), LATEST, [*"12345678"], ["9", "10"]),
        ((3, 1, 2), after(2), ["1"], ["3", "2"]),
        ((3, 1, 2), after(3), ["1", "2"], ["3"]),
        ((3, None, 2), after(2), ["None"], ["3", "2"]),
        ((3, None), LATEST, ["None"], ["3"]),
    ],
)
def test_the_tickets_keep_their_order_on_both_sides_of_the_border(
    days: tuple[int | None, ...], border: Border, earlier: list[str], later: list[str]
) -> None:
    first, second = divided(gold(*days), border, "gold.jsonl")
    assert (ids(first), ids(second)) == (earlier, later)
    assert (len(first), len(second)) == (len(earlier), len(later))


def test_times_are_read_in_the_form_that_the_border_names() -> None:
    tickets = [GoldTicket(Ticket(str(day), "x", created_at=f"{day}.11.2026"), LAPTOP) for day in (2, 1)]
    first, second = divided(tickets, Border(None, TimeStyle("%d.%m.%Y")), "gold.jsonl")
    assert (ids(first), ids(second)) == (["1"], ["2"])


def test_tickets_without_a_time_are_counted_in_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    divided(gold(3, None, None), LATEST, "gold.jsonl")
    assert caplog.messages == ["2 tickets without a readable creation time, which are taken for earlier ones"]


@pytest.mark.parametrize(
    ("days", "border", "message", "hint"),
    [
        (
            *((None, None), LATEST, "gold.jsonl: no ticket has a creation time that can be read"),
            "Name the column with the creation time `created_at`; TIME_FORMAT names the form of its times.",
        ),
        (
            *((1, 2), after(3), "gold.jsonl: no ticket was created after 2026-11-03 00:00:00+00:00"),
            "Name an earlier date.",
        ),
    ],
)
def test_what_cannot_be_divided_is_refused(
    days: tuple[int | None, ...], border: Border, message: str, hint: str
) -> None:
    with pytest.raises(InputError) as caught:
        divided(gold(*days), border, "gold.jsonl")
    assert (str(caught.value), caught.value.hint) == (message, hint)


def test_an_earlier_ticket_with_the_words_of_a_later_one_is_not_learned_from(caplog: pytest.LogCaptureFixture) -> None:
    earlier, later, others = gold(1, 2), gold(2), gold(3)
    assert ids(learned_with(earlier, later, lambda catalog: others if catalog is CATALOG else [])(CATALOG)) == [
        "3",
        "1",
    ]
    assert caplog.messages == ["1 earlier ticket not learned from, because a later one has the same words"]
    caplog.clear()
    assert ids(learned_with(earlier, gold(4), lambda catalog: others)(CATALOG)) == ["3", "1", "2"]
    assert caplog.messages == []
