"""What would have been written, compared with what people chose."""

from __future__ import annotations

import pytest

from ticketattr.domain.shadow import Agreement, Compared, Verdict, agreements, compare, last_shadows
from ticketattr.domain.statistics import wilson_estimate
from ticketattr.domain.write_back import Change, ChangeMode, Pair, TicketNow

from ..fakes import LAPTOP, MIDNIGHT, PASSWORD, STOLEN


def change(ticket_id: str, mode: ChangeMode = "shadow", after: Pair = LAPTOP.pair) -> Change:
    return Change("https://desk", "run", ticket_id, mode, ("", ""), after, "applied", MIDNIGHT, MIDNIGHT)


def test_the_last_shadow_of_each_ticket_counts() -> None:
    first, last = change("1"), change("1", after=STOLEN.pair)
    other, filled = change("2"), change("1", "fill")
    assert last_shadows([first, other, last, filled]) == [last, other]


@pytest.mark.parametrize(
    ("now", "filled", "verdict"),
    [
        (None, None, "gone"),
        (("", ""), None, "undecided"),
        (("Hardware", " "), None, "undecided"),
        (("", "Laptop Repair"), None, "undecided"),
        (("HARDWARE", "laptop repair"), None, "agrees"),
        (STOLEN.pair, None, "differs"),
        (LAPTOP.pair, LAPTOP.pair, "ours"),
        (STOLEN.pair, STOLEN.pair, "ours"),
        (LAPTOP.pair, STOLEN.pair, "agrees"),
    ],
)
def test_what_people_chose_agrees_or_differs_unless_this_program_set_it(
    now: Pair | None, filled: Pair | None, verdict: Verdict
) -> None:
    shadow = change("1")
    ticket = None if now is None else TicketNow("1", now)
    found = compare(shadow, ticket, change("1", "fill", filled) if filled else None)
    assert found == Compared(shadow, ticket, verdict)


def test_the_agreement_is_that_of_all_then_of_each_category() -> None:
    compared = [
        Compared(change("1"), None, "agrees"),
        Compared(change("2"), None, "differs"),
        Compared(change("3", after=PASSWORD.pair), None, "agrees"),
        *(Compared(change("4"), None, verdict) for verdict in ("undecided", "ours", "gone")),
    ]
    assert agreements(compared) == [
        Agreement("", 2, 3, wilson_estimate(2, 3)),
        Agreement("Access", 1, 1, wilson_estimate(1, 1)),
        Agreement("Hardware", 1, 2, wilson_estimate(1, 2)),
    ]
    assert agreements([]) == [Agreement("", 0, 0, wilson_estimate(0, 0))]
