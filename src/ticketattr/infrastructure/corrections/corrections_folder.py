"""The folder into which people put the workbooks that they corrected.

    x.xlsx              a workbook that nobody has read yet
    done/x.xlsx         one that was taken over; done/x.xlsx.txt says what was taken from each row
    refused/x.xlsx      one that was not read, or not in all of its rows; refused/x.xlsx.txt says why

Everybody may put files there, and save them again at any time. A file that another program is still writing is left
where it is.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

from ...application.ports import Clock, DroppedFile, FileStamp, NotFinished
from ...domain.correction import ReviewedReport
from ...errors import InputError, SettingsError
from ..files import make_folder, open_regular, replacing, unreadable, write_error
from ..reports.workbook_archive import MAX_BYTES

_FOLDERS = ("done", "refused")
_WRITTEN_WITHIN = timedelta(hours=1)
"""An incomplete workbook that is older than this is damaged: nobody writes it any more."""

_HIDDEN = (".", "~")
_TEMPORARY = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".filepart")
_OF_WINDOWS = ("desktop.ini", "thumbs.db")
_START_OF_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class CorrectionsFolder:
    """The folder at `path`, which need not exist."""

    path: Path
    clock: Clock

    def workbooks(self) -> list[DroppedFile]:
        try:
            return sorted(self._dropped(), key=lambda file: (file.saved, file.name))
        except FileNotFoundError:
            return []
        except OSError as error:
            hint = "Check CORRECTIONS_DIR and the permission to read it."
            raise SettingsError(f"{self.path} cannot be read: {error.strerror or error}", hint=hint) from error

    def read(self, file: DroppedFile) -> ReviewedReport:
        path = self.path / file.name
        if path.suffix.lower() != ".xlsx":
            raise InputError(f"{file.name} is not a workbook with the suffix .xlsx. Save the report as one.")
        if lock := next((lock for lock in _lock_names(file.name) if os.path.lexists(self.path / lock)), ""):
            raise NotFinished(f"another program has it open. If that is not so, delete {lock}")
        try:
            content = _content(path, file)
        except OSError as error:
            raise unreadable(path, error) from error
        if not _is_complete(content) and abs(self.clock() - file.saved) < _WRITTEN_WITHIN:
            raise NotFinished("it is not complete yet")
        # Most runs find no workbook, and openpyxl takes longer to load than the rest of a run without tickets.
        from ..reports.corrections_reader import parse_reviewed

        return parse_reviewed(content, Path(file.name))

    def settle(self, file: DroppedFile, result: Literal["done", "refused"], note: str) -> Path:
        source, folder = self.path / file.name, self.path / result
        if folder.is_symlink():
            raise SettingsError(f"{folder} is a link, which is not followed", hint="Make a folder of it.")
        make_folder(folder)
        target = _free(folder, file.name)
        readers = stat.S_IMODE(source.lstat().st_mode) & 0o066 if not source.is_symlink() else 0
        # The note first: a workbook that was moved needs no further run.
        with replacing(folder / f"{target.name}.txt", mode=0o600 | readers) as text:
            text.write(note.encode("utf-8", "replace"))
        try:
            _move(source, target, file)
        except OSError as error:
            raise write_error(source, error) from error
        return target

    def _dropped(self) -> Iterator[DroppedFile]:
        with os.scandir(self.path) as entries:
            for entry in entries:
                facts = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(facts.st_mode) or entry.name in _FOLDERS or _is_of_a_program(entry.name):
                    continue
                saved = datetime.fromtimestamp(facts.st_mtime, timezone.utc)
                yield DroppedFile(entry.name, saved, _stamp(facts))


def _is_of_a_program(name: str) -> bool:
    """Whether a program made the file for itself: a lock, a temporary file, or what a file manager leaves."""
    lower = name.lower()
    return lower.startswith(_HIDDEN) or lower.endswith(_TEMPORARY) or lower in _OF_WINDOWS


def _lock_names(name: str) -> tuple[str, str]:
    """The files beside an open workbook: of Excel, and of LibreOffice."""
    return f"~${name}", f".~lock.{name}#"


def _content(path: Path, file: DroppedFile) -> bytes:
    """The content, read while nobody changed it. Raises OSError, also for a link or a pipe, and NotFinished."""
    with open_regular(path, follow=False) as opened:
        content = opened.read(MAX_BYTES + 1)
        if _stamp(os.fstat(opened.fileno())) != file.stamp:
            raise NotFinished("it changed while it was read")
    return content


def _is_complete(content: bytes) -> bool:
    """False for the beginning of a workbook: its directory, which comes last, is missing."""
    begins_like_one = _START_OF_ZIP.startswith(content[:4]) or not content[:512].strip(b"\0")
    return not begins_like_one or zipfile.is_zipfile(io.BytesIO(content))


def _free(folder: Path, name: str) -> Path:
    """A path in the folder that no file has yet, by the name of the workbook and perhaps a number."""
    target, number = folder / name, 1
    while os.path.lexists(target):
        number += 1
        target = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return target


def _move(source: Path, target: Path, file: DroppedFile) -> None:
    """Rename the file that was read. One that somebody saved since then stays. Raises OSError and NotFinished."""
    changed = NotFinished("somebody saved it again while it was taken over")
    if _stamp(source.lstat()) != file.stamp:
        raise changed
    source.rename(target)
    if _stamp(target.lstat()) != file.stamp:
        target.rename(source)
        raise changed


def _stamp(facts: os.stat_result) -> FileStamp:
    return facts.st_ino, facts.st_size, facts.st_mtime_ns
