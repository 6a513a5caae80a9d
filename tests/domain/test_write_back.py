"""Which changes are due in the helpdesk, and what stays as a person left it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ticketattr.domain.catalog import RequestType
from ticketattr.domain.ticket import AttributedTicket, Attribution, Outcome, Source, Ticket, Unattributed
from ticketattr.domain.write_back import (
    ApplyAbove,
    Change,
    ChangeMode,
    ChangeState,
    Kept,
    Pair,
    PlannedChange,
    Skipped,
    TicketNow,
    all_undoable,
    count_changes,
    effects_of,
    is_same,
    marker_of,
    note_text,
    plan_changes,
    shown_pair,
    still_due,
    undoable,
)

from ..fakes import CATALOG, GENERAL, LAPTOP, MIDNIGHT, PASSWORD, STOLEN

EMPTY: Pair = ("", "")
RUN = "20261123T000000Z-aaaa"


def attributed(
    has: Pair = EMPTY,
    *,
    outcome: Outcome | None = None,
    source: Source = "model",
    confidence: float | None = 0.95,
    ticket_id: str = "1",
) -> AttributedTicket:
    ticket = Ticket(ticket_id, "Screen is broken", request_category=has[0], request_type=has[1])
    return AttributedTicket(ticket, outcome or Attribution(LAPTOP, source, confidence))


def change(
    mode: ChangeMode = "fill",
    state: ChangeState = "applied",
    after: Pair = LAPTOP.pair,
    before: Pair = EMPTY,
    *,
    number: int = 1,
    undoes: int = 0,
    detail: str = "",
    ticket_id: str = "1",
    run_id: str = RUN,
) -> Change:
    return Change(
        helpdesk="https://desk.example.com",
        run_id=run_id,
        ticket_id=ticket_id,
        mode=mode,
        before=before,
        after=after,
        state=state,
        started=MIDNIGHT,
        changed=MIDNIGHT,
        number=number,
        undoes=undoes,
        detail=detail,
    )


def decided(
    ticket: AttributedTicket,
    mode: ChangeMode = "fill",
    history: Sequence[Change] = (),
    above: ApplyAbove | None = None,
) -> PlannedChange | str:
    """The change that is due for one ticket, or why none is."""
    plan = plan_changes([ticket], CATALOG, mode, above or ApplyAbove(), history)
    if plan.changes:
        assert plan.skipped == ()
        return plan.changes[0]
    assert plan.skipped == (Skipped(1, ticket.ticket.id, plan.skipped[0].reason),)
    return plan.skipped[0].reason


def is_due(ticket: AttributedTicket, mode: ChangeMode = "fill", history: Sequence[Change] = ()) -> bool:
    return isinstance(decided(ticket, mode, history), PlannedChange)


def test_an_empty_pair_is_filled_with_what_was_attributed() -> None:
    ticket = attributed()
    found = decided(ticket)
    assert found == PlannedChange("1", "fill", Attribution(LAPTOP, "model", 0.95), EMPTY, None)
    assert isinstance(found, PlannedChange)
    assert found.after == LAPTOP.pair
    assert found.marker == marker_of("1", "fill", LAPTOP.pair)


@pytest.mark.parametrize(
    ("has", "due"),
    [
        (("", ""), True),
        ((" ", "\t"), True),
        (("Hardware", ""), True),
        ((" hardware ", ""), True),
        (("", "LAPTOP  REPAIR"), True),
        (("Other", ""), False),
        (("", "Stolen Device"), False),
        (("Hardware", "Stolen Device"), False),
    ],
)
def test_only_empty_or_equal_fields_are_filled(has: Pair, due: bool) -> None:
    assert decided(attributed(has)) == (
        PlannedChange("1", "fill", Attribution(LAPTOP, "model", 0.95), has) if due else "kept_by_person"
    )


@pytest.mark.parametrize("has", [LAPTOP.pair, ("HARDWARE", " laptop  repair ")])
def test_a_ticket_that_has_the_pair_is_left_alone(has: Pair) -> None:
    assert decided(attributed(has)) == "already_set"
    assert decided(attributed(has, confidence=0.1)) == "already_set"


def test_what_the_helpdesk_had_itself_is_left_alone() -> None:
    assert decided(attributed(("Old", "Names"), source="kept")) == "already_set"


def test_what_has_no_request_type_of_the_catalog_is_left_alone() -> None:
    gone = RequestType("Hardware", "Fax Repair", LAPTOP.sla)
    assert decided(attributed(outcome=Unattributed("no_match"))) == "no_request_type"
    assert decided(attributed(outcome=Attribution(gone, "model", 1.0))) == "not_in_catalog"


@pytest.mark.parametrize(
    ("confidence", "mode", "source", "due"),
    [
        (0.9, "fill", "model", True),
        (0.899, "fill", "model", False),
        (None, "fill", "model", False),
        (0.899, "shadow", "model", False),
        (0.1, "suggest", "model", True),
        (None, "suggest", "offline", True),
        (None, "fill", "corrected", True),
        (0.1, "fill", "confirmed", True),
        (0.1, "fill", "cached", False),
    ],
)
def test_a_change_needs_confidence_unless_a_person_decided_or_it_is_a_suggestion(
    confidence: float | None, mode: ChangeMode, source: Source, due: bool
) -> None:
    found = decided(attributed(confidence=confidence, source=source), mode)
    assert isinstance(found, PlannedChange) if due else found == "below_threshold"


def test_a_category_may_have_a_threshold_of_its_own() -> None:
    above = ApplyAbove(0.99, {"hardware": 0.5})
    assert above.of(LAPTOP) == 0.5
    assert above.of(PASSWORD) == 0.99
    assert isinstance(decided(attributed(confidence=0.6), above=above), PlannedChange)


@pytest.mark.parametrize("state", ["applying", "in_doubt"])
@pytest.mark.parametrize("mode", ["fill", "suggest", "shadow"])
def test_nothing_is_due_before_an_earlier_change_is_settled(mode: ChangeMode, state: ChangeState) -> None:
    assert decided(attributed(), mode, [change("suggest", state)]) == "unsettled"


def test_what_was_done_before_is_not_done_again() -> None:
    for mode in ("fill", "suggest", "shadow"):
        assert decided(attributed(), mode, [change(mode)]) == "done_before"
        assert is_due(attributed(), mode, [change(mode, after=STOLEN.pair)])
        assert is_due(attributed(), mode, [change(mode, "refused")])
    assert is_due(attributed(), "fill", [change("suggest"), change("shadow")])
    assert is_due(attributed(), "suggest", [change("fill"), change("shadow")])


def test_what_a_person_put_back_is_not_written_again_unless_it_is_another_pair() -> None:
    undone = [change(), change("undo", after=EMPTY, before=LAPTOP.pair, number=2, undoes=1)]
    assert decided(attributed(), "fill", undone) == "undone"
    assert is_due(attributed(outcome=Attribution(STOLEN, "model", 1.0)), "fill", undone)
    assert is_due(attributed(), "suggest", undone)
    assert decided(attributed(), "fill", [*undone, change(number=3)]) == "done_before"


def test_the_correction_of_a_person_replaces_only_what_a_run_wrote() -> None:
    corrected = attributed(STOLEN.pair, source="corrected")
    ours = change(after=STOLEN.pair)
    assert decided(corrected, history=[ours]) == PlannedChange(
        "1", "fill", Attribution(LAPTOP, "corrected", 0.95), STOLEN.pair, STOLEN.pair
    )
    assert decided(corrected) == "kept_by_person"
    assert decided(corrected, history=[change(after=GENERAL.pair)]) == "kept_by_person"
    assert decided(corrected, history=[change("suggest", after=STOLEN.pair)]) == "kept_by_person"
    undone = change("undo", after=STOLEN.pair, before=GENERAL.pair, number=2)
    assert decided(corrected, history=[ours, undone]) == "kept_by_person"
    assert decided(attributed(STOLEN.pair), history=[ours]) == "kept_by_person"


def test_a_ticket_without_an_id_of_its_own_is_left_alone_and_named_by_its_place() -> None:
    tickets = [
        attributed(ticket_id="7"),
        attributed(ticket_id=""),
        attributed(ticket_id="8"),
        attributed(ticket_id="7"),
    ]
    plan = plan_changes(tickets, CATALOG, "fill", ApplyAbove(), [change(ticket_id="7")])
    assert [planned.ticket_id for planned in plan.changes] == ["8"]
    assert plan.skipped == (
        Skipped(1, "7", "no_unique_id"),
        Skipped(2, "", "no_unique_id"),
        Skipped(4, "7", "no_unique_id"),
    )


PLANNED = PlannedChange("1", "fill", Attribution(LAPTOP, "model", 0.95), EMPTY)


@pytest.mark.parametrize(
    ("planned", "now", "due"),
    [
        (PLANNED, TicketNow("1", LAPTOP.pair), None),
        (PLANNED, TicketNow("1", ("hardware", "laptop repair"), is_open=False), None),
        (PLANNED, TicketNow("1", EMPTY, is_open=False), Kept("the ticket is closed")),
        (PLANNED, TicketNow("1", EMPTY), LAPTOP.pair),
        (PLANNED, TicketNow("1", ("Hardware", "")), ("", "Laptop Repair")),
        (PLANNED, TicketNow("1", ("", "Laptop Repair")), ("Hardware", "")),
        (PLANNED, TicketNow("1", ("Other", "")), Kept("a person set Other / -")),
        (replace(PLANNED, mode="suggest"), TicketNow("1", ("Hardware", "")), LAPTOP.pair),
        (replace(PLANNED, mode="suggest"), TicketNow("1", STOLEN.pair), Kept("a person set Hardware / Stolen Device")),
        (replace(PLANNED, ours=STOLEN.pair), TicketNow("1", ("HARDWARE", "stolen device")), LAPTOP.pair),
        (
            replace(PLANNED, ours=STOLEN.pair),
            TicketNow("1", GENERAL.pair),
            Kept("a person set Other / General Inquiry"),
        ),
    ],
)
def test_what_is_still_due_depends_on_the_ticket_at_this_moment(
    planned: PlannedChange, now: TicketNow, due: Pair | Kept | None
) -> None:
    assert still_due(planned, now) == due


def test_pairs_are_compared_without_case_and_white_space_and_shown_with_dashes() -> None:
    assert is_same(("A ", "b"), ("a", " B"))
    assert not is_same(("a", "b"), ("a", "c"))
    assert not is_same(("a", "b"), ("c", "b"))
    assert (shown_pair(("A", "")), shown_pair(("", "B"))) == ("A / -", "- / B")


def test_a_marker_stands_for_ticket_mode_and_pair() -> None:
    marker = marker_of("1", "fill", LAPTOP.pair)
    assert marker.startswith("[ticketattr:")
    assert marker.endswith("]")
    assert len(marker) == len("[ticketattr:]") + 20
    others = {
        marker_of("2", "fill", LAPTOP.pair),
        marker_of("1", "suggest", LAPTOP.pair),
        marker_of("1", "fill", EMPTY),
    }
    assert len({marker, *others}) == 4


def test_a_note_says_what_was_set_how_sure_who_decided_and_why() -> None:
    noted = replace(change(), confidence=0.956, source="model", marker="[ticketattr:abc]")
    attribution = Attribution(
        LAPTOP, "model", 0.956, "the screen \x1b[31mis broken " + 300 * "x", (STOLEN, GENERAL, PASSWORD, LAPTOP)
    )
    text = note_text(noted, attribution)
    assert text.splitlines() == [
        "ticketattr set the request type Hardware / Laptop Repair.",
        "Confidence: 0.96",
        "Decided by: the model",
        text.splitlines()[3],
        "Next best: Hardware / Stolen Device; Other / General Inquiry; Access / Password Reset",
        f"Run {RUN} [ticketattr:abc]",
    ]
    quote = text.splitlines()[3]
    assert quote.startswith("Because of: the screen")
    assert "\x1b" not in quote
    assert quote.endswith("… [cut]")
    assert 300 <= len(quote) - len("Because of: ") <= 310


@pytest.mark.parametrize(
    ("mode", "source", "first", "decided_by"),
    [
        (
            "suggest",
            "offline",
            "ticketattr suggests the request type Hardware / Laptop Repair.",
            "the embedded classifier",
        ),
        ("fill", "corrected", "ticketattr set the request type Hardware / Laptop Repair.", "a person, in a report"),
        (
            "fill",
            "cached",
            "ticketattr set the request type Hardware / Laptop Repair.",
            "the classifier, in an earlier run",
        ),
        ("fill", "another", "ticketattr set the request type Hardware / Laptop Repair.", "another"),
    ],
)
def test_a_note_after_a_crash_says_what_the_ledger_knows(
    mode: ChangeMode, source: str, first: str, decided_by: str
) -> None:
    noted = replace(change(mode), source=source, marker="[m]")
    assert note_text(noted) == f"{first}\nDecided by: {decided_by}\nRun {RUN} [m]"
    assert note_text(noted, Attribution(LAPTOP, "model")) == note_text(noted)


def test_the_report_tells_what_the_last_change_of_a_ticket_came_to() -> None:
    changes = [
        change(ticket_id="filled"),
        change("suggest", ticket_id="suggested"),
        change(state="kept", detail="a person set A / B", ticket_id="kept"),
        change(state="conflict", detail="changed meanwhile", ticket_id="conflict"),
        change(state="in_doubt", detail="no answer", ticket_id="doubt"),
        change(state="refused", detail="no such type", ticket_id="refused"),
        change("shadow", ticket_id="shadow"),
        change(ticket_id="put back"),
        change("undo", after=EMPTY, ticket_id="put back"),
        change(ticket_id="not put back"),
        change("undo", "refused", after=EMPTY, ticket_id="not put back"),
        change(state="refused", detail="first", ticket_id="twice"),
        change(ticket_id="twice"),
    ]
    skipped = [Skipped(1, "before", "kept_by_person"), Skipped(2, "sure", "below_threshold")]
    shown = "Hardware / Laptop Repair"
    assert effects_of(changes, skipped) == {
        "before": ("kept_by_person", "a person had set another value"),
        "filled": ("written", shown),
        "suggested": ("suggested", shown),
        "kept": ("kept_by_person", "a person set A / B"),
        "conflict": ("conflict", "changed meanwhile"),
        "doubt": ("not_written", "in doubt: no answer"),
        "refused": ("not_written", "refused: no such type"),
        "not put back": ("written", shown),
        "twice": ("written", shown),
    }


def test_what_set_fields_and_is_not_put_back_can_be_undone() -> None:
    ledger = [
        change(number=1),
        change(number=2, run_id="another"),
        change("suggest", number=3),
        change(state="kept", number=4),
        change(number=5),
        change("undo", number=6, undoes=5),
        change("undo", "refused", number=7, undoes=1),
    ]
    assert [one.number for one in undoable(ledger, RUN)] == [1]
    assert [one.number for one in all_undoable(ledger)] == [1, 2]


def test_changes_are_counted_by_mode_and_state() -> None:
    assert count_changes([change(), change(), change("suggest", "refused")]) == {
        "fill applied": 2,
        "suggest refused": 1,
    }
