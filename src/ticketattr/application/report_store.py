"""A store of reports that outlives this host: written once, read when a file is gone from the folder.

Each workbook is kept, and beside it the page of its run, as long as the data of the run are still there to make it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Protocol

from ..domain.delivery import ReportFile
from ..domain.run_id import RUN_ID, is_run_id
from ..errors import InputError, ServiceError, SettingsError, StageFileError
from .ports import ReportFolder

_KEY = re.compile(rf"reports/[0-9]{{4}}/[0-9]{{2}}/({RUN_ID})-[0-9a-f]{{16}}\.xlsx")

log = logging.getLogger(__name__)


class ReportStore(Protocol):
    """Files by their keys. All methods raise SettingsError or ServiceError."""

    def put_new(self, key: str, content: bytes) -> bool:
        """Write a file. Returns False, and writes nothing, if there is one with this key."""

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin with the folder `prefix`, sorted."""

    def read(self, key: str) -> bytes:
        """The content of a file."""

    def remove(self, key: str) -> None:
        """Delete a file, if there is one."""


def key_of(report: ReportFile) -> str:
    """The key of a report: month and id of its run, and the start of its SHA-256."""
    run = report.run_id
    return f"reports/{run[:4]}/{run[4:6]}/{run}-{report.sha256[:16]}.xlsx"


def page_key_of(run_id: str) -> str:
    return f"reports/{run_id[:4]}/{run_id[4:6]}/{run_id}.html"


def store_reports(folder: ReportFolder, store: ReportStore, make_page: Callable[[str], bytes]) -> int:
    """Write every report of the folder that is not in the store yet, and return how many those were.

    `make_page` makes the page of a run from its stage files, and raises StageFileError if they are gone. A report that
    names no run is left out. Raises SettingsError or ServiceError; what was written stays.
    """
    named = {key_of(report): report for report in folder.reports() if is_run_id(report.run_id) and not report.damage}
    there = set(store.keys("reports"))
    written = sum(store.put_new(key, folder.read(report)) for key, report in named.items() if key not in there)
    for run in sorted({report.run_id for report in named.values()}):
        if page_key_of(run) not in there:
            _store_page(run, store, make_page)
    return written


def stored_report(store: ReportStore, run_id: str) -> bytes:
    """The report of a run, as it is in the store. Raises InputError if there is none.

    Of several, the first one in the order of the keys is taken: they are equal but for changes that people made.
    """
    if not is_run_id(run_id):
        raise InputError("that is not the id of a run", hint="An id is like 20261123T150301Z-7f3a.")
    keys = [key for key in store.keys(f"reports/{run_id[:4]}/{run_id[4:6]}") if run_of(key) == run_id]
    if not keys:
        raise InputError(f"the store has no report of the run {run_id}")
    return store.read(keys[0])


def stored_page(store: ReportStore, run_id: str) -> bytes:
    """The page of a run, as it is in the store. Raises InputError if there is none."""
    if not is_run_id(run_id):
        raise InputError("that is not the id of a run", hint="An id is like 20261123T150301Z-7f3a.")
    return store.read(page_key_of(run_id))


def stored_runs(store: ReportStore) -> list[str]:
    """The ids of the runs whose reports are in the store, oldest first."""
    return sorted({run for key in store.keys("reports") if (run := run_of(key))})


def _store_page(run_id: str, store: ReportStore, make_page: Callable[[str], bytes]) -> None:
    try:
        store.put_new(page_key_of(run_id), make_page(run_id))
    except StageFileError as error:
        log.info("the page of the run %s is not in the store: %s", run_id, error)


def run_of(key: str) -> str:
    """The id of the run of a key; empty for a file that is no report of ours."""
    match = _KEY.fullmatch(key)
    return match[1] if match else ""


def probe_store(store: ReportStore, name: str) -> Sequence[str]:
    """What is wrong with the store, by writing the file `name` twice and removing it; empty if nothing is.

    A store that overwrites a file although it was asked not to is not fit to be shared by several hosts. Raises
    SettingsError or ServiceError if it cannot be used at all.
    """
    key = f"probe/{name}"
    try:
        if not store.put_new(key, b"ticketattr"):
            raise ServiceError(f"the file {key} is in the store already", hint="Remove it, and check again.")
        overwrites = store.put_new(key, b"ticketattr")
    finally:
        try:
            store.remove(key)
        except (SettingsError, ServiceError) as error:
            log.warning("the file %s was left in the store: %s", key, error)
    return ["it overwrites files although it is asked not to, so only one host may use it"] if overwrites else []
