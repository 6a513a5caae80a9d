"""Take over what a person corrected in a report, and know what was corrected before."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.catalog import RequestType, ServiceCatalog, fold
from ..domain.correction import Correction, ReviewedRow, ReviewedWorkbook
from ..domain.sanitizing import matches_sanitized, sanitize
from ..domain.ticket import AttributedTicket, Attribution
from ..domain.wording import some_of
from ..errors import InputError
from .ports import CorrectionStore

log = logging.getLogger(__name__)

_NAMED = 20
"""How many refused cells an error names."""


@dataclass(frozen=True, slots=True)
class Imported:
    """`new` are the corrections that were not known before; `of_run` are all of that run, oldest first."""

    new: tuple[Correction, ...]
    of_run: tuple[Correction, ...]


def import_corrections(
    workbook: ReviewedWorkbook,
    reported: Sequence[AttributedTicket],
    catalog: ServiceCatalog,
    store: CorrectionStore,
    *,
    imported_by: str,
    now: datetime,
) -> Imported:
    """Record what differs from what the report said (`reported`) and from what was imported of the same run last.

    A row that says what the report said is one that nobody corrected, and means nothing, not even that an
    earlier correction is taken back: it may come from another copy. Raises InputError, which names every cell
    that cannot be taken over; then nothing is.
    """
    earlier = {correction.place: correction for correction in _of_run(workbook.run_id, store)}
    rows, refused = _own_rows(workbook, reported)
    changed = {place: row for place, row in rows.items() if _differs(row, reported[place - 1], earlier.get(place))}
    chosen = {place: catalog.find(row.request_category, row.request_type) for place, row in changed.items()}
    refused += [_no_entry(changed[place], workbook, catalog) for place, entry in chosen.items() if entry is None]
    if refused:
        cells = some_of(refused, _NAMED, separator="; ")
        raise InputError(f"nothing imported: {cells}", hint="Mend these cells, then import it again.")
    new = [
        _correction(reported[place - 1], place, entry, workbook, imported_by, now)
        for place, entry in chosen.items()
        if entry
    ]
    store.add(new)
    log.info("%d rows compared, %d corrections new", len(workbook.rows), len(new))
    return Imported(tuple(new), tuple(_of_run(workbook.run_id, store)))


def _of_run(run_id: str, store: CorrectionStore) -> list[Correction]:
    return [correction for correction in store.all() if correction.run_id == run_id]


def _own_rows(
    workbook: ReviewedWorkbook, reported: Sequence[AttributedTicket]
) -> tuple[dict[int, ReviewedRow], list[str]]:
    """The rows that speak of a ticket of the run, by its place; why others do not, or speak of one twice."""
    refused: list[str] = []
    first = workbook.columns[0]
    by_place: dict[int, ReviewedRow] = {}
    for row in workbook.rows:
        if row.place is None or not 1 <= row.place <= len(reported):
            refused.append(f"{first}{row.number}: this row is none of the report")
        elif not _speaks_of(row, reported[row.place - 1]):
            refused.append(f"{first}{row.number}: id and text of this row are those of another ticket")
        elif (other := by_place.setdefault(row.place, row)) is not row:
            refused.append(f"{first}{row.number}: the same ticket as row {other.number}")
    return by_place, refused


def _speaks_of(row: ReviewedRow, attributed: AttributedTicket) -> bool:
    """A part of the columns sorted by itself, say, would put a choice beside the wrong ticket."""
    ticket = attributed.ticket
    return matches_sanitized(row.id, ticket.id) and matches_sanitized(row.short_description, ticket.short_description)


def _pair(attributed: AttributedTicket) -> tuple[str, str]:
    outcome = attributed.outcome
    return outcome.entry.pair if isinstance(outcome, Attribution) else ("", "")


def _differs(row: ReviewedRow, attributed: AttributedTicket, before: Correction | None) -> bool:
    """From what the report said, and from what was imported `before`."""
    return not (_same(row, _pair(attributed)) or (before and _same(row, before.pair)))


def _same(row: ReviewedRow, pair: tuple[str, str]) -> bool:
    written = (row.request_category, row.request_type)
    return all(fold(cell) == fold(sanitize(name)) for cell, name in zip(written, pair, strict=True))


def _no_entry(row: ReviewedRow, workbook: ReviewedWorkbook, catalog: ServiceCatalog) -> str:
    """Which cell of a changed row is to blame that the catalog has no such entry."""
    known = any(fold(entry.category) == fold(row.request_category) for entry in catalog.entries)
    column, value = (1, row.request_type) if known else (0, row.request_category)
    what = f"request type of {sanitize(row.request_category)}" if known else "category"
    said = f"'{sanitize(value)[:100]}'" if value.strip() else "an empty cell"
    return f"{workbook.columns[column]}{row.number}: {said} is no {what} in the catalog"


def _correction(
    attributed: AttributedTicket,
    place: int,
    entry: RequestType,
    workbook: ReviewedWorkbook,
    imported_by: str,
    now: datetime,
) -> Correction:
    ticket = attributed.ticket
    reported_category, reported_type = _pair(attributed)
    return Correction(
        run_id=workbook.run_id,
        place=place,
        ticket_id=ticket.id,
        short_description=ticket.short_description,
        long_description=ticket.long_description,
        request_category=entry.category,
        request_type=entry.name,
        reported_category=reported_category,
        reported_type=reported_type,
        reviewer=workbook.reviewer,
        imported_by=imported_by,
        at=now,
    )
