"""Comparing what `fill` would have set with what people chose meanwhile."""

from __future__ import annotations

import pytest

from ticketattr.application.apply import WriteBack
from ticketattr.application.ports import TicketUnreadable
from ticketattr.application.shadow import ShadowComparison, compare_shadow
from ticketattr.domain.shadow import Compared
from ticketattr.domain.write_back import Change, ChangeMode, ChangeState, TicketNow
from ticketattr.errors import ServiceError, SettingsError

from ..fakes import LAPTOP, MIDNIGHT, PASSWORD, FakeChangeLedger, ticking_clock
from .test_ticket_change import ScriptedDesk

DESK = "https://desk.example.com"


def write_back(desk: ScriptedDesk | None) -> WriteBack:
    return WriteBack(desk, FakeChangeLedger(), ticking_clock(), "shadow", DESK)


def recorded(back: WriteBack, ticket: str, mode: ChangeMode = "shadow", state: ChangeState = "applied") -> Change:
    change = Change(DESK, "run", ticket, mode, ("", ""), PASSWORD.pair, state, MIDNIGHT, MIDNIGHT)
    return back.ledger.add(change)


def test_each_ticket_is_read_once_and_compared_with_what_was_recorded_last() -> None:
    pairs = [PASSWORD.pair, LAPTOP.pair, ("", ""), PASSWORD.pair, PASSWORD.pair]
    back = write_back(ScriptedDesk([*pairs, None, TicketUnreadable("500")]))
    recorded(back, "1")
    shadows = [recorded(back, str(number)) for number in range(1, 8)]
    recorded(back, "4", "fill")
    recorded(back, "5", "fill", "refused")  # it set nothing, so a person did
    steps: list[tuple[int, int | None]] = []
    compared = compare_shadow(back, lambda done, total: steps.append((done, total)))
    now = [TicketNow(str(number), pair) for number, pair in enumerate(pairs, start=1)]
    verdicts = ("agrees", "differs", "undecided", "ours", "agrees", "gone", "gone")
    assert compared == ShadowComparison(
        tuple(
            Compared(change, ticket, verdict)  # type: ignore[arg-type]
            for change, ticket, verdict in zip(shadows, [*now, None, None], verdicts, strict=True)
        )
    )
    assert steps == [(number, 7) for number in range(7)]


def test_an_error_about_all_tickets_ends_the_comparison_and_is_in_the_result() -> None:
    down = ServiceError("the helpdesk is down")
    back = write_back(ScriptedDesk([PASSWORD.pair, down]))
    first, *_ = [recorded(back, str(number)) for number in range(3)]
    compared = (Compared(first, TicketNow("0", PASSWORD.pair), "agrees"),)
    assert compare_shadow(back, lambda done, total: None) == ShadowComparison(compared, 2, down)


def test_a_helpdesk_that_cannot_be_read_ticket_by_ticket_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError) as caught:
        compare_shadow(write_back(None), lambda done, total: None)
    assert str(caught.value) == (
        "the helpdesk cannot be read or written ticket by ticket: its profile does not say how"
    )
    assert caught.value.hint == "Choose a profile with `update` (docs/how-to/write-back.md)."
