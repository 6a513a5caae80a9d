"""The processes of runs: `ticketattr run` in a session of its own, so that it does not end with the service.

What puts back changes in the helpdesk is `ticketattr changes undo`, in the same way.

work/service/12.lock    locked as long as the process of run 12 lives
work/service/12.json    what it reports about itself (`status_file`)
work/service/12.log     what it printed
"""

from __future__ import annotations

import os
import subprocess  # nosec B404  # starts our own program
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ...domain.service_run import STATUS_FILE_VARIABLE, RunStatus, ServiceRun
from ...errors import ServiceError, SettingsError
from ..files import make_folder, remove_file, write_error
from ..monitoring.status_file import StatusFile

LONGEST_WAIT = 900
"""Seconds that a run waits for another one, which somebody started by hand, to end."""

_KEPT = 200
_MAX_LOG = 256 * 1024


@dataclass(frozen=True, slots=True)
class LocalRunProcesses:
    """Processes on this machine. `arguments` stand before the command, such as `--env-file PATH`."""

    folder: Path
    arguments: Sequence[str] = ()
    program: Sequence[str] = (sys.executable, "-m", "ticketattr")
    _children: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict, repr=False)

    def clear(self, run: ServiceRun) -> None:
        remove_file(self._path(run, "json"))

    def start(self, run: ServiceRun) -> None:
        """Start the process. Does nothing if it is alive already, also as the child of another service."""
        make_folder(self.folder)
        self._remove_old_files(run.number)
        lock = _locked(self._path(run, "lock"))
        if lock is None:
            return
        try:
            with self._open_log(run) as log:
                self._children[run.number] = subprocess.Popen(  # noqa: S603  # nosec B603  # the arguments are ours
                    [*self.program, *self.arguments, *_command(run), f"--wait={LONGEST_WAIT}"],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, STATUS_FILE_VARIABLE: str(self._path(run, "json").absolute())},
                    start_new_session=True,
                    # The process inherits the lock, and with it holds it until it ends, also if the service is gone.
                    pass_fds=(lock,),
                )
        except OSError as error:
            raise ServiceError(f"the process of run {run.number} cannot be started: {error.strerror}") from error
        finally:
            os.close(lock)

    def status(self, run: ServiceRun) -> RunStatus | None:
        return StatusFile(self._path(run, "json")).read()

    def is_alive(self, run: ServiceRun) -> bool:
        child = self._children.get(run.number)
        if child:
            return child.poll() is None
        path = self._path(run, "lock")
        if not path.exists():
            return False
        lock = _locked(path)
        if lock is None:
            return True
        os.close(lock)
        return False

    def exit_code(self, run: ServiceRun) -> int | None:
        child = self._children.get(run.number)
        return child.poll() if child else None

    def log(self, run: ServiceRun, lines: int) -> list[str]:
        path = self._path(run, "log")
        if lines < 1 or not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _MAX_LOG))
            return file.read(_MAX_LOG).decode(errors="replace").splitlines()[-lines:]

    def _path(self, run: ServiceRun, suffix: str) -> Path:
        return self.folder / f"{run.number}.{suffix}"

    def _open_log(self, run: ServiceRun) -> IO[bytes]:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        return os.fdopen(os.open(self._path(run, "log"), flags, 0o600), "wb")

    def _remove_old_files(self, number: int) -> None:
        old = number - _KEPT
        for suffix in ("log", "json", "lock") if old > 0 else ():
            remove_file(self.folder / f"{old}.{suffix}")


def _command(run: ServiceRun) -> list[str]:
    if run.undo:
        return ["changes", "undo", f"--change={run.undo.change}", run.undo.run_id]
    return ["run", "--dry-run"] if run.dry_run else ["run"]


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock of the file `path`; None if a process holds it."""
    try:
        import fcntl
    except ModuleNotFoundError:
        raise SettingsError("`ticketattr serve` needs Linux or macOS") from None
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise write_error(path, error) from error
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return descriptor
    os.close(descriptor)
    return None
