"""Delete what is older than the retention settings allow: folders of runs, answers, and, if set, sent reports.

A report that a recipient still waits for is never deleted. The log always keeps the fact that a report was sent: of a
deleted message, it keeps the SHA-256 of each report, and neither addresses nor file names.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.clock_leap import find_leap
from ..domain.delivery import Delivery
from ..domain.report_status import ReportStatus
from ..domain.run_id import began_at, began_before
from ..domain.wording import counted
from ..errors import TicketAttrError
from .ports import ReportLogMaintenance, StageFiles
from .report import last_sent_run
from .report_tracker import ReportTracker

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long folders of runs are kept, and sent reports with their log entries (None: for ever)."""

    runs: timedelta
    reports: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Storage:
    """The data that grows with every run, and with every audit of labels.

    `delete_unused_answers` deletes the answers of models that no run has used for long.
    """

    stage_files: StageFiles
    tracker: ReportTracker
    log: ReportLogMaintenance
    audits: StageFiles
    delete_unused_answers: Callable[[], None]


def prune(storage: Storage, retention: Retention, now: datetime) -> None:
    """Delete what is too old, unless the clock has leapt. Errors are logged, not raised: no run fails because of them.

    A clock that is years ahead would make everything old.
    """
    try:
        if leap := find_leap(_known_times(storage), now):
            log.error(
                "the clock may be wrong, so nothing was deleted: it says %s, and %s. "
                "If it is right, old data is deleted when runs have gone on for some time",
                f"{now:%Y-%m-%d}",
                leap,
            )
            return
        _prune_runs(storage, now - retention.runs)
        _prune_audits(storage.audits, now - retention.runs)
        storage.delete_unused_answers()
        if retention.reports:
            _prune_reports(storage, now - retention.reports, now)
    except TicketAttrError as error:
        log.warning("old data was not deleted completely: %s", error)


def _known_times(storage: Storage) -> Iterator[datetime]:
    """The time of each run that left files, the later one of its id and of the files, and the times in the log."""
    for run in storage.stage_files.runs():
        yield from sorted(filter(None, (began_at(run), storage.stage_files.touched_at(run))))[-1:]
    for delivery in storage.log.deliveries():
        yield from (delivery.message.date, delivery.changed)
    yield from (event.at for event in storage.log.events())


def _prune_runs(storage: Storage, before: datetime) -> None:
    """Keep the newest run, the run of the last sent report, which the next one is compared with, and pending ones."""
    runs = storage.stage_files.runs()
    needed = {
        *runs[-1:],
        last_sent_run(storage.log, storage.tracker.transport),
        *(status.report.run_id for status in storage.tracker.pending()),
    }
    old = [run for run in runs if began_before(run, before) and run not in needed]
    for run in old:
        storage.stage_files.remove(run)
    if old:
        log.info("%s from before %s deleted", counted(len(old), "run"), f"{before:%Y-%m-%d}")


def _prune_audits(audits: StageFiles, before: datetime) -> None:
    """Delete the files of old audits: nothing is compared with them, and their workbooks are no longer imported."""
    old = [audit for audit in audits.runs() if began_before(audit, before)]
    for audit in old:
        audits.remove(audit)
    if old:
        log.info("%s from before %s deleted", counted(len(old), "audit"), f"{before:%Y-%m-%d}")


def _prune_reports(storage: Storage, before: datetime, now: datetime) -> None:
    """Delete files before log entries: as long as a file exists, the log must know its whole delivery."""
    folder = storage.tracker.folder
    old = [status for status in storage.tracker.statuses() if _is_expired(status, before)]
    for status in old:
        folder.remove(status.report)
    here = {report.sha256 for report in folder.reports()}
    deletable = [delivery for delivery in _finished(storage, before) if not here & delivery.message.report_hashes]
    if deletable:
        storage.log.delete_deliveries(deletable, now)
    if old or deletable:
        what = f"{counted(len(old), 'report')} and {counted(len(deletable), 'message')}"
        log.info("%s from before %s deleted", what, f"{before:%Y-%m-%d}")


def _is_expired(status: ReportStatus, before: datetime) -> bool:
    is_done = status.state == "sent" and not status.is_pending
    return is_done and status.report.modified < before and status.sent_at is not None and status.sent_at < before


def _finished(storage: Storage, before: datetime) -> Sequence[Delivery]:
    """Old messages that are never sent again, without the last one that each transport delivered."""
    deliveries = storage.log.deliveries()
    last = {delivery.message.transport: delivery for delivery in deliveries if delivery.state == "sent"}
    return [
        delivery
        for delivery in deliveries
        if delivery.changed < before
        and delivery is not last.get(delivery.message.transport)
        and (delivery.state == "failed" or (delivery.state == "sent" and not delivery.outstanding))
    ]
