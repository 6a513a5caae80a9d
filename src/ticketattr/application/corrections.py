"""Take over the corrections and confirmations that a person made in a report."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ..domain.catalog import RequestType, ServiceCatalog, fold
from ..domain.correction import Correction, ReportedRun, ReviewedReport, ReviewedRow, correction_of, unique_ids
from ..domain.sanitizing import sanitize
from ..domain.ticket import AttributedTicket, Attribution
from ..domain.wording import counted, some_of
from ..errors import InputError
from .ports import CorrectionStore, TextComparison

log = logging.getLogger(__name__)

_NAMED = 20
"""How many refused cells an error names."""


@dataclass(frozen=True, slots=True)
class Import:
    """How an import is made: how texts are compared, who imports, and when (in UTC).

    `once`: a file from which corrections were imported before adds nothing, whatever was imported since.
    """

    is_same_text: TextComparison
    imported_by: str
    now: datetime
    once: bool = False


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of a row in which a person decided something.

    `correction` is None for a row that is refused; `reason` says why, and begins with the cell. `known`: the correction
    was taken over before. `replaced` is the correction of an earlier import that decided otherwise.
    """

    row: ReviewedRow
    result: Literal["taken", "known", "refused"]
    correction: Correction | None = None
    reason: str = ""
    replaced: Correction | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """`new`: the corrections that this import added. `of_run`: all corrections of the run, oldest first."""

    new: tuple[Correction, ...]
    of_run: tuple[Correction, ...]


def import_corrections(review: ReviewedReport, reported: ReportedRun, store: CorrectionStore, how: Import) -> Imported:
    """Add a correction to `store` for each row in which a person decided something new.

    Raises InputError, which names the cells that cannot be imported; then nothing is imported.
    """
    results = compare_rows(review, reported, store.all(), how)
    if refused := [result.reason for result in results if result.result == "refused"]:
        cells = some_of(refused, _NAMED, separator="; ")
        raise InputError(f"nothing imported: {cells}", hint="Correct these cells, then import the report again.")
    return Imported(add_new(review, results, store), tuple(_of_run(reported.run_id, store.all())))


def add_new(review: ReviewedReport, results: Sequence[RowResult], store: CorrectionStore) -> tuple[Correction, ...]:
    """Add the corrections of the rows that are `taken` to the store, all or none, and return them."""
    new = tuple(result.correction for result in results if result.result == "taken" and result.correction)
    store.add(new)
    log.info("%s compared, %s", counted(len(review.rows), "row"), counted(len(new), "new correction"))
    return new


def compare_rows(
    review: ReviewedReport, reported: ReportedRun, known: Sequence[Correction], how: Import
) -> list[RowResult]:
    """The result of each row in which a person decided something, in the order of the sheet.

    A person decides by another request type, or by a mark in the column of checked rows. A row that agrees with the
    report means nothing without a mark: it does not take back an earlier correction, because it may come from another
    copy of the report. `known` are the corrections so far, oldest first.
    """
    comparison = _Comparison(review, reported, known, how)
    return [result for row in review.rows if (result := comparison.result(row))]


class _Refused(Exception):
    """A row cannot be taken over; the message begins with its cell."""


class _Comparison:
    """Compares the rows of one report; it remembers the tickets that it has seen."""

    def __init__(self, review: ReviewedReport, reported: ReportedRun, known: Sequence[Correction], how: Import) -> None:
        self._review, self._reported, self._how = review, reported, how
        self._unique = unique_ids(attributed.ticket for attributed in reported.tickets)
        self._seen: dict[int, ReviewedRow] = {}
        of_run = _of_run(reported.run_id, known)
        self._before = {one.place: one for one in of_run}
        self._of_file = {one.place: one for one in of_run if how.once and one.workbook == review.sha256}
        self._by_identity = {one.identity: one for one in known}

    def result(self, row: ReviewedRow) -> RowResult | None:
        """None for a row in which nobody decided anything."""
        try:
            return self._accepted(row, self._place(row))
        except _Refused as refusal:
            return RowResult(row, "refused", reason=str(refusal))

    def _accepted(self, row: ReviewedRow, place: int) -> RowResult | None:
        attributed = self._reported.tickets[place - 1]
        is_unchanged = _same(row, _pair(attributed))
        if is_unchanged and row.is_checked is False:
            return None
        before = self._of_file.get(place) or self._before.get(place)
        if before and _same(row, before.pair):
            return RowResult(row, "known", before)
        if row.is_checked is None:
            raise _Refused(f"{row.checked_cell}: '{sanitize(row.checked)[:100]}' is neither an x nor empty")
        if is_unchanged and not row.request_type.strip():
            raise _Refused(f"{row.checked_cell}: there is no request type to confirm, so choose one")
        correction = correction_of(
            self._reported,
            place,
            _entry(row, self._reported.catalog),
            has_unique_id=attributed.ticket.id in self._unique,
            reviewer=self._review.reviewer,
            imported_by=self._how.imported_by,
            at=self._how.now,
            workbook=self._review.sha256,
        )
        earlier = self._by_identity.get(correction.identity)
        replaced = earlier if earlier and earlier.pair != correction.pair else None
        return RowResult(row, "taken", correction, replaced=replaced)

    def _place(self, row: ReviewedRow) -> int:
        """The place of the ticket that the row belongs to."""
        if row.place is None or not 1 <= row.place <= len(self._reported.tickets):
            raise _Refused(f"{row.category_cell}: this row does not belong to the report")
        if not _is_about(row, self._reported.tickets[row.place - 1], self._how.is_same_text):
            raise _Refused(f"{row.category_cell}: the id and the text of this row belong to another ticket")
        other = self._seen.setdefault(row.place, row)
        if other is not row:
            raise _Refused(f"{row.category_cell}: the same ticket as in {other.category_cell}")
        return row.place


def _of_run(run_id: str, corrections: Sequence[Correction]) -> list[Correction]:
    return [correction for correction in corrections if correction.run_id == run_id]


def _is_about(row: ReviewedRow, attributed: AttributedTicket, is_same_text: TextComparison) -> bool:
    """Whether the row has the id and the text of the ticket.

    If somebody sorts only some of the columns, a choice stands beside another ticket.
    """
    ticket = attributed.ticket
    return is_same_text(row.id, ticket.id) and is_same_text(row.short_description, ticket.short_description)


def _pair(attributed: AttributedTicket) -> tuple[str, str]:
    outcome = attributed.outcome
    return outcome.entry.pair if isinstance(outcome, Attribution) else ("", "")


def _same(row: ReviewedRow, pair: tuple[str, str]) -> bool:
    written = (row.request_category, row.request_type)
    return all(fold(cell) == fold(sanitize(name)) for cell, name in zip(written, pair, strict=True))


def _entry(row: ReviewedRow, catalog: ServiceCatalog) -> RequestType:
    """The chosen entry; raises _Refused, which says which cell of the row is wrong."""
    if entry := catalog.find(row.request_category, row.request_type):
        return entry
    known = any(fold(entry.category) == fold(row.request_category) for entry in catalog.entries)
    cell, value = (row.type_cell, row.request_type) if known else (row.category_cell, row.request_category)
    what = f"request type of {sanitize(row.request_category)}" if known else "category"
    if not value.strip():
        raise _Refused(f"{cell}: the cell is empty, but must hold a {what} in the catalog")
    raise _Refused(f"{cell}: '{sanitize(value)[:100]}' is not a {what} in the catalog")
