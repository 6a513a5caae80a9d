"""What is in the store of reports, listed beside the requests: a store that is down must not keep a page waiting."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import anyio
from anyio.to_thread import run_sync

from ...application.ports import Clock
from ...application.report_store import ReportStore, probe_store, stored_runs
from ...errors import TicketAttrError

INTERVAL = 60.0
"""Seconds between two looks into the store."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class StoredReports:
    """The runs whose reports are in the store, oldest first; `problem`: why the list may be old, or empty."""

    runs: list[str]
    problem: str = ""

    def look(self, store: ReportStore) -> None:
        """Read the list again; a problem is kept and logged once."""
        try:
            self.runs, self.problem = stored_runs(store), ""
        except TicketAttrError as error:
            if str(error) != self.problem:
                log.error("%s", error)
            self.problem = str(error)


async def keep_listing(found: StoredReports, store: ReportStore, clock: Clock) -> None:
    """Probe the store once, and list it every minute until this is cancelled."""
    await run_sync(_probe, store, f"serve-{clock():%Y%m%dT%H%M%S%f}Z")
    while True:
        await run_sync(found.look, store)
        await anyio.sleep(INTERVAL)


def _probe(store: ReportStore, name: str) -> None:
    try:
        for wrong in probe_store(store, name):
            log.warning("the store of reports: %s", wrong)
    except TicketAttrError as error:
        log.error("%s", error)
