"""What a person decided instead of a classifier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from .catalog import ServiceCatalog
from .digest import digest
from .ticket import Attribution, Ticket


@dataclass(frozen=True, slots=True)
class ReviewedRow:
    """A row of a workbook that came back. `number` is that of the sheet; `place` None: it says of no ticket."""

    number: int
    place: int | None
    id: str
    short_description: str
    request_category: str
    request_type: str


@dataclass(frozen=True, slots=True)
class ReviewedWorkbook:
    """`reviewer` is who saved it last, as far as it says. `columns`: the letters of category and request type."""

    run_id: str
    reviewer: str
    rows: tuple[ReviewedRow, ...]
    columns: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Correction:
    """One decision with all that an audit asks for. Texts are those of the ticket when it was decided.

    `reported_…` is what the report said: empty when it said nothing. `reviewer` is who saved the workbook,
    as far as that says so; `imported_by` took it over, `at` that time, in UTC.
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
        """As `ticket_key`, of the ticket when it was decided."""
        return digest((self.ticket_id, *self.texts))

    @property
    def texts(self) -> tuple[str, str]:
        return self.short_description, self.long_description

    @property
    def pair(self) -> tuple[str, str]:
        return self.request_category, self.request_type


def ticket_key(ticket: Ticket) -> str:
    """Names a ticket by its id and its text: another text is another matter."""
    return digest((ticket.id, *ticket.texts))


def in_force(corrections: Iterable[Correction]) -> list[Correction]:
    """The latest correction of each ticket; `corrections` come oldest first."""
    return list({correction.key: correction for correction in corrections}.values())


def corrected(ticket: Ticket, by_key: Mapping[str, Correction], catalog: ServiceCatalog) -> Attribution | None:
    """What a person decided for `ticket`; None when nobody did, or the catalog no longer has it."""
    if not by_key:
        return None
    correction = by_key.get(ticket_key(ticket))
    entry = catalog.find(*correction.pair) if correction else None
    return Attribution(entry, source="corrected") if entry else None
