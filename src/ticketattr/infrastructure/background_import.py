"""Importing third-party packages while the program waits for the network."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module


def import_in_background(packages: Sequence[str]) -> threading.Thread:
    """Starts to import `packages` and returns the thread that does it. An import statement waits for its package.

    The caller imports first what it needs from packages that these depend on, so that no two threads import the
    same modules in opposite orders.
    """
    # Not a daemon thread: Python aborts when it ends such a thread inside an extension module.
    thread = threading.Thread(target=_import_all, args=(packages,), name="background import")
    thread.start()
    return thread


def _import_all(packages: Sequence[str]) -> None:
    for package in packages:
        # The import statement that needs the package will say that it is missing.
        with suppress(ImportError):
            import_module(package)
