"""Corrections: what a person decided about a ticket instead of a classifier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from .catalog import ServiceCatalog
from .digest import digest
from .ticket import Attribution, Ticket


@dataclass(frozen=True, slots=True)
class ReviewedRow:
    """What a report says about one ticket after a person edited it.

    `place` is the position of the ticket in the queue, from 1, or None if the row does not say it. `category_cell` and
    `type_cell` name the two cells in messages to the user.
    """

    place: int | None
    id: str
    short_description: str
    request_category: str
    request_type: str
    category_cell: str
    type_cell: str


@dataclass(frozen=True, slots=True)
class ReviewedReport:
    """A report that came back from a person.

    `run_id` and `reviewer`, who saved it last, are empty if the report does not say.
    """

    run_id: str
    reviewer: str
    rows: tuple[ReviewedRow, ...]


@dataclass(frozen=True, slots=True)
class Correction:
    """One decision of a person, with everything that an audit needs.

    The texts are those that the ticket had at the decision. `reported_category` and `reported_type` are what the report
    said, empty if it said nothing. `reviewer` saved the report, if it says who; `imported_by` imported the decision,
    at the time `at`, in UTC.
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


def ticket_key(ticket: Ticket) -> str:
    """A key made of the id and the text of a ticket; a ticket whose text changes gets another key."""
    return digest((ticket.id, *ticket.texts))


def in_force(corrections: Iterable[Correction]) -> list[Correction]:
    """The latest correction of each ticket; `corrections` come oldest first."""
    return list({correction.key: correction for correction in corrections}.values())


def corrected(ticket: Ticket, by_key: Mapping[str, Correction], catalog: ServiceCatalog) -> Attribution | None:
    """What a person decided for `ticket`, or None if nobody decided, or the catalog no longer has that entry.

    `by_key` holds the corrections in force by their `key`.
    """
    if not by_key:
        return None
    correction = by_key.get(ticket_key(ticket))
    entry = catalog.find(*correction.pair) if correction else None
    return Attribution(entry, source="corrected") if entry else None
