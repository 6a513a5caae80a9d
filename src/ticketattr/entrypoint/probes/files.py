"""What lies on this machine: folders, disks, the report log and its reports, corrections."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ...application.check import Finding
from ...application.ports import Clock
from ...application.report_tracker import refuse_lost_report_log
from ...domain.report_status import ReportState
from ...errors import TicketAttrError
from ...infrastructure.files import nearest_folder, try_file, try_folder
from .. import wiring
from ..presentation.summaries import counted
from ..settings.folders import FolderSettings
from ..settings.report_tracker import ReportTrackerSettings

LEAST_SPACE = 500 * 1024 * 1024
"""With fewer free bytes a disk is low."""

_STANDING: dict[ReportState, tuple[str, str]] = {
    "pending": ("not sent yet", "The next run sends them; so does `ticketattr send`."),
    "failed": ("not accepted by the mail server", "`ticketattr pending list` shows why. The next run tries again."),
    "sending": ("being sent now", "Wait for the other ticketattr to end."),
    "in_doubt": ("in doubt", "The next run sends the same message again, or decide with `ticketattr pending resolve`."),
    "held": ("in doubt and held", "Decide with `ticketattr pending resolve`."),
    "sent": ("deferred for a recipient", "The next run tries again. `ticketattr pending list` shows the recipients."),
    "damaged": ("damaged", "Remove them from OUTPUT_DIR, or create them again with `ticketattr report`."),
}


def folders_of(settings: FolderSettings) -> dict[str, Path]:
    """Where files will be made, by the setting that says so."""
    return {
        "OUTPUT_DIR": settings.output,
        "WORK_DIR": settings.work,
        "REPORT_LOG_DB_PATH": settings.report_log.parent,
        "CORRECTIONS_DB_PATH": settings.corrections.parent,
    }


def probe_folders(folders: Mapping[str, Path]) -> Iterator[Finding]:
    for name, path in folders.items():
        yield probe_folder("folders", name, path)


def probe_folder(area: str, name: str, path: Path) -> Finding:
    try:
        is_there = try_folder(path)
    except TicketAttrError as error:
        return _unwritable(area, name, error)
    return Finding(area, f"{name}: {path} can be written{'' if is_there else ' (it will be made)'}")


def probe_file(area: str, name: str, path: Path) -> Finding | None:
    """None for one that can be written, or is not there yet."""
    try:
        try_file(path)
    except TicketAttrError as error:
        return _unwritable(area, name, error)
    return None


def _unwritable(area: str, name: str, error: TicketAttrError) -> Finding:
    return Finding(area, f"{name}: {error}", "error", f"{error.hint} {name} names it.", error.exit_code)


def probe_disks(folders: Iterable[Path], *, least: int = LEAST_SPACE) -> Iterator[Finding]:
    disks = {there.stat().st_dev: there for there in map(_nearest, folders) if there}
    for path in disks.values():
        free = shutil.disk_usage(path).free
        if free < least:
            space = f"only {free // 1024**2:,} MiB free where {path} is"
            yield Finding.warning("disk", space, "Make room, or let OUTPUT_DIR and WORK_DIR be elsewhere.")
        else:
            yield Finding("disk", f"{free / 1024**3:,.1f} GiB free where {path} is")


def _nearest(path: Path) -> Path | None:
    """None where there can be no folder, which is told where folders are looked at."""
    try:
        return nearest_folder(path)
    except OSError:
        return None


def probe_reports(settings: ReportTrackerSettings, clock: Clock) -> Iterator[Finding]:
    """The report log, and what it says of the reports. Changes nothing, not even an older log into a new one."""
    log = wiring.report_log(settings.folders)
    tracker = wiring.tracker(settings)
    if not log.exists():
        refuse_lost_report_log(tracker.folder.reports(), log, clock())
        yield Finding("report log", f"{log.path} is not there yet: nothing was sent so far")
    elif not log.check_integrity():
        yield Finding(
            "report log", f"{log.path} is from the earlier implementation; the next command that uses it takes it over"
        )
        return
    else:
        yield Finding("report log", f"{log.path} is sound")
    if holder := log.lock_holder():
        yield Finding.warning(
            "report log",
            f"another ticketattr is at work: {holder}",
            "Until it ends, another run stops with exit code 4.",
        )
    states = Counter(status.state for status in tracker.pending())
    if not states:
        yield Finding("reports", "none is pending")
    for state, number in states.items():
        standing, fix = _STANDING[state]
        yield Finding.warning("reports", f"{counted(number, 'report')} {standing}", fix)


def probe_corrections(settings: FolderSettings) -> Iterator[Finding]:
    yield Finding("corrections", counted(len(wiring.corrections(settings).all()), "correction"))
