"""The folder of finished reports."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ...domain.delivery import UNKNOWN_TIME, ReportFile, is_temporary
from ...errors import InputError
from ..files import open_regular, remove_file, unreadable
from ..reports.workbook_archive import MAX_BYTES, inspect_archive


@dataclass(frozen=True, slots=True)
class OutputFolder:
    root: Path

    def reports(self) -> list[ReportFile]:
        """Oldest first by modification time; none when there is no such folder. Raises InputError.

        What cannot be read, and what other programs left for the time being, is among them as damaged.
        """
        try:
            paths = [path for path in self.root.iterdir() if _may_be_report(path)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise unreadable(self.root, error) from error
        reports = [report for path in paths if (report := _inspect_or_doubt(path))]
        return sorted(reports, key=lambda report: (report.modified, report.path.name))

    def inspect(self, path: Path) -> ReportFile:
        with _readable(path):
            return _described(path, *_content(path))

    def read(self, report: ReportFile) -> bytes:
        with _readable(report.path):
            content, _ = _content(report.path)
        if hashlib.sha256(content).hexdigest() != report.sha256:
            raise InputError(f"{report.path} changed while it was being sent", hint="Run the same command again.")
        return content

    def remove(self, report: ReportFile) -> None:
        self.read(report)
        remove_file(report.path)


def _may_be_report(path: Path) -> bool:
    name = path.name.lower()
    return path.is_file() and (name.endswith(".xlsx") or (".xlsx" in name and is_temporary(path)))


def _inspect_or_doubt(path: Path) -> ReportFile | None:
    """The workbook, or what can be said of one that cannot be read; None when it is gone by now."""
    try:
        target = _lies_at(path)
        if target is None:
            return _unread(path, "a link out of the folder, which is not followed")
        return _described(path, *_content(target, follow=False))
    except FileNotFoundError:
        return None
    except OSError as error:
        return _unread(path, f"cannot be read: {error.strerror}")


def _lies_at(path: Path) -> Path | None:
    """Where in the folder the content of `path` lies; None when that is elsewhere.

    What lies in the folder is mailed unasked, and who may write here may not be allowed to read there.
    """
    if not path.is_symlink():
        return path
    target = path.resolve()
    return target if target.parent == path.parent.resolve() else None


def _unread(path: Path, damage: str) -> ReportFile:
    return ReportFile(path, sha256="", size=0, modified=UNKNOWN_TIME, damage=damage)


def _described(path: Path, content: bytes, modified: datetime) -> ReportFile:
    damage, run_id = inspect_archive(content)
    return ReportFile(
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        modified=modified,
        run_id=run_id,
        damage="a lock or temporary file of another program" if is_temporary(path) else damage,
    )


def _content(path: Path, *, follow: bool = True) -> tuple[bytes, datetime]:
    """What is in the file, and when it was put there. Of a file that is too large for a report, only so much."""
    with open_regular(path, follow=follow) as file:
        modified = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, timezone.utc)
        return file.read(MAX_BYTES + 1), modified


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unreadable(path, error) from error
