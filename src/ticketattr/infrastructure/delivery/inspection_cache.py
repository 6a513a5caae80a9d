"""Keeps what was found in workbooks, so that a workbook that did not change is not read again.

    <SHA-256 of the rest>
    {"generator": "ticketattr 0.2.0", "workbooks": [[[device, inode, size, mtime, ctime], sha256, damage, run_id], …]}

The file can be lost at any time: then all workbooks are read again. So they are if the file is damaged, was written by
another version, or if another user owns it or may write it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ... import __version__
from ...errors import TicketAttrError
from ..files import open_regular, replacing

_GENERATOR = f"ticketattr {__version__}"
_SETTLED_AFTER = 2_000_000_000
_MAX_BYTES = 64 * 1024 * 1024

log = logging.getLogger(__name__)


class Identity(NamedTuple):
    """What changes if a file is written, also if the program that writes it sets the time of modification back.

    `size` is in bytes, `modified` and `changed` are in nanoseconds since 1970.
    """

    device: int
    inode: int
    size: int
    modified: int
    changed: int


class Inspection(NamedTuple):
    """What was found in the content of a workbook."""

    sha256: str
    damage: str
    run_id: str


def identity_of(status: os.stat_result) -> Identity:
    """The identity of the file with this status."""
    return Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@dataclass(slots=True)
class InspectionCache:
    """Inspections by the identity of the file. It reads its own file once; only a sender writes it (`writes`)."""

    path: Path
    writes: bool = False
    now: Callable[[], int] = time.time_ns
    _known: dict[Identity, Inspection] | None = field(default=None, repr=False)
    _has_new: bool = False

    def find(self, identity: Identity) -> Inspection | None:
        """What was found in the file with that identity; None if it has to be read."""
        if self._known is None:
            self._known = _read(self.path)
        return self._known.get(identity)

    def add(self, identity: Identity, inspection: Inspection, *, began: int) -> None:
        """Keep an inspection, unless the file changed so shortly before it `began` that a next change might not show.

        Two changes within the resolution of a file system's clock leave the same times.
        """
        if self._known is not None and began - max(identity.modified, identity.changed) > _SETTLED_AFTER:
            self._known[identity] = inspection
            self._has_new = True

    def save(self, here: Iterable[Identity]) -> None:
        """Write the inspections of the files that are `here`, if there are new ones. A failure is only logged."""
        if not (self.writes and self._has_new and self._known):
            return
        self._has_new = False
        workbooks = [(identity, *self._known[identity]) for identity in here if identity in self._known]
        content = json.dumps({"generator": _GENERATOR, "workbooks": workbooks}, ensure_ascii=True).encode()
        try:
            with replacing(self.path) as file:
                file.write(_checksum(content) + b"\n" + content)
        except TicketAttrError as error:
            log.info("all workbooks will be read again: %s", error)


def _read(path: Path) -> dict[Identity, Inspection]:
    """The inspections in the file; none if it is missing, damaged, or of anybody else."""
    try:
        with open_regular(path, follow=False) as file:
            content = file.read(_MAX_BYTES) if _is_ours(os.fstat(file.fileno())) else b""
        checksum, _, body = content.partition(b"\n")
        if checksum != _checksum(body):
            return {}
        data = json.loads(body)
        if data["generator"] != _GENERATOR:
            return {}
        return {Identity(*identity): Inspection(*found) for identity, *found in data["workbooks"]}
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}


def _is_ours(status: os.stat_result) -> bool:
    if os.name == "nt":
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
