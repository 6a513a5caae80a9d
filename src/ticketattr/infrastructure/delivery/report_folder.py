"""The folder of finished reports, OUTPUT_DIR."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...domain.delivery import UNKNOWN_TIME, LogIdentity, ReportFile
from ...domain.figures import ReportFigures
from ...domain.numbers import time_of
from ...errors import InputError, TicketAttrError
from ..files import open_regular, remove_file, replacing, unreadable
from ..leftovers import is_leftover_name
from ..reports.figures_text import read_figures
from ..reports.workbook_archive import MAX_BYTES, inspect_archive
from .inspection_cache import Identity, Inspection, InspectionCache, identity_of

logger = logging.getLogger(__name__)

_MAX_OWNER = 64 * 1024
# Lock files of Excel and LibreOffice, and files that programs rename once they are complete.
_TEMPORARY_NAME = re.compile(r"~\$|\.|.*\.(tmp|part|partial|crdownload)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """Reads the workbooks in a folder. Links that lead out of it are not followed.

    With a `cache`, a file that did not change since it was inspected is not read again to be listed. What is sent or
    deleted is always read.
    """

    root: Path
    cache: InspectionCache | None = None

    def reports(self) -> list[ReportFile]:
        """The workbooks, oldest first by modification time; none if the folder does not exist. Raises InputError.

        A file that cannot be read, or that another program keeps temporarily, is listed as damaged.
        """
        try:
            with os.scandir(self.root) as entries:
                found = [entry for entry in entries if _may_be_report(entry)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise unreadable(self.root, error) from error
        seen: list[Identity] = []
        reports = [report for entry in found if (report := self._listed(entry, seen))]
        if self.cache:
            self.cache.save(seen)
        return sorted(reports, key=lambda report: (report.modified, report.path.name))

    def inspect(self, path: Path) -> ReportFile:
        """The workbook at `path`, also if it is a link to another folder. Raises InputError."""
        with _readable(path):
            return _described(str(path), *_inspect(path))

    def read(self, report: ReportFile) -> bytes:
        with _readable(report.path), open_regular(report.path) as file:
            content = file.read(MAX_BYTES + 1)
        if hashlib.sha256(content).hexdigest() != report.sha256:
            raise InputError(f"{report.path} changed while it was being sent", hint="Run the same command again.")
        return content

    def figures(self, report: ReportFile) -> ReportFigures | None:
        return read_figures(self.read(report))

    def remove(self, report: ReportFile) -> None:
        """Delete the file. Raises InputError if it changed since it was inspected."""
        self.read(report)
        remove_file(report.path)

    def owner(self) -> LogIdentity | None:
        """What the file `.ticketattr-report-log.json` says. Raises InputError if it cannot be read."""
        try:
            with open_regular(self._owner_path, follow=False) as file:
                content = file.read(_MAX_OWNER)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(self._owner_path, error) from error
        try:
            fields = json.loads(content)
            return LogIdentity(str(fields["id"]), str(fields["place"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InputError(
                f"{self._owner_path} does not say which report log the folder belongs to",
                hint="Delete it if REPORT_LOG_DB_PATH is the log of this folder.",
            ) from None

    def set_owner(self, log: LogIdentity) -> None:
        """Replace the file `.ticketattr-report-log.json`. If it cannot be written, only a warning is logged."""
        try:
            with replacing(self._owner_path) as file:
                file.write(json.dumps({"id": log.id, "place": log.place}).encode())
        except TicketAttrError as error:
            logger.warning("another report log for the same folder will not be noticed: %s", error)

    @property
    def _owner_path(self) -> Path:
        return self.root / ".ticketattr-report-log.json"

    def _listed(self, entry: os.DirEntry[str], seen: list[Identity]) -> ReportFile | None:
        """The workbook, marked as damaged if it cannot be read; None if it does not exist any more.

        Adds the identity of the file to `seen`.
        """
        try:
            target = _resolve_in_folder(entry) if entry.is_symlink() else entry.path
            if target is None:
                return _unread(entry, "a link that leads out of the folder, which is not followed")
            identity, found = self._inspect_changed(target)
            seen.append(identity)
            return _described(entry.path, identity, found)
        except FileNotFoundError:
            return None
        except OSError as error:
            return _unread(entry, f"cannot be read: {error.strerror}")

    def _inspect_changed(self, path: str) -> tuple[Identity, Inspection]:
        """What is in the file, from the cache if the file did not change. A link is refused. Raises OSError."""
        if self.cache is None:
            return _inspect(path, follow=False)
        status = os.lstat(path)
        identity = identity_of(status)
        found = self.cache.find(identity) if stat.S_ISREG(status.st_mode) else None
        if found is None:
            began = self.cache.now()
            identity, found = _inspect(path, follow=False)
            self.cache.add(identity, found, began=began)
        return identity, found


def _may_be_report(entry: os.DirEntry[str]) -> bool:
    name = entry.name.lower()
    if is_leftover_name(entry.name) or not (name.endswith(".xlsx") or (".xlsx" in name and _is_temporary(name))):
        return False
    return Path(entry.path).is_file() if entry.is_symlink() else entry.is_file()


def _is_temporary(name: str) -> bool:
    return bool(_TEMPORARY_NAME.match(name))


def _resolve_in_folder(link: os.DirEntry[str]) -> str | None:
    """The file in the folder to which `link` leads; None if it leads out of the folder.

    Files in the folder are mailed automatically: a link could mail a file that the author of the link may not read.
    """
    target = Path(link.path).resolve()
    return str(target) if target.parent == Path(link.path).parent.resolve() else None


def _unread(entry: os.DirEntry[str], damage: str) -> ReportFile:
    is_temporary = _is_temporary(entry.name)
    return ReportFile(
        Path(entry.path), sha256="", size=0, modified=UNKNOWN_TIME, damage=damage, is_temporary=is_temporary
    )


# A command lists the folder several times.
@lru_cache(maxsize=16_384)
def _described(name: str, identity: Identity, found: Inspection) -> ReportFile:
    path = Path(name)
    is_temporary = _is_temporary(path.name)
    return ReportFile(
        path=path,
        sha256=found.sha256,
        size=identity.size,
        modified=time_of(identity.modified / 1e9),
        run_id=found.run_id,
        damage="a lock or temporary file of another program" if is_temporary else found.damage,
        is_temporary=is_temporary,
    )


def _inspect(path: str | Path, *, follow: bool = True) -> tuple[Identity, Inspection]:
    """What is in the file. Of a file that is too large for a report, only the beginning is read.

    The identity is that from before reading: if the file is written meanwhile, its later identity is another one.
    """
    with open_regular(Path(path), follow=follow) as file:
        identity = identity_of(os.fstat(file.fileno()))
        content = file.read(MAX_BYTES + 1)
    return identity, Inspection(hashlib.sha256(content).hexdigest(), *inspect_archive(content))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unreadable(path, error) from error
