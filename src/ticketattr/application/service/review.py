"""Review on a page: the tickets of the latest run that need a person, and the choice that a person makes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ...domain.access import Caller
from ...domain.catalog import RequestType
from ...domain.correction import Correction, ReportedRun, correction_of, unique_ids
from ...domain.report import Report, ReportContext, Row, build_report
from ...domain.ticket import Attribution
from ...errors import InputError
from ..ports import CorrectionStore


@dataclass(frozen=True, slots=True)
class Reviewing:
    """What a review needs. `runs` returns the ids of the runs, oldest first; `load` returns one of them.

    `review_below`, `ticket_url` and `time_zone` are those of the report.
    """

    store: CorrectionStore
    runs: Callable[[], Sequence[str]]
    load: Callable[[str], ReportedRun]
    review_below: float
    ticket_url: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A ticket that needs a person: its row of the report, and the likely entries, the likeliest first."""

    row: Row
    candidates: tuple[RequestType, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """The tickets of a run that need a person, the most urgent first. `decided`: how many were decided since.

    `report` has a row for every ticket of the run, also for those that need nobody.
    """

    run: ReportedRun
    report: Report
    items: tuple[ReviewItem, ...]
    decided: int


def open_review(reviewing: Reviewing, now: datetime) -> Review | None:
    """The review of the latest run; None if there is no run. Raises the errors of stage files and corrections."""
    runs = reviewing.runs()
    if not runs:
        return None
    run = reviewing.load(runs[-1])
    context = ReportContext(
        catalog=run.catalog,
        review_below=reviewing.review_below,
        ticket_url=reviewing.ticket_url,
        time_zone=reviewing.time_zone,
    )
    report = build_report(run.tickets, run_id=run.run_id, generated_at=now, context=context)
    decided = _decided(reviewing, run.run_id)
    doubtful = [row for row in report.rows if row.needs_review]
    waiting = sorted((row for row in doubtful if row.place not in decided), key=_by_urgency)
    items = tuple(ReviewItem(row, _candidates(run, row)) for row in waiting)
    return Review(run, report, items, len(doubtful) - len(waiting))


def review_version(reviewing: Reviewing) -> object:
    """Something that changes when there is a newer run, or when a ticket of the latest one is decided."""
    latest = "".join(reviewing.runs()[-1:])
    return latest, _decided(reviewing, latest)


def decide(
    reviewing: Reviewing, caller: Caller, run_id: str, place: int, pair: tuple[str, str], now: datetime
) -> Correction:
    """Record that `caller` chose `pair` for the ticket at `place` of the latest run, and return the correction.

    The next run takes it over. Raises InputError if the run is no longer the latest, the ticket does not exist, or the
    pair is not in the catalog.
    """
    runs = reviewing.runs()
    if not runs or runs[-1] != run_id:
        raise InputError("there is a newer run since this page was shown", hint="Load the page again.")
    run = reviewing.load(run_id)
    if not 1 <= place <= len(run.tickets):
        raise InputError(f"the run has no ticket with the number {place}", hint="Load the page again.")
    entry = run.catalog.find(*pair)
    if entry is None:
        raise InputError("this request type is not in the catalog", hint="Choose one of the list.")
    unique = unique_ids(one.ticket for one in run.tickets)
    correction = correction_of(
        run,
        place,
        entry,
        has_unique_id=run.tickets[place - 1].ticket.id in unique,
        reviewer=caller.name,
        imported_by=caller.name,
        at=now,
    )
    reviewing.store.add([correction])
    return correction


def _decided(reviewing: Reviewing, run_id: str) -> frozenset[int]:
    return frozenset(one.place for one in reviewing.store.all() if one.run_id == run_id)


def _candidates(run: ReportedRun, row: Row) -> tuple[RequestType, ...]:
    outcome = run.tickets[(row.place or 1) - 1].outcome
    return (outcome.entry, *outcome.alternatives) if isinstance(outcome, Attribution) else ()


def _by_urgency(row: Row) -> tuple[float, float, float]:
    due = row.due.timestamp() if row.due else math.inf
    return -(row.overdue_by or 0.0), due, row.confidence or 0.0
