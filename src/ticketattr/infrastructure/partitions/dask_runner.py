"""Partitions as tasks of a Dask cluster that exists (`tcp://…`, `tls://…`), or of processes of this machine (`local`).

A task does one partition and writes its answers itself: only its manifest comes back. A worker that dies costs the
partitions that it had begun, which other workers do again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ... import __version__
from ...application.partitions import Partition, PartitionProblem, PartitionResult, Work
from ...errors import ServiceError, SettingsError, TicketAttrError
from ..extras import install_hint

log = logging.getLogger(__name__)

LOCAL = "local"
_CONNECT = 20.0
"""How long a scheduler and its first worker may take to answer, in seconds."""

_RETRIES = 3
_LOCAL_CLUSTER = {
    # Dask would look a hundred times a second what each worker does, and fifty times whether each process still reacts.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    # A partition that waits on a worker counts as done by it when it dies: at 1.0, none waits.
    "distributed.scheduler.worker-saturation": 1.0,
    # Dask has the allocator return 64 kB to the system at once. Each batch would then take its memory anew, which is
    # a third of the time.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
}
_AGAIN = "Run the same command again when it is back: it does what is missing."


@dataclass(frozen=True, slots=True)
class DaskRunner:
    """Does partitions on the cluster at `address`, whose workers must have this version of this program."""

    address: str

    def __call__(self, work: Work, partitions: Sequence[Partition]) -> Iterator[PartitionResult]:
        """Yields the result of each partition as it comes. Raises SettingsError or ServiceError."""
        distributed = _load()
        with _only_our_words(), self._client(distributed) as client:
            self._refuse_other_versions(client)
            # The key is the name: a partition is one task, however often it is asked for. None waits on a worker: all
            # come at once, and Dask takes keys that only differ after a number for one kind of work.
            keys = [f"ticketattr-{os.getpid()}-{partition.name}" for partition in partitions]
            works = [work] * len(partitions)
            tasks = client.map(_do, works, list(partitions), key=keys, retries=_RETRIES, pure=False)
            futures = dict(zip(tasks, partitions, strict=True))
            try:
                for future in distributed.as_completed(tasks, loop=client.loop):
                    result = _result(distributed, future, futures[future])
                    # A worker keeps the result of a task that is wanted: if it died, the task would be done once more.
                    future.release()
                    yield result
            finally:
                # Nobody would take the results of what is not done yet.
                for future in futures:
                    future.release()

    @contextmanager
    def _client(self, distributed: Any) -> Iterator[Any]:
        if self.address == LOCAL:
            import dask

            options = {
                "dashboard_address": ":0",
                "silence_logs": logging.CRITICAL,
                "local_directory": tempfile.gettempdir(),
            }
            with (
                dask.config.set(_LOCAL_CLUSTER),
                distributed.LocalCluster(n_workers=os.cpu_count() or 1, threads_per_worker=1, **options) as cluster,
                distributed.Client(cluster, set_as_default=False) as client,
            ):
                yield client
            return
        try:
            client = distributed.Client(self.address, timeout=_CONNECT, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise _unreachable(self.address, error) from error
        try:
            yield client
        finally:
            client.close(timeout=2)

    def _refuse_other_versions(self, client: Any) -> None:
        """Raises SettingsError where a worker has other versions, ServiceError where there is no worker."""
        try:
            client.wait_for_workers(1, timeout=_CONNECT)
            client.get_versions(check=True)
            found: dict[str, Any] = client.run(_version, on_error="return")
        except (TimeoutError, asyncio.TimeoutError) as error:
            raise ServiceError(
                f"the scheduler {self.address} has no worker", hint="Start workers, then run the same command again."
            ) from error
        except OSError as error:
            raise _unreachable(self.address, error) from error
        except ValueError as error:
            raise SettingsError(
                f"workers of {self.address} have other versions: {' '.join(str(error).split())}",
                hint="Install the same versions of Python, dask and distributed everywhere.",
            ) from error
        for worker, version in sorted(found.items()):
            if version != __version__:
                has = version if isinstance(version, str) else f"none that can be loaded ({version})"
                raise SettingsError(
                    f"the worker {worker} has ticketattr {has}, and this is {__version__}",
                    hint="Install the same version, with the extras offline and dask, on all workers.",
                )


def _load() -> Any:
    try:
        import distributed
    except ModuleNotFoundError as error:
        if error.name not in ("distributed", "dask"):
            raise
        raise SettingsError(
            "--scheduler needs dask.distributed, which is not installed",
            hint=install_hint("dask"),
        ) from error
    return distributed


def _do(work: Work, partition: Partition) -> PartitionResult:
    """What a worker does. An error of ours is a result: Dask would try it again, and lose its hint."""
    try:
        return work(partition)
    except TicketAttrError as error:
        return PartitionProblem(partition.name, str(error), error.hint, is_input=False)


def _version() -> str:
    return __version__


def _result(distributed: Any, future: Any, partition: Partition) -> PartitionResult:
    try:
        result: PartitionResult = future.result()
    except distributed.KilledWorker:
        return PartitionProblem(
            partition.name,
            "several workers died while they did it, perhaps because their memory was used up",
            "Give workers more memory, or split the partition.",
            is_input=False,
        )
    except (OSError, TimeoutError, asyncio.CancelledError, CancelledError) as error:
        raise ServiceError("the connection to the scheduler was lost", hint=_AGAIN) from error
    return result


@contextmanager
def _only_our_words() -> Iterator[None]:
    """Keeps what Dask logs about workers and connections from the screen: this module says what it means."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client", "tornado", "asyncio")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _unreachable(address: str, error: Exception) -> ServiceError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return ServiceError(f"the scheduler {address} does not answer: {reason}", hint="Check its address. " + _AGAIN)
