"""Workers, scheduler and client are killed at many points of a job: every ticket is in the result once."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from ticketattr.application.partitions import Partition
from ticketattr.infrastructure.partitions.dask_runner import DaskRunner

from ..conftest import CLI
from .cluster import HUNGRY, OTHER_VERSION, Cluster, cluster, kill

dask_package = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.scale

KILLS = int(os.environ.get("SCALE_KILLS", "20"))
PARTITIONS, TICKETS = KILLS * 5 + 10, 20
PATIENCE = 120.0


@pytest.fixture
def parts(cli: CLI) -> Path:
    folder = cli.folder / "in"
    folder.mkdir()
    for part in range(PARTITIONS):
        lines = [
            json.dumps({"id": f"T-{part}-{number}", "short_description": f"Printer {part} {number} is jammed"})
            for number in range(TICKETS)
        ]
        (folder / f"part-{part:04}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def dask(cli: CLI) -> Iterator[Cluster]:
    with cluster(cli.folder / "cluster", free_port()) as started:
        yield started


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def client(cli: CLI, dask: Cluster) -> subprocess.Popen[bytes]:
    args = ("classify", "-i", "in/part-*.jsonl", "-o", "out/", "--scheduler", dask.address)
    with (cli.folder / "client.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ticketattr", *args],
            cwd=cli.folder,
            env={**os.environ, **cli.settings},
            stdout=log,
            stderr=log,
        )


def done(cli: CLI) -> int:
    return len([*(cli.folder / "out").glob("*.manifest.json")])


def when_written(cli: CLI) -> dict[Path, int]:
    """Of each partition that is done: when, in nanoseconds."""
    return {path: path.stat().st_mtime_ns for path in (cli.folder / "out").glob("*.manifest.json")}


def wait_for(cli: CLI, count: int, process: subprocess.Popen[bytes]) -> None:
    """Until so many partitions are done, or the process has ended."""
    end = monotonic() + PATIENCE
    while done(cli) < count and process.poll() is None:
        assert monotonic() < end, (cli.folder / "client.log").read_text(encoding="utf-8")[-2000:]
        sleep(0.005)


def assert_every_ticket_once(cli: CLI) -> None:
    cli.ok("merge", "out/", "-i", "in/part-*.jsonl")
    lines = (cli.folder / "out" / "attributions.jsonl").read_text(encoding="utf-8").splitlines()[1:-1]
    ids = [json.loads(line)["ticket"]["id"] for line in lines]
    assert ids == [f"T-{part}-{number}" for part in range(PARTITIONS) for number in range(TICKETS)]
    assert not [*(cli.folder / "out").glob("*.tmp")]


def test_a_worker_that_is_killed_costs_its_task_alone(cli: CLI, dask: Cluster, parts: Path) -> None:
    process = client(cli, dask)
    kills, written = 0, dict[Path, int]()
    for kills in range(1, KILLS + 1):
        wait_for(cli, kills * 5, process)
        written = when_written(cli) | written
        dask.kill_worker()
        dask.start_worker()
    assert process.wait(PATIENCE) == 0, (cli.folder / "client.log").read_text(encoding="utf-8")[-2000:]
    assert "distributed." not in (cli.folder / "client.log").read_text(encoding="utf-8")
    assert kills == KILLS
    assert when_written(cli) | written == when_written(cli)
    assert_every_ticket_once(cli)


def test_a_job_goes_on_after_its_scheduler_was_killed(cli: CLI, dask: Cluster, parts: Path) -> None:
    for kills in range(1, KILLS + 1):
        process = client(cli, dask)
        wait_for(cli, kills * 5, process)
        dask.kill_scheduler()
        assert process.wait(PATIENCE) == 4, (cli.folder / "client.log").read_text(encoding="utf-8")[-2000:]
        dask.start_scheduler()
        dask.start_worker()
    assert client(cli, dask).wait(PATIENCE) == 0
    said = (cli.folder / "client.log").read_text(encoding="utf-8")
    assert "Traceback" not in said
    assert_every_ticket_once(cli)


def test_a_job_goes_on_after_its_client_was_killed(cli: CLI, dask: Cluster, parts: Path) -> None:
    for kills in range(1, KILLS + 1):
        process = client(cli, dask)
        wait_for(cli, kills * 5, process)
        kill(process)
    assert client(cli, dask).wait(PATIENCE) == 0
    assert_every_ticket_once(cli)


def test_a_partition_that_takes_all_memory_is_named_and_the_others_are_done(cli: CLI) -> None:
    folder = cli.folder / "in"
    folder.mkdir()
    # Dask takes tasks whose names differ in letters for work of different kinds.
    for part, text in zip("abcd", ("takes all the memory", "Printer", "Screen", "Mouse"), strict=True):
        (folder / f"part-{part}.jsonl").write_text(json.dumps({"id": f"T-{part}", "short_description": text}))
    with cluster(cli.folder / "cluster", free_port(), workers=1, preload=HUNGRY, memory="600MiB") as dask:
        # Four workers die, one after the other.
        assert client(cli, dask).wait(4 * PATIENCE) == 5
    said = (cli.folder / "client.log").read_text(encoding="utf-8")
    assert "not done: part-a: several workers died while they did it, perhaps because their memory was used up" in said
    assert "Traceback" not in said
    assert done(cli) == 3
    assert "1 partition of 4 not done: part-a" in cli("merge", "out/").stderr


def test_no_partition_waits_on_a_worker_that_may_die() -> None:
    def longest_queue(partition: Partition) -> Any:
        sleep(0.5)
        return max(len(keys) for keys in distributed.get_client().processing().values())

    partitions = [Partition(f"part-{letter}", Path()) for letter in "abcdef"]
    with (
        dask_package.config.set({"distributed.scheduler.worker-saturation": 1.0}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0") as running,
    ):
        results = DaskRunner(running.scheduler_address)(longest_queue, partitions)
        assert {str(result) for result in results} == {"1"}
        assert [*DaskRunner(running.scheduler_address)(longest_queue, [])] == []


def test_a_worker_of_another_version_is_named_and_does_nothing(cli: CLI, parts: Path) -> None:
    with cluster(cli.folder / "cluster", free_port(), workers=1, preload=OTHER_VERSION) as dask:
        assert client(cli, dask).wait(PATIENCE) == 2
    assert "has ticketattr 99.0, and this is" in (cli.folder / "client.log").read_text(encoding="utf-8")
    assert done(cli) == 0


def test_a_cluster_without_workers_is_said(cli: CLI, parts: Path) -> None:
    with cluster(cli.folder / "cluster", free_port(), workers=0) as dask:
        assert client(cli, dask).wait(PATIENCE) == 4
    assert f"the scheduler {dask.address} has no worker" in (cli.folder / "client.log").read_text(encoding="utf-8")


def test_processes_of_this_machine_give_the_bytes_of_one_process(cli: CLI, parts: Path) -> None:
    few = "in/part-000[0-3].jsonl"
    assert cli.python("-m", "ticketattr", "classify", "-i", few, "-o", "one/").returncode == 0
    assert cli.python("-m", "ticketattr", "classify", "-i", few, "-o", "two/", "--scheduler", "local").returncode == 0
    one, two = (sorted((cli.folder / name).glob("*.attributions.jsonl")) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert len(one) == 4
