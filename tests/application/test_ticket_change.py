"""One change in one ticket: what each answer of the helpdesk makes of it, and which requests go out."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, TypeVar

import anyio
import pytest

from ticketattr.application.ports import TicketUnreadable, WriteResult
from ticketattr.application.ticket_change import ChangeMaker, Ended
from ticketattr.domain.ticket import Attribution
from ticketattr.domain.write_back import Change, ChangeMode, ChangeState, Pair, PlannedChange, TicketNow, note_text
from ticketattr.errors import ServiceError

from ..fakes import LAPTOP, MIDNIGHT, PASSWORD, STOLEN, FakeChangeLedger, ticking_clock

T = TypeVar("T")
DESK = "https://desk.example.com"
EMPTY: Pair = ("", "")
OURS = PASSWORD.pair
DONE, REFUSED = WriteResult("done", "200"), WriteResult("refused", "422")
STALE, UNKNOWN = WriteResult("stale", "412"), WriteResult("unknown", "no answer")
NOTED = WriteResult("done", "201")
DOWN = ServiceError("the helpdesk is down")
UNREADABLE = TicketUnreadable("500")
FOUND = Attribution(PASSWORD, "model", 0.95, evidence="my password", alternatives=(LAPTOP,))


@dataclass
class ScriptedDesk:
    """Answers as scripted, and keeps the requests. The last answer of a kind repeats; without a script, it is done.

    A pair in `reads` is an open ticket that has it; None is a ticket that no longer exists.
    """

    reads: Sequence[Pair | TicketNow | Exception | None]
    fills: Sequence[WriteResult | Exception] = field(default_factory=lambda: [DONE])
    backs: Sequence[WriteResult | Exception] = field(default_factory=lambda: [DONE])
    notes: Sequence[WriteResult | Exception] = field(default_factory=lambda: [NOTED])
    has: Sequence[bool] = field(default_factory=lambda: [False])
    can_note: bool = True
    can_fill: bool = True
    requests_per_minute: int | None = None
    asked: list[tuple[object, ...]] = field(default_factory=list)

    async def __aenter__(self) -> ScriptedDesk:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def requests_of(self, mode: ChangeMode) -> int:
        return 1

    async def read(self, ticket_id: str) -> TicketNow | None:
        now = self._next(self.reads, "read", ticket_id)
        return TicketNow(ticket_id, now) if isinstance(now, tuple) else now

    async def fill(self, now: TicketNow, pair: Pair) -> WriteResult:
        return self._next(self.fills, "fill", now.pair, pair)

    async def put_back(self, now: TicketNow, pair: Pair) -> WriteResult:
        return self._next(self.backs, "put back", now.pair, pair)

    async def add_note(self, now: TicketNow, text: str) -> WriteResult:
        return self._next(self.notes, "note", now.pair, text)

    async def has_note(self, now: TicketNow, marker: str) -> bool:
        return self._next(self.has, "look", now.pair, marker)

    def _next(self, answers: Sequence[T | Exception], *asked: object) -> T:
        before = sum(kind == asked[0] for kind, *_ in self.asked)
        self.asked.append(asked)
        answer = answers[min(before, len(answers) - 1)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def requests(self) -> str:
        """The kinds of the requests, in their order."""
        return ", ".join(str(kind) for kind, *_ in self.asked)


def maker(desk: ScriptedDesk, ledger: FakeChangeLedger) -> ChangeMaker:
    return ChangeMaker(desk, ledger, ticking_clock(), DESK)


def done(work: Coroutine[Any, Any, T]) -> T:
    async def wait() -> T:
        return await work

    return anyio.run(wait)


def second(number: int) -> datetime:
    return MIDNIGHT + timedelta(seconds=number)


def planned(mode: ChangeMode = "fill", before: Pair = EMPTY) -> PlannedChange:
    return PlannedChange("T-1", mode, FOUND, before)


def change(state: ChangeState, detail: str, *, mode: ChangeMode = "fill", before: Pair = EMPTY) -> Change:
    """The change of `planned`, as it is at its end."""
    return Change(
        *(DESK, "run", "T-1", mode, before, OURS, state),
        started=second(1),
        changed=second(2),
        confidence=0.95,
        source="model",
        marker=planned(mode).marker,
        detail=detail,
        number=1,
    )


SET = "read, fill, read"
WITH_NOTE = f"{SET}, look, note"
PART: Pair = ("Access", "")
PERSON = LAPTOP.pair
SAID = "a person set Hardware / Laptop Repair"
STALE_FILL = [STALE, DONE]


@pytest.mark.parametrize(
    ("desk", "state", "detail", "requests", "stop"),
    [
        (ScriptedDesk([EMPTY, OURS]), "applied", "200", WITH_NOTE, None),
        (ScriptedDesk([EMPTY, OURS], can_note=False), "applied", "200", SET, None),
        (ScriptedDesk([EMPTY, OURS], has=[True]), "applied", "200", f"{SET}, look", None),
        (ScriptedDesk([EMPTY, OURS], [UNKNOWN]), "applied", "no answer", WITH_NOTE, None),
        # The fields are set, and the note is not certain.
        (ScriptedDesk([EMPTY, OURS], notes=[REFUSED]), "applied", "200; without a note: 422", WITH_NOTE, None),
        (ScriptedDesk([EMPTY, OURS], notes=[STALE]), "applied", "200; without a note: 412", WITH_NOTE, None),
        (
            ScriptedDesk([EMPTY, OURS], notes=[UNKNOWN]),
            *("in_doubt", "the fields are set, the note is in doubt: no answer", f"{WITH_NOTE}, read, look", None),
        ),
        (
            ScriptedDesk([EMPTY, OURS], notes=[UNKNOWN], has=[False, True]),
            *("applied", "200", f"{WITH_NOTE}, read, look", None),
        ),
        (
            ScriptedDesk([EMPTY, OURS, None], notes=[UNKNOWN], has=[False, True]),
            *("in_doubt", "the fields are set, the note is in doubt: no answer", f"{WITH_NOTE}, read", None),
        ),
        (
            ScriptedDesk([EMPTY, OURS], notes=[DOWN]),
            *("in_doubt", "the fields are set, the note is not: the helpdesk is down", WITH_NOTE, DOWN),
        ),
        # Nothing was written.
        (ScriptedDesk([None]), "refused", "the ticket no longer exists", "read", None),
        (ScriptedDesk([UNREADABLE]), "refused", "500", "read", None),
        (ScriptedDesk([EMPTY], [REFUSED]), "refused", "422", "read, fill", None),
        (ScriptedDesk([EMPTY], [DOWN]), "refused", "the helpdesk is down", "read, fill", DOWN),
        (ScriptedDesk([EMPTY]), "refused", "it took the request and set nothing: 200", SET, None),
        # Nobody knows.
        (ScriptedDesk([EMPTY], [UNKNOWN]), "in_doubt", "no answer", SET, None),
        (ScriptedDesk([EMPTY, DOWN]), "in_doubt", "200; not read back", SET, DOWN),
        (ScriptedDesk([EMPTY, UNREADABLE]), "in_doubt", "200; not read back: 500", SET, None),
        (ScriptedDesk([EMPTY, None]), "in_doubt", "200; not read back: the ticket no longer exists", SET, None),
        # The helpdesk kept a part.
        (
            ScriptedDesk([EMPTY, PART]),
            *("refused", "it kept only Access / -, which was put back", f"{SET}, put back", None),
        ),
        (
            ScriptedDesk([EMPTY, ("Access", "Pass")]),
            *("refused", "it kept only Access / Pass, which was put back", f"{SET}, put back", None),
        ),
        (
            ScriptedDesk([EMPTY, PART], backs=[REFUSED]),
            *("refused", "it kept only Access / -, which was left so: 422", f"{SET}, put back", None),
        ),
        (
            ScriptedDesk([EMPTY, PART], backs=[DOWN]),
            "refused",
            "it kept only Access / -, which was left so: the helpdesk is down",
            f"{SET}, put back",
            DOWN,
        ),
        # A person was faster.
        (ScriptedDesk([EMPTY, PERSON]), "conflict", SAID, SET, None),
        (ScriptedDesk([EMPTY, ("Access", "Reset")]), "conflict", "a person set Access / Reset", SET, None),
        (ScriptedDesk([OURS]), "kept", "the ticket has this pair already", "read", None),
        (ScriptedDesk([PERSON]), "kept", SAID, "read", None),
        (ScriptedDesk([TicketNow("T-1", EMPTY, is_open=False)]), "kept", "the ticket is closed", "read", None),
        # The ticket changed after it was read.
        (ScriptedDesk([EMPTY, EMPTY, OURS], STALE_FILL), "applied", "200", f"read, fill, {WITH_NOTE}", None),
        (
            ScriptedDesk([EMPTY], [STALE]),
            *("conflict", "changed between reading and writing", "read, fill, read, fill, read, fill", None),
        ),
        (ScriptedDesk([EMPTY, PART], STALE_FILL), "conflict", "changed between reading and writing", SET, None),
        (ScriptedDesk([EMPTY, PERSON], STALE_FILL), "conflict", SAID, SET, None),
        (ScriptedDesk([EMPTY, OURS], STALE_FILL), "kept", "the ticket has this pair already", SET, None),
        (ScriptedDesk([EMPTY, None], STALE_FILL), "refused", "the ticket no longer exists", SET, None),
    ],
)
def test_filling_ends_as_the_helpdesk_answers(
    desk: ScriptedDesk, state: ChangeState, detail: str, requests: str, stop: ServiceError | None
) -> None:
    ledger, first = FakeChangeLedger(), desk.reads[0]
    ended = done(maker(desk, ledger).apply(planned(), "run"))
    before = first if isinstance(first, tuple) else EMPTY
    assert ended == Ended(change(state, detail, before=before), stop)
    assert desk.requests == requests
    assert ledger.changes() == [ended.change]
    # A change that sends a request is in the ledger before.
    assert ledger.states == (["applying", state] if "fill" in requests else [state])


@pytest.mark.parametrize(
    ("desk", "state", "detail", "requests", "stop"),
    [
        (ScriptedDesk([EMPTY]), "applied", "201", "read, look, note", None),
        (ScriptedDesk([EMPTY], has=[True]), "applied", "the note was there already", "read, look", None),
        (ScriptedDesk([EMPTY], notes=[REFUSED]), "refused", "422", "read, look, note", None),
        (ScriptedDesk([EMPTY], notes=[DOWN]), "refused", "the helpdesk is down", "read, look, note", DOWN),
        (ScriptedDesk([EMPTY], notes=[UNKNOWN]), "in_doubt", "no answer", "read, look, note, read, look", None),
        (
            ScriptedDesk([EMPTY], notes=[UNKNOWN], has=[False, True]),
            *("applied", "no answer", "read, look, note, read, look", None),
        ),
        (ScriptedDesk([EMPTY], notes=[STALE, NOTED]), "applied", "201", "read, look, note, read, look, note", None),
    ],
)
def test_a_suggestion_ends_as_the_helpdesk_answers(
    desk: ScriptedDesk, state: ChangeState, detail: str, requests: str, stop: ServiceError | None
) -> None:
    ledger = FakeChangeLedger()
    ended = done(maker(desk, ledger).apply(planned("suggest"), "run"))
    assert ended == Ended(change(state, detail, mode="suggest"), stop)
    assert (desk.requests, ledger.changes(), ledger.states) == (requests, [ended.change], ["applying", state])


def test_a_ticket_that_cannot_be_read_is_in_the_ledger_with_what_it_had_when_it_was_fetched() -> None:
    ended = done(maker(ScriptedDesk([UNREADABLE]), FakeChangeLedger()).apply(planned(before=PART), "run"))
    assert ended == Ended(change("refused", "500", before=PART))


def test_the_requests_of_a_change_say_what_is_set_and_why() -> None:
    desk = ScriptedDesk([PART, OURS])
    ended = done(maker(desk, FakeChangeLedger()).apply(planned(), "run"))
    marker = planned().marker
    assert desk.asked == [
        ("read", "T-1"),
        ("fill", PART, ("", "Password Reset")),  # the other field has this value already
        ("read", "T-1"),
        ("look", OURS, marker),
        ("note", OURS, note_text(ended.change, FOUND)),
    ]


def test_what_the_helpdesk_kept_in_part_is_put_back_to_what_the_ticket_had() -> None:
    desk = ScriptedDesk([PART, ("Access", "Password")])
    done(maker(desk, FakeChangeLedger()).apply(planned(), "run"))
    assert desk.asked[-1] == ("put back", ("Access", "Password"), PART)


def left_open(state: ChangeState = "applying", mode: ChangeMode = "fill", age: float = 3600) -> Change:
    """A change that an earlier process left in this state, so many seconds before the first tick of the clock."""
    at = second(1) - timedelta(seconds=age)
    return replace(change(state, "no answer", mode=mode), started=at, changed=at, number=0)


NOT_WRITTEN = "not written before the process ended"
IN_TICKET = "found in the ticket"


@pytest.mark.parametrize(
    ("mode", "desk", "state", "detail", "requests", "stop"),
    [
        ("fill", ScriptedDesk([OURS]), "applied", IN_TICKET, "read, look, note", None),
        ("fill", ScriptedDesk([OURS], has=[True]), "applied", IN_TICKET, "read, look", None),
        (
            *("fill", ScriptedDesk([OURS], notes=[REFUSED])),
            *("applied", f"{IN_TICKET}; without a note: 422", "read, look, note", None),
        ),
        ("fill", ScriptedDesk([EMPTY]), "refused", NOT_WRITTEN, "read", None),
        ("fill", ScriptedDesk([PERSON]), "conflict", SAID, "read", None),
        ("fill", ScriptedDesk([None]), "refused", "the ticket no longer exists", "read", None),
        ("fill", ScriptedDesk([UNREADABLE]), "in_doubt", "500", "read", None),
        ("undo", ScriptedDesk([OURS]), "applied", IN_TICKET, "read", None),
        ("undo", ScriptedDesk([EMPTY]), "refused", NOT_WRITTEN, "read", None),
        ("suggest", ScriptedDesk([EMPTY], has=[True]), "applied", IN_TICKET, "read, look", None),
        ("suggest", ScriptedDesk([PERSON]), "refused", NOT_WRITTEN, "read, look", None),
    ],
)
def test_a_change_whose_process_died_is_settled_by_reading_the_ticket(
    mode: ChangeMode, desk: ScriptedDesk, state: ChangeState, detail: str, requests: str, stop: ServiceError | None
) -> None:
    ledger = FakeChangeLedger()
    opened = ledger.add(left_open(mode=mode))
    ended = done(maker(desk, ledger).settle(opened))
    assert ended == Ended(replace(opened, state=state, detail=detail, changed=second(1)), stop)
    assert (desk.requests, ledger.changes()) == (requests, [ended.change])
    assert {asked[1] for asked in desk.asked if asked[0] == "read"} == {"T-1"}


def test_a_suggestion_quotes_what_it_was_decided_by() -> None:
    desk = ScriptedDesk([EMPTY])
    ended = done(maker(desk, FakeChangeLedger()).apply(planned("suggest"), "run"))
    assert desk.asked[-1] == ("note", EMPTY, note_text(ended.change, FOUND))


def test_a_change_whose_process_dies_is_in_the_ledger_as_it_was_begun() -> None:
    class Dying(FakeChangeLedger):
        def record(self, change: Change, state: ChangeState, detail: str, at: datetime) -> Change:
            raise KeyboardInterrupt

    ledger = Dying()
    with pytest.raises(KeyboardInterrupt):
        done(maker(ScriptedDesk([EMPTY, OURS], can_note=False), ledger).apply(planned(), "run"))
    (begun,) = ledger.changes()
    assert begun == replace(change("applying", ""), changed=second(1))
    with pytest.raises(KeyboardInterrupt):
        done(maker(ScriptedDesk([OURS, EMPTY]), ledger).put_back(replace(begun, detail="200")))
    (_, undoing) = ledger.changes()
    assert undoing == replace(begun, mode="undo", before=OURS, after=EMPTY, undoes=1, number=2, marker="")


def test_a_note_after_a_crash_has_no_quote_because_nobody_has_the_text_any_more() -> None:
    ledger, desk = FakeChangeLedger(), ScriptedDesk([OURS])
    opened = ledger.add(left_open())
    done(maker(desk, ledger).settle(opened))
    assert desk.asked[-1] == ("note", OURS, note_text(opened))


@pytest.mark.parametrize(
    ("state", "age", "settled"),
    [("in_doubt", 298, False), ("in_doubt", 299, False), ("in_doubt", 300, True), ("applying", 0, True)],
)
def test_a_request_without_an_answer_may_still_take_effect_for_five_minutes(
    state: ChangeState, age: float, settled: bool
) -> None:
    ledger = FakeChangeLedger()
    opened = ledger.add(left_open(state, age=age))
    ended = done(maker(ScriptedDesk([EMPTY]), ledger).settle(opened))
    refused = replace(opened, state="refused", detail=NOT_WRITTEN, changed=second(2 if state == "in_doubt" else 1))
    assert ended == Ended(refused if settled else opened)


SINCE = "somebody changed it since: Hardware / Stolen Device"


@pytest.mark.parametrize(
    ("desk", "state", "detail", "requests", "stop"),
    [
        (ScriptedDesk([OURS, PART]), "applied", "200", "read, put back, read", None),
        (ScriptedDesk([OURS, PART], backs=[UNKNOWN]), "applied", "no answer", "read, put back, read", None),
        (ScriptedDesk([OURS], backs=[UNKNOWN]), "in_doubt", "no answer", "read, put back, read", None),
        (ScriptedDesk([OURS, PERSON]), "conflict", SAID, "read, put back, read", None),
        (ScriptedDesk([OURS], backs=[STALE]), "conflict", "412", "read, put back", None),
        (ScriptedDesk([OURS], backs=[REFUSED]), "refused", "422", "read, put back", None),
        (ScriptedDesk([OURS], backs=[DOWN]), "refused", "the helpdesk is down", "read, put back", DOWN),
        (ScriptedDesk([STOLEN.pair]), "kept", SINCE, "read", None),
        (ScriptedDesk([None]), "refused", "the ticket no longer exists", "read", None),
        (ScriptedDesk([UNREADABLE]), "refused", "500", "read", None),
    ],
)
def test_putting_back_is_a_change_of_its_own_that_names_the_one_it_undoes(
    desk: ScriptedDesk, state: ChangeState, detail: str, requests: str, stop: ServiceError | None
) -> None:
    ledger = FakeChangeLedger()
    made = ledger.add(replace(change("applied", "200", before=PART), started=second(-9), changed=second(-8)))
    ledger.states.clear()
    ended = done(maker(desk, ledger).put_back(made))
    undoing = Change(
        *(DESK, "run", "T-1", "undo", OURS, PART, state),
        started=second(1),
        changed=second(2),
        confidence=0.95,
        source="model",
        undoes=1,
        detail=detail,
        number=2,
    )
    assert ended == Ended(undoing, stop)
    assert (desk.requests, ledger.changes()) == (requests, [made, undoing])
    assert ledger.states == (["applying", state] if "put back" in requests else [state])
    assert all(asked[1:] == (OURS, PART) for asked in desk.asked if asked[0] == "put back")
