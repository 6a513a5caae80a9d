"""Checks of folders, files and disks: whether they can be written, and whether there is space."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import TicketAttrError
from ..check import CheckResult

LEAST_SPACE = 500 * 1024 * 1024
"""A disk with fewer free bytes is low on space."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk, and a folder on it. `device` identifies the disk; `free` is in bytes."""

    device: int
    folder: Path
    free: int


@dataclass(frozen=True, slots=True)
class FileChecks:
    """The checks that touch files. They change nothing.

    `try_folder` returns whether the folder exists; `try_folder` and `try_file` raise SettingsError or ServiceError
    when it cannot be written. `disk_of` returns the disk on which a folder is or will be; None when it cannot be made.
    """

    try_folder: Callable[[Path], bool]
    try_file: Callable[[Path], None]
    disk_of: Callable[[Path], Disk | None]


def probe_folders(folders: Mapping[str, Path], checks: FileChecks) -> Iterator[CheckResult]:
    """One result for each folder, by the name of its setting."""
    for setting, path in folders.items():
        yield probe_folder("folders", setting, path, checks)


def probe_folder(area: str, setting: str, path: Path, checks: FileChecks) -> CheckResult:
    """Whether files can be made in the folder that `setting` names."""
    try:
        exists = checks.try_folder(path)
    except TicketAttrError as error:
        return _not_writable(area, setting, error)
    return CheckResult(area, f"{setting}: {path} can be written{'' if exists else ' (it will be created)'}")


def probe_files(area: str, setting: str, paths: Iterable[Path], checks: FileChecks) -> CheckResult:
    """Whether all these files can be written. They are in one folder, and need not exist."""
    files = list(paths)
    folder = probe_folder(area, setting, files[0].parent, checks)
    if folder.status != "ok":
        return folder
    problems = (_file_problem(area, setting, path, checks) for path in files)
    return next((problem for problem in problems if problem), folder)


def probe_disks(folders: Iterable[Path], checks: FileChecks, *, least: int = LEAST_SPACE) -> Iterator[CheckResult]:
    """One result for each disk that has one of the folders. Fewer than `least` free bytes are a warning."""
    disks = {disk.device: disk for disk in map(checks.disk_of, folders) if disk}
    for disk in disks.values():
        if disk.free < least:
            space = f"only {disk.free // 1024**2:,} MiB free where {disk.folder} is"
            yield CheckResult.warning("disk", space, "Make room, or move OUTPUT_DIR and WORK_DIR to another disk.")
        else:
            yield CheckResult("disk", f"{disk.free / 1024**3:,.1f} GiB free where {disk.folder} is")


def _file_problem(area: str, setting: str, path: Path, checks: FileChecks) -> CheckResult | None:
    try:
        checks.try_file(path)
    except TicketAttrError as error:
        return _not_writable(area, setting, error)
    return None


def _not_writable(area: str, setting: str, error: TicketAttrError) -> CheckResult:
    return CheckResult(area, f"{setting}: {error}", "error", f"{error.hint} {setting} names it.", error.exit_code)
