"""Take over the workbooks that people put into the folder for corrections.

First the corrections of all workbooks are stored, and then each workbook is moved. A run that is killed in between
finds the workbooks again: a file from which corrections were taken over adds nothing a second time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from ..domain.correction import Correction, ReportedRun, ReviewedReport
from ..domain.sanitizing import sanitize
from ..errors import InputError, StageFileError, TicketAttrError
from .corrections import Import, RowResult, add_new, compare_rows
from .ports import Clock, CorrectionsInbox, CorrectionStore, DroppedFile, NotFinished, TextComparison

log = logging.getLogger(__name__)

ReportedRuns: TypeAlias = Callable[[str], ReportedRun]
"""What the report of a run was made from. Raises StageFileError."""

_NO_RUN = "the workbook does not name a run. Put in the report itself, as it was saved, and not a copy of its rows."
_UNKNOWN_RUN = "the files of its run {run} cannot be read: {error}. They are deleted, or of another desk."
_AGAIN = "Correct what was not taken over, and put the workbook into the folder again. What was taken over stays."


@dataclass(frozen=True, slots=True)
class Incoming:
    """What `take_over_workbooks` needs: the folder, the runs, the store, and how an import is made."""

    inbox: CorrectionsInbox
    reported: ReportedRuns
    store: CorrectionStore
    is_same_text: TextComparison
    imported_by: str
    clock: Clock


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What became of one workbook; the `name` is empty if the folder could not be read.

    A `refused` workbook needs a person: it was not read (`reason` says why), or some of its rows were not taken. One
    that is `left` is read by the next run, for that `reason`. `moved_to` is None if the workbook is where it was;
    `problem` says why it could not be moved. `conflicts` are sentences about decisions that replace each other.
    """

    name: str
    result: Literal["done", "refused", "left"]
    rows: tuple[RowResult, ...] = ()
    reason: str = ""
    sha256: str = ""
    conflicts: tuple[str, ...] = ()
    moved_to: Path | None = None
    problem: str = ""

    @property
    def new(self) -> tuple[Correction, ...]:
        """The corrections that were added."""
        return tuple(row.correction for row in self.rows if row.result == "taken" and row.correction)

    @property
    def refused_rows(self) -> int:
        """How many rows were not taken."""
        return sum(row.result == "refused" for row in self.rows)

    @property
    def needs_person(self) -> bool:
        """Whether a person has to do something about the workbook."""
        return self.result == "refused" or bool(self.problem)


def take_over_workbooks(files: Sequence[DroppedFile], incoming: Incoming) -> list[TakenOver]:
    """Take over each of these workbooks, the one that was saved first before the others, and move it.

    Of two decisions about a ticket, the one in the workbook that was saved last counts. A valid row is taken over, even
    if other rows of its workbook are refused. Raises SettingsError, InputError or ServiceError if the store cannot be
    used.
    """
    results = [_taken(file, incoming) for file in files]
    names = {result.sha256: result.name for result in results if result.sha256}
    latest = {correction.identity: correction for correction in incoming.store.all()}
    told = [replace(result, conflicts=tuple(_conflicts(result, latest, names))) for result in results]
    return [_settled(file, result, incoming) for file, result in zip(files, told, strict=True)]


def _taken(file: DroppedFile, incoming: Incoming) -> TakenOver:
    try:
        review = incoming.inbox.read(file)
        reported = _reported(review, incoming.reported)
    except NotFinished as wait:
        return TakenOver(file.name, "left", reason=str(wait))
    except InputError as error:
        return TakenOver(file.name, "refused", reason=str(error))
    how = Import(incoming.is_same_text, incoming.imported_by, incoming.clock(), once=True)
    rows = compare_rows(review, reported, incoming.store.all(), how)
    add_new(review, rows, incoming.store)
    is_whole = all(row.result != "refused" for row in rows)
    return TakenOver(file.name, "done" if is_whole else "refused", tuple(rows), sha256=review.sha256)


def _reported(review: ReviewedReport, runs: ReportedRuns) -> ReportedRun:
    if not review.run_id:
        raise InputError(_NO_RUN)
    try:
        return runs(review.run_id)
    except StageFileError as error:
        raise InputError(_UNKNOWN_RUN.format(run=review.run_id, error=error)) from error


def _conflicts(result: TakenOver, latest: Mapping[tuple[str, str], Correction], names: Mapping[str, str]) -> list[str]:
    """A sentence for each decision of the workbook that replaces another one, or that another one replaced."""
    sentences = []
    for row in result.rows:
        if not (correction := row.correction):
            continue
        ticket, choice = _ticket(correction), _choice(correction)
        if row.replaced:
            sentences.append(f"{ticket}: {choice} replaces {_choice(row.replaced)} {_origin(row.replaced, names)}")
        now = latest.get(correction.identity)
        if now and now.pair != correction.pair:
            sentences.append(f"{ticket}: {choice} was replaced by {_choice(now)} {_origin(now, names)}")
    return sentences


def _settled(file: DroppedFile, result: TakenOver, incoming: Incoming) -> TakenOver:
    """Move the workbook, and write a note beside it, unless it is left for the next run."""
    if result.result == "left":
        return result
    note = f"{result.name}: {incoming.clock():%Y-%m-%d %H:%M} UTC\n\n" + "\n".join(_note(result)) + "\n"
    try:
        moved_to = incoming.inbox.settle(file, result.result, note)
    except NotFinished as wait:
        return replace(result, reason=str(wait), result="left")
    except TicketAttrError as error:
        log.warning("a workbook that was taken over cannot be moved: %s", error)
        return replace(result, problem=str(error))
    return replace(result, moved_to=moved_to)


def _note(result: TakenOver) -> list[str]:
    """The lines of the note: what was taken from each row, or why not."""
    if result.reason:
        return [f"Not taken over: {result.reason}"]
    known = sum(row.result == "known" for row in result.rows)
    lines = [
        f"{len(result.new):,} taken over, {known:,} known from an earlier import, {result.refused_rows:,} refused.",
        "A row without another request type and without a mark means nothing.",
        "",
        *map(_line, result.rows),
    ]
    if result.conflicts:
        lines += ["", "Of two decisions about a ticket, the one in the workbook that was saved last counts:"]
        lines += result.conflicts
    return [*lines, "", _AGAIN] if result.refused_rows else lines


def _line(row: RowResult) -> str:
    if not (correction := row.correction):
        return f"{row.reason} (ticket {sanitize(row.row.id)[:100] or 'without an id'}): refused"
    what = "confirmed as" if correction.is_confirmation else "corrected to"
    before = " (known from an earlier import)" if row.result == "known" else ""
    return f"{row.row.type_cell}: {_ticket(correction)} {what} {_choice(correction)}{before}"


def _ticket(correction: Correction) -> str:
    return f"ticket {sanitize(correction.ticket_id)[:100] or 'without an id'}"


def _choice(correction: Correction) -> str:
    return sanitize(f"{correction.request_category} / {correction.request_type}")


def _origin(correction: Correction, names: Mapping[str, str]) -> str:
    if name := names.get(correction.workbook):
        return f"in {sanitize(name)}"
    return f"of the report of run {sanitize(correction.run_id)}, imported on {correction.at:%Y-%m-%d}"


def count_rows(workbooks: Sequence[TakenOver]) -> dict[str, int]:
    """The counts of the stage: workbooks that were read, and rows by what became of them."""
    new = [correction for workbook in workbooks for correction in workbook.new]
    confirmations = sum(correction.is_confirmation for correction in new)
    return {
        "workbooks": sum(workbook.result != "left" for workbook in workbooks),
        "corrections": len(new) - confirmations,
        "confirmations": confirmations,
        "rows_refused": sum(workbook.refused_rows for workbook in workbooks),
    }
