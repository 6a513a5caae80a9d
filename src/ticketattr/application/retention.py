"""What is dropped when its time is over: the folders of old runs, and, if that is wanted, what was sent long ago.

Never anything that still has to reach somebody, and never the knowledge that a report was sent: of a message that is
dropped, the log keeps the digests of its reports, and neither addresses nor names.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.delivery import Delivery
from ..domain.report_status import ReportStatus
from ..domain.run_id import began_before
from ..errors import TicketAttrError
from .ports import StageFiles
from .report import last_sent_run
from .report_tracker import ReportTracker

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the folders of `runs` are kept, and `reports` with the log of their delivery (None: for ever)."""

    runs: timedelta
    reports: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """What grows with every run."""

    stage_files: StageFiles
    tracker: ReportTracker


def prune(archive: Archive, retention: Retention, now: datetime) -> None:
    """Drop what is over its time. What cannot be dropped is said and stays: no run fails for it."""
    try:
        _prune_runs(archive, now - retention.runs)
        if retention.reports:
            _prune_reports(archive, now - retention.reports, now)
    except TicketAttrError as error:
        log.warning("not everything old was dropped: %s", error)


def _prune_runs(archive: Archive, before: datetime) -> None:
    """The next report is compared with the last one that was sent, so the run of that stays."""
    runs = archive.stage_files.runs()
    needed = {
        *runs[-1:],
        last_sent_run(archive.tracker.log, archive.tracker.transport),
        *(status.report.run_id for status in archive.tracker.pending()),
    }
    old = [run for run in runs if began_before(run, before) and run not in needed]
    for run in old:
        archive.stage_files.remove(run)
    if old:
        log.info("%d runs of before %s dropped", len(old), f"{before:%Y-%m-%d}")


def _prune_reports(archive: Archive, before: datetime, now: datetime) -> None:
    """The files first: a report whose file is there must be known as sent in full."""
    old = [status for status in archive.tracker.statuses() if _is_over(status, before)]
    for status in old:
        archive.tracker.folder.remove(status.report)
    here = {report.sha256 for report in archive.tracker.folder.reports()}
    forgotten = [delivery for delivery in _dispensable(archive, before) if not here & delivery.message.contents]
    if forgotten:
        archive.tracker.log.prune(forgotten, now)
    if old or forgotten:
        log.info("%d reports and %d messages of before %s dropped", len(old), len(forgotten), f"{before:%Y-%m-%d}")


def _is_over(status: ReportStatus, before: datetime) -> bool:
    is_done = status.state == "sent" and not status.is_pending
    return is_done and status.report.modified < before and status.sent_at is not None and status.sent_at < before


def _dispensable(archive: Archive, before: datetime) -> Sequence[Delivery]:
    """Old messages that nothing can come of any more; the last one that was sent by each transport stays."""
    deliveries = archive.tracker.log.deliveries()
    last = {delivery.message.transport: delivery for delivery in deliveries if delivery.state == "sent"}
    return [
        delivery
        for delivery in deliveries
        if delivery.changed < before
        and delivery is not last.get(delivery.message.transport)
        and (delivery.state == "failed" or (delivery.state == "sent" and not delivery.outstanding))
    ]
