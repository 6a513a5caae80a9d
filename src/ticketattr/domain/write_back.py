"""Writing attributions back into the helpdesk: which changes are due, and what stays as a person left it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from .catalog import RequestType, ServiceCatalog, fold
from .digest import digest
from .sanitizing import sanitize, truncate
from .ticket import AttributedTicket, Attribution, Source

WriteMode = Literal["off", "shadow", "suggest", "fill"]
"""`fill` sets empty fields, `suggest` adds an internal note, `shadow` only records what `fill` would set."""

ChangeMode = Literal["shadow", "suggest", "fill", "undo"]
"""What a change did: one of the modes, or putting back what a run had set."""

ChangeState = Literal["applying", "applied", "kept", "conflict", "refused", "in_doubt"]
"""Where a change stands. In the mode `shadow`, it is what `fill` would have come to without asking the helpdesk.

`applying`: a request may be on its way. `kept`: a person had decided before. `conflict`: a person decided between
reading and writing, or right after. `refused`: nothing changed. `in_doubt`: nobody knows, until the ticket is read.
"""

OPEN_STATES: tuple[ChangeState, ...] = ("applying", "in_doubt")
"""The states that only reading the ticket can settle."""

Pair: TypeAlias = tuple[str, str]
"""A category and a request type; an empty text is an empty field."""

FIELDS = ("request_category", "request_type")
"""The fields that a change can set, in the order of a `Pair`."""

MARK = "[ticketattr:"
"""How every marker begins."""

APPLY_ABOVE = 0.9
"""The confidence from which on a change is made, unless a setting says otherwise."""

SkipReason = Literal[
    "no_unique_id",  # the helpdesk cannot tell which ticket is meant
    "no_request_type",  # nothing was attributed
    "not_in_catalog",  # the catalog no longer has the pair
    "already_set",  # the ticket has this pair
    "kept_by_person",  # the ticket has another value
    "below_threshold",  # the confidence is too low, or unknown
    "done_before",  # an earlier change did it; what a person did afterwards stays
    "undone",  # an earlier change was put back
    "unsettled",  # nobody knows yet what became of an earlier change
]

SKIP_REASONS: Mapping[SkipReason, str] = {
    "no_unique_id": "no unique id",
    "no_request_type": "no request type",
    "not_in_catalog": "not in the current catalog",
    "already_set": "already set",
    "kept_by_person": "kept: a person set another value",
    "below_threshold": "confidence below APPLY_ABOVE",
    "done_before": "written or suggested before",
    "undone": "undone before",
    "unsettled": "an earlier change is in doubt",
}
"""Why a ticket is left as it is, in words."""

_BY_PERSON: tuple[Source, ...] = ("corrected", "confirmed")
_LONGEST_QUOTE = 300
_DECIDED_BY: Mapping[Source, str] = {
    "kept": "the helpdesk",
    "corrected": "a person, in a report",
    "confirmed": "a person, in a report",
    "cached": "the classifier, in an earlier run",
    "model": "the model",
    "offline": "the embedded classifier",
}


@dataclass(frozen=True, slots=True)
class ApplyAbove:
    """The confidence (0 to 1) from which on a change is made; `by_category` has the folded names of categories."""

    default: float = APPLY_ABOVE
    by_category: Mapping[str, float] = field(default_factory=dict)

    def of(self, entry: RequestType) -> float:
        """The threshold of the category of `entry`."""
        return self.by_category.get(fold(entry.category), self.default)


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the ledger: what a run did, or tried to do, to one ticket.

    `number` counts from 1; a change that is not recorded yet has 0. `helpdesk` is its base URL, without secrets.
    `before` is what the ticket had, `after` what the change sets or suggests. `marker` stands in the note, and tells
    that this was said before. `undoes` is the number of the change that this one puts back, or 0. `detail` is the
    reason or the answer of the helpdesk, cleaned and cut. `started` and `changed` are in UTC.
    """

    helpdesk: str
    run_id: str
    ticket_id: str
    mode: ChangeMode
    before: Pair
    after: Pair
    state: ChangeState
    started: datetime
    changed: datetime
    confidence: float | None = None
    source: str = ""
    marker: str = ""
    undoes: int = 0
    detail: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A change that is due. `before` is what the ticket had when it was fetched.

    `ours` is what an earlier run wrote and the ticket still had: only such a value may be replaced.
    """

    ticket_id: str
    mode: ChangeMode
    attribution: Attribution
    before: Pair
    ours: Pair | None = None

    @property
    def after(self) -> Pair:
        """What the change sets or suggests."""
        return self.attribution.entry.pair

    @property
    def marker(self) -> str:
        """The mark in the note of this change; a later run that says the same has the same mark."""
        return marker_of(self.ticket_id, self.mode, self.after)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A ticket that is left as it is, and why. `place` is its position in the queue, from 1."""

    place: int
    ticket_id: str
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """The changes that are due and the tickets that are left alone, both in the order of the queue."""

    changes: tuple[PlannedChange, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class TicketNow:
    """A ticket as the helpdesk has it at this moment.

    `version` changes with each change of the ticket; it is empty where the helpdesk has none. `notes` are the texts in
    which a marker may stand, None if they have to be asked for. `extra` are further values that requests need.
    """

    id: str
    pair: Pair
    is_open: bool = True
    version: str = ""
    notes: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """A person decided: the ticket stays as it is."""

    detail: str


def plan_changes(
    tickets: Sequence[AttributedTicket],
    catalog: ServiceCatalog,
    mode: ChangeMode,
    above: ApplyAbove,
    history: Iterable[Change],
) -> ChangePlan:
    """Decide for each ticket whether a change is due; `tickets` come in the order of the queue.

    `history` holds the earlier changes in the same helpdesk, oldest first.
    """
    ids = Counter(attributed.ticket.id for attributed in tickets)
    earlier: dict[str, list[Change]] = {}
    for change in history:
        earlier.setdefault(change.ticket_id, []).append(change)
    changes, skipped = [], []
    for place, attributed in enumerate(tickets, start=1):
        ticket_id = attributed.ticket.id
        decided: PlannedChange | SkipReason = "no_unique_id"
        if ticket_id and ids[ticket_id] == 1:
            decided = _decide(attributed, catalog, mode, above, earlier.get(ticket_id, ()))
        if isinstance(decided, PlannedChange):
            changes.append(decided)
        else:
            skipped.append(Skipped(place, ticket_id, decided))
    return ChangePlan(tuple(changes), tuple(skipped))


def still_due(planned: PlannedChange, now: TicketNow) -> Pair | Kept | None:
    """What to write, given the ticket as it is `now`: a pair in which an empty text leaves a field as it is.

    Kept if a person decided meanwhile, None if the ticket has the pair already. A suggestion is due for the whole pair.
    """
    if is_same(now.pair, planned.after):
        return None
    if not now.is_open:
        return Kept("the ticket is closed")
    if planned.ours is not None and is_same(now.pair, planned.ours):
        return planned.after
    if not _may_fill(now.pair, planned.after):
        return Kept(f"a person set {shown_pair(now.pair)}")
    if planned.mode == "suggest":
        return planned.after
    category, request_type = ("" if has else wanted for has, wanted in zip(now.pair, planned.after, strict=True))
    return category, request_type


def is_same(one: Pair, other: Pair) -> bool:
    """Whether two pairs are equal; case and white space are ignored."""
    return [*map(fold, one)] == [*map(fold, other)]


def shown_pair(pair: Pair) -> str:
    """A pair in one text; an empty field is a dash."""
    return " / ".join(value or "-" for value in pair)


def marker_of(ticket_id: str, mode: ChangeMode, pair: Pair) -> str:
    """The mark of a note, made of everything that the note says for certain."""
    return f"{MARK}{digest((ticket_id, mode, *pair))[:20]}]"


def note_text(change: Change, attribution: Attribution | None = None) -> str:
    """The internal note about a change, which says why; its last line holds the marker.

    Without `attribution`, after a crash, the quote and the alternatives are missing.
    """
    verb = "suggests" if change.mode == "suggest" else "set"
    lines = [f"ticketattr {verb} the request type {shown_pair(change.after)}."]
    if change.confidence is not None:
        lines.append(f"Confidence: {change.confidence:.2f}")
    decided_by = {str(source): words for source, words in _DECIDED_BY.items()}.get(change.source, change.source)
    lines.append(f"Decided by: {decided_by}")
    if attribution and attribution.evidence:
        lines.append(f"Because of: {truncate(sanitize(attribution.evidence), _LONGEST_QUOTE)}")
    if attribution and attribution.alternatives:
        lines.append(f"Next best: {'; '.join(map(str, attribution.alternatives[:3]))}")
    return "\n".join([*lines, f"Run {change.run_id} {change.marker}"])


def count_changes(changes: Iterable[Change]) -> dict[str, int]:
    """The number of changes by `mode state`, such as `fill applied`."""
    return dict(Counter(f"{change.mode} {change.state}" for change in changes))


Effect = Literal["written", "suggested", "kept_by_person", "conflict", "not_written"]
"""What writing back did to a ticket, as the report tells it."""

EFFECTS: tuple[Effect, ...] = ("written", "suggested", "kept_by_person", "conflict", "not_written")


def effects_of(changes: Iterable[Change], skipped: Iterable[Skipped]) -> dict[str, tuple[Effect, str]]:
    """What the report of a run says about each ticket, by its id: the effect, and the pair or the reason.

    `changes` are those of the run, oldest first, of which the last one of a ticket counts.
    """
    effects = {one.ticket_id: _KEPT_BEFORE for one in skipped if one.reason == "kept_by_person"}
    for change in changes:
        if effect := _effect_of(change):
            effects[change.ticket_id] = effect
        elif change.mode == "undo" and change.state == "applied":
            effects.pop(change.ticket_id, None)
    return effects


def undoable(changes: Sequence[Change], run_id: str) -> list[Change]:
    """The changes of a run that set fields and are not put back yet, oldest first; `changes` is the whole ledger."""
    return [change for change in all_undoable(changes) if change.run_id == run_id]


def all_undoable(changes: Sequence[Change]) -> list[Change]:
    """The changes of all runs that set fields and are not put back yet, oldest first."""
    undone = {change.undoes for change in changes if change.mode == "undo" and change.state == "applied"}
    return [
        change
        for change in changes
        if change.mode == "fill" and change.state == "applied" and change.number not in undone
    ]


_KEPT_BEFORE: tuple[Effect, str] = ("kept_by_person", "a person had set another value")


def _effect_of(change: Change) -> tuple[Effect, str] | None:
    """What the report tells about a change. What would have been written, or is put back, is no effect."""
    if change.mode in ("shadow", "undo"):
        return None
    if change.state == "applied":
        return "suggested" if change.mode == "suggest" else "written", shown_pair(change.after)
    if change.state in ("kept", "conflict"):
        return "kept_by_person" if change.state == "kept" else "conflict", change.detail
    return "not_written", f"{change.state.replace('_', ' ')}: {change.detail}"


def _decide(
    attributed: AttributedTicket,
    catalog: ServiceCatalog,
    mode: ChangeMode,
    above: ApplyAbove,
    earlier: Sequence[Change],
) -> PlannedChange | SkipReason:
    found = attributed.outcome
    if not isinstance(found, Attribution):
        return "no_request_type"
    if catalog.find(*found.entry.pair) is None:
        return "not_in_catalog"
    has = (attributed.ticket.request_category, attributed.ticket.request_type)
    if found.source == "kept" or is_same(has, found.entry.pair):
        return "already_set"
    if not _is_certain(found, mode, above):
        return "below_threshold"
    if (reason := _settled_before(found.entry.pair, mode, earlier)) is not None:
        return reason
    ours = _ours(has, earlier) if found.source in _BY_PERSON else None
    if ours is None and not _may_fill(has, found.entry.pair):
        return "kept_by_person"
    return PlannedChange(attributed.ticket.id, mode, found, has, ours)


def _is_certain(found: Attribution, mode: ChangeMode, above: ApplyAbove) -> bool:
    """What a person decided needs no confidence, and a suggestion states its own."""
    if mode == "suggest" or found.source in _BY_PERSON:
        return True
    return found.confidence is not None and found.confidence >= above.of(found.entry)


def _settled_before(pair: Pair, mode: ChangeMode, earlier: Sequence[Change]) -> SkipReason | None:
    if any(change.state in OPEN_STATES for change in earlier):
        return "unsettled"
    group = ("fill", "undo") if mode == "fill" else (mode,)
    last = next((one for one in reversed(earlier) if one.mode in group and one.state == "applied"), None)
    if last is None:
        return None
    if last.mode == "undo":
        return "undone" if is_same(last.before, pair) else None
    return "done_before" if is_same(last.after, pair) else None


def _ours(has: Pair, earlier: Sequence[Change]) -> Pair | None:
    """What the ticket has, if that is what the last change of ours set."""
    last = next((one for one in reversed(earlier) if one.mode in ("fill", "undo") and one.state == "applied"), None)
    return has if last and last.mode == "fill" and is_same(has, last.after) else None


def _may_fill(has: Pair, wanted: Pair) -> bool:
    """Whether every field is empty, or has the wanted value already."""
    return all(not value.strip() or fold(value) == fold(want) for value, want in zip(has, wanted, strict=True))
