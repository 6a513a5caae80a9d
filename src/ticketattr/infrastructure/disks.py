"""Disks and the permissions of folders, for checks."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..application.probes.storage import Disk
from .files import nearest_folder


def disk_of(path: Path) -> Disk | None:
    """The disk on which the folder `path` is or will be; None when a file is in the way."""
    try:
        folder = nearest_folder(path)
    except OSError:
        return None
    return Disk(folder.stat().st_dev, folder, shutil.disk_usage(folder).free)


def modes_above(path: Path) -> list[tuple[Path, int]]:
    """The existing folders that contain `path`, innermost first, with their permission bits; empty on Windows."""
    if os.name == "nt":
        return []
    return [(folder, folder.stat().st_mode) for folder in path.absolute().parents if folder.exists()]
