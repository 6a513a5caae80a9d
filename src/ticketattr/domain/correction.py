"""Corrections: what a person decided about a ticket in a report, instead of a classifier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from .catalog import RequestType, ServiceCatalog
from .digest import digest
from .text_similarity import has_same_words, is_another_text
from .ticket import AttributedTicket, Attribution, Decision, DecisionEffect, Ticket

CHECK_MARK = "x"
"""What a report offers for confirming a row."""

_YES = frozenset(
    (CHECK_MARK, "✓", "✔", "☑", "✅", "ok", "1", "1.0", "true", "yes", "y", "ja", "j", "oui", "o", "sí", "si", "s")
)
_NO = frozenset(("", "-", "0", "0.0", "false", "no", "n", "nein", "non"))


@dataclass(frozen=True, slots=True)
class ReviewedRow:
    """What a report says about one ticket after a person edited it.

    `place` is the position of the ticket in the queue, from 1, or None if the row does not say it. `checked` is what
    the person wrote to confirm the row. `category_cell`, `type_cell` and `checked_cell` name the cells in messages to
    the user.
    """

    place: int | None
    id: str
    short_description: str
    request_category: str
    request_type: str
    category_cell: str
    type_cell: str
    checked: str = ""
    checked_cell: str = ""

    @property
    def is_checked(self) -> bool | None:
        """Whether the person confirms the row; None if what is written there says neither yes nor no."""
        word = self.checked.strip().casefold()
        return word in _YES if word in _YES or word in _NO else None


@dataclass(frozen=True, slots=True)
class ReviewedReport:
    """A report that came back from a person.

    `run_id` and `reviewer`, who saved it last, are empty if the report does not say. `sha256` is that of the file.
    """

    run_id: str
    reviewer: str
    rows: tuple[ReviewedRow, ...]
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class ReportedRun:
    """What a report was made from: the catalog, and the tickets in the order of the queue."""

    run_id: str
    catalog: ServiceCatalog
    tickets: Sequence[AttributedTicket]


@dataclass(frozen=True, slots=True)
class Correction:
    """One decision of a person, with everything that an audit needs.

    The texts are those that the ticket had at the decision. `reported_category` and `reported_type` are what the report
    said, empty if it said nothing. `reviewer` saved the report, if it says who; `imported_by` imported the decision,
    at the time `at`, in UTC. `has_unique_id`: no other ticket of the queue had that id, so it identifies the ticket.
    `workbook` is the SHA-256 of the file with the report, empty if it is unknown.
    """

    run_id: str
    place: int
    ticket_id: str
    short_description: str
    long_description: str
    request_category: str
    request_type: str
    reported_category: str
    reported_type: str
    reviewer: str
    imported_by: str
    at: datetime
    has_unique_id: bool
    workbook: str = ""

    @property
    def key(self) -> str:
        """The `ticket_key` of the ticket at the time of the decision."""
        return digest((self.ticket_id, *self.texts))

    @property
    def texts(self) -> tuple[str, str]:
        """Short and long description of the ticket."""
        return self.short_description, self.long_description

    @property
    def pair(self) -> tuple[str, str]:
        """The category and the request type that the person chose."""
        return self.request_category, self.request_type

    @property
    def is_confirmation(self) -> bool:
        """Whether the person confirmed what the report said, and changed nothing."""
        return self.pair == (self.reported_category, self.reported_type)

    @property
    def identity(self) -> tuple[str, str]:
        """What identifies the ticket: its id if that is unique, or else its `key`."""
        return ("id", self.ticket_id) if self.has_unique_id else ("text", self.key)


def correction_of(
    run: ReportedRun,
    place: int,
    entry: RequestType,
    *,
    has_unique_id: bool,
    reviewer: str,
    imported_by: str,
    at: datetime,
    workbook: str = "",
) -> Correction:
    """The decision for `entry` about the ticket at `place` (from 1) of the queue of `run`."""
    attributed = run.tickets[place - 1]
    ticket, outcome = attributed.ticket, attributed.outcome
    reported = outcome.entry.pair if isinstance(outcome, Attribution) else ("", "")
    return Correction(
        run_id=run.run_id,
        place=place,
        ticket_id=ticket.id,
        short_description=ticket.short_description,
        long_description=ticket.long_description,
        request_category=entry.category,
        request_type=entry.name,
        reported_category=reported[0],
        reported_type=reported[1],
        reviewer=reviewer,
        imported_by=imported_by,
        at=at,
        has_unique_id=has_unique_id,
        workbook=workbook,
    )


def ticket_key(ticket: Ticket) -> str:
    """A key made of the id and the text of a ticket; a ticket whose text changes gets another key."""
    return digest((ticket.id, *ticket.texts))


def unique_ids(tickets: Iterable[Ticket]) -> set[str]:
    """The ids that exactly one of the tickets has; an empty id is none."""
    counts = Counter(ticket.id for ticket in tickets)
    return {ticket_id for ticket_id, count in counts.items() if ticket_id and count == 1}


def in_force(corrections: Iterable[Correction]) -> list[Correction]:
    """The latest correction of each ticket; `corrections` come oldest first."""
    given = list(corrections)
    by_key: dict[str, int] = {}
    for place in {correction.identity: place for place, correction in enumerate(given)}.values():
        # The id of a ticket may have been unique in one queue and not in another.
        by_key[given[place].key] = max(place, by_key.get(given[place].key, place))
    return [given[place] for place in by_key.values()]


def decisions(
    tickets: Sequence[Ticket], corrections: Sequence[Correction], catalog: ServiceCatalog
) -> list[Decision | None]:
    """What a person decided about each ticket of the queue, in its order; None if nobody decided.

    `corrections` are those in force. A ticket with a unique id is known by it, also after its text changed. Any other
    ticket is known by its id and its text together.
    """
    if not corrections:
        return [None] * len(tickets)
    by_id = {correction.ticket_id: correction for correction in corrections if correction.has_unique_id}
    by_key = {correction.key: correction for correction in corrections}
    unique = unique_ids(tickets)
    found = (_latest(by_id.get(one.id) if one.id in unique else None, by_key.get(ticket_key(one))) for one in tickets)
    return [
        _decision(correction, ticket, catalog) if correction else None
        for ticket, correction in zip(tickets, found, strict=True)
    ]


def _latest(*corrections: Correction | None) -> Correction | None:
    return max((one for one in corrections if one), key=lambda correction: correction.at, default=None)


def _decision(correction: Correction, ticket: Ticket, catalog: ServiceCatalog) -> Decision:
    effect = _effect(correction, ticket, catalog)
    return Decision(*correction.pair, correction.is_confirmation, correction.at, effect)


def _effect(correction: Correction, ticket: Ticket, catalog: ServiceCatalog) -> DecisionEffect:
    has_same_text = has_same_words(correction.texts, ticket.texts)
    if not has_same_text and is_another_text(correction.texts, ticket.texts):
        return "another text"
    if catalog.find(*correction.pair) is None:
        return "not in the catalog"
    return "holds" if has_same_text else "holds for a changed text"
