"""Import the corrections that a person made in a report."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.catalog import RequestType, ServiceCatalog, fold
from ..domain.correction import Correction, ReviewedReport, ReviewedRow
from ..domain.sanitizing import sanitize
from ..domain.ticket import AttributedTicket, Attribution
from ..domain.wording import some_of
from ..errors import InputError
from .ports import CorrectionStore, TextComparison

log = logging.getLogger(__name__)

_NAMED = 20
"""How many refused cells an error names."""


@dataclass(frozen=True, slots=True)
class Imported:
    """`new`: the corrections that this import added. `of_run`: all corrections of the run, oldest first."""

    new: tuple[Correction, ...]
    of_run: tuple[Correction, ...]


def import_corrections(
    review: ReviewedReport,
    reported: Sequence[AttributedTicket],
    catalog: ServiceCatalog,
    store: CorrectionStore,
    *,
    is_same_text: TextComparison,
    imported_by: str,
    now: datetime,
) -> Imported:
    """Add a correction to `store` for each row that differs from the report and from the last import of the same run.

    `reported` holds the tickets of the run in the order of the queue. A row that agrees with the report means nothing:
    it does not take back an earlier correction, because it may come from another copy of the report. Raises
    InputError, which names the cells that cannot be imported; then nothing is imported.
    """
    earlier = {correction.place: correction for correction in _of_run(review.run_id, store)}
    rows, refused = _rows_by_place(review, reported, is_same_text)
    changed = {place: row for place, row in rows.items() if _differs(row, reported[place - 1], earlier.get(place))}
    chosen = {place: catalog.find(row.request_category, row.request_type) for place, row in changed.items()}
    refused += [_not_in_catalog(changed[place], catalog) for place, entry in chosen.items() if entry is None]
    if refused:
        cells = some_of(refused, _NAMED, separator="; ")
        raise InputError(f"nothing imported: {cells}", hint="Correct these cells, then import the report again.")
    new = [
        _correction(reported[place - 1], place, entry, review, imported_by, now)
        for place, entry in chosen.items()
        if entry
    ]
    store.add(new)
    log.info("%d rows compared, %d new corrections", len(review.rows), len(new))
    return Imported(tuple(new), tuple(_of_run(review.run_id, store)))


def _of_run(run_id: str, store: CorrectionStore) -> list[Correction]:
    return [correction for correction in store.all() if correction.run_id == run_id]


def _rows_by_place(
    review: ReviewedReport, reported: Sequence[AttributedTicket], is_same_text: TextComparison
) -> tuple[dict[int, ReviewedRow], list[str]]:
    """The rows that belong to a ticket of the run, by its place, and the reasons why other rows do not."""
    refused: list[str] = []
    by_place: dict[int, ReviewedRow] = {}
    for row in review.rows:
        if row.place is None or not 1 <= row.place <= len(reported):
            refused.append(f"{row.category_cell}: this row does not belong to the report")
        elif not _is_about(row, reported[row.place - 1], is_same_text):
            refused.append(f"{row.category_cell}: the id and the text of this row belong to another ticket")
        elif (other := by_place.setdefault(row.place, row)) is not row:
            refused.append(f"{row.category_cell}: the same ticket as in {other.category_cell}")
    return by_place, refused


def _is_about(row: ReviewedRow, attributed: AttributedTicket, is_same_text: TextComparison) -> bool:
    """Whether the row has the id and the text of the ticket.

    If somebody sorts only some of the columns, a choice stands beside another ticket.
    """
    ticket = attributed.ticket
    return is_same_text(row.id, ticket.id) and is_same_text(row.short_description, ticket.short_description)


def _pair(attributed: AttributedTicket) -> tuple[str, str]:
    outcome = attributed.outcome
    return outcome.entry.pair if isinstance(outcome, Attribution) else ("", "")


def _differs(row: ReviewedRow, attributed: AttributedTicket, before: Correction | None) -> bool:
    """Whether the row differs from the report and from the correction that was imported `before`."""
    return not (_same(row, _pair(attributed)) or (before and _same(row, before.pair)))


def _same(row: ReviewedRow, pair: tuple[str, str]) -> bool:
    written = (row.request_category, row.request_type)
    return all(fold(cell) == fold(sanitize(name)) for cell, name in zip(written, pair, strict=True))


def _not_in_catalog(row: ReviewedRow, catalog: ServiceCatalog) -> str:
    """Which cell of the row is wrong, and why."""
    known = any(fold(entry.category) == fold(row.request_category) for entry in catalog.entries)
    cell, value = (row.type_cell, row.request_type) if known else (row.category_cell, row.request_category)
    what = f"request type of {sanitize(row.request_category)}" if known else "category"
    if not value.strip():
        return f"{cell}: the cell is empty, but must hold a {what} in the catalog"
    return f"{cell}: '{sanitize(value)[:100]}' is not a {what} in the catalog"


def _correction(
    attributed: AttributedTicket,
    place: int,
    entry: RequestType,
    review: ReviewedReport,
    imported_by: str,
    now: datetime,
) -> Correction:
    ticket = attributed.ticket
    reported_category, reported_type = _pair(attributed)
    return Correction(
        run_id=review.run_id,
        place=place,
        ticket_id=ticket.id,
        short_description=ticket.short_description,
        long_description=ticket.long_description,
        request_category=entry.category,
        request_type=entry.name,
        reported_category=reported_category,
        reported_type=reported_type,
        reviewer=review.reviewer,
        imported_by=imported_by,
        at=now,
    )
