"""The folder of finished reports, OUTPUT_DIR."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ...domain.delivery import UNKNOWN_TIME, ReportFile
from ...errors import InputError
from ..files import open_regular, remove_file, unreadable
from ..reports.workbook_archive import MAX_BYTES, inspect_archive

# Lock files of Excel and LibreOffice, and files that programs rename once they are complete.
_TEMPORARY_NAME = re.compile(r"~\$|\.|.*\.(tmp|part|partial|crdownload)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """Reads the workbooks in a folder. Links that lead out of it are not followed."""

    root: Path

    def reports(self) -> list[ReportFile]:
        """The workbooks, oldest first by modification time; none if the folder does not exist. Raises InputError.

        A file that cannot be read, or that another program keeps temporarily, is listed as damaged.
        """
        try:
            paths = [path for path in self.root.iterdir() if _may_be_report(path)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise unreadable(self.root, error) from error
        reports = [report for path in paths if (report := _inspect_listed(path))]
        return sorted(reports, key=lambda report: (report.modified, report.path.name))

    def inspect(self, path: Path) -> ReportFile:
        """The workbook at `path`, also if it is a link to another folder. Raises InputError."""
        with _readable(path):
            return _described(path, *_content(path))

    def read(self, report: ReportFile) -> bytes:
        """The content of the file. Raises InputError if it changed since it was inspected."""
        with _readable(report.path):
            content, _ = _content(report.path)
        if hashlib.sha256(content).hexdigest() != report.sha256:
            raise InputError(f"{report.path} changed while it was being sent", hint="Run the same command again.")
        return content

    def remove(self, report: ReportFile) -> None:
        """Delete the file. Raises InputError if it changed since it was inspected."""
        self.read(report)
        remove_file(report.path)


def _may_be_report(path: Path) -> bool:
    name = path.name.lower()
    return path.is_file() and (name.endswith(".xlsx") or (".xlsx" in name and _is_temporary(path)))


def _is_temporary(path: Path) -> bool:
    return bool(_TEMPORARY_NAME.match(path.name))


def _inspect_listed(path: Path) -> ReportFile | None:
    """The workbook, marked as damaged if it cannot be read; None if it does not exist any more."""
    try:
        target = _resolve_in_folder(path)
        if target is None:
            return _unread(path, "a link that leads out of the folder, which is not followed")
        return _described(path, *_content(target, follow=False))
    except FileNotFoundError:
        return None
    except OSError as error:
        return _unread(path, f"cannot be read: {error.strerror}")


def _resolve_in_folder(path: Path) -> Path | None:
    """The file in the folder that `path` names, also by a link; None if a link leads out of the folder.

    Files in the folder are mailed automatically: a link could mail a file that the author of the link may not read.
    """
    if not path.is_symlink():
        return path
    target = path.resolve()
    return target if target.parent == path.parent.resolve() else None


def _unread(path: Path, damage: str) -> ReportFile:
    return ReportFile(path, sha256="", size=0, modified=UNKNOWN_TIME, damage=damage, is_temporary=_is_temporary(path))


def _described(path: Path, content: bytes, modified: datetime) -> ReportFile:
    damage, run_id = inspect_archive(content)
    is_temporary = _is_temporary(path)
    return ReportFile(
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        modified=modified,
        run_id=run_id,
        damage="a lock or temporary file of another program" if is_temporary else damage,
        is_temporary=is_temporary,
    )


def _content(path: Path, *, follow: bool = True) -> tuple[bytes, datetime]:
    """The content and the modification time. A file that is too large for a report is read only up to that limit."""
    with open_regular(path, follow=follow) as file:
        modified = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, timezone.utc)
        return file.read(MAX_BYTES + 1), modified


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unreadable(path, error) from error
