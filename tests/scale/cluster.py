"""A scheduler and its workers as processes on loopback, which can be killed and started again at the same address."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

FAST, OTHER_VERSION, HUNGRY = (
    Path(__file__).with_name(f"{name}.py") for name in ("fast_classifier", "other_version", "hungry_classifier")
)

_ENVIRONMENT = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__WORKER_SATURATION": "1.0"}
"""No partition waits on a worker, as docs/how-to/scale.md says."""


@dataclass
class Cluster:
    """`folder` is for logs and for what workers leave; `preload` is what workers load first.

    With `memory`, as Dask writes it, a worker that takes more is ended and started again.
    """

    folder: Path
    port: int
    preload: Path
    memory: str = ""
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start_scheduler(self) -> None:
        command = ("--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")
        self.scheduler = self._start("distributed.cli.dask_scheduler", *command)

    def start_worker(self) -> None:
        preload = ("--preload", str(self.preload))
        limit = ("--memory-limit", self.memory) if self.memory else ("--no-nanny",)
        options = ("--nworkers", "1", "--nthreads", "1", *limit, "--no-dashboard", "--death-timeout", "30")
        self.workers.append(
            self._start(
                "distributed.cli.dask_worker", self.address, *options, "--local-directory", str(self.folder), *preload
            )
        )

    def kill_worker(self) -> None:
        kill(self.workers.pop(0))

    def kill_scheduler(self) -> None:
        """Kill it, and its workers, which would wait for it."""
        assert self.scheduler
        kill(self.scheduler)
        while self.workers:
            self.kill_worker()

    def stop(self) -> None:
        for process in (*self.workers, *([self.scheduler] if self.scheduler else [])):
            # A worker with a memory limit is the child of another process, which ends it when it is asked to end.
            if self.memory and process.poll() is None:
                process.terminate()
                process.wait(30)
            kill(process)

    def _start(self, module: str, *args: str) -> subprocess.Popen[bytes]:
        log = (self.folder / "cluster.log").open("ab")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", module, *args], cwd=self.folder, env=_ENVIRONMENT, stdout=log, stderr=log
            )


@contextmanager
def cluster(folder: Path, port: int, *, workers: int = 2, preload: Path = FAST, memory: str = "") -> Iterator[Cluster]:
    """A cluster for the block."""
    folder.mkdir(exist_ok=True)
    started = Cluster(folder, port, preload, memory)
    try:
        started.start_scheduler()
        for _ in range(workers):
            started.start_worker()
        yield started
    finally:
        started.stop()


def kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()
