"""What `examples/scale` does where it can be run: by xargs, by GNU parallel, and as the task of an array or a job."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ..conftest import CLI, EXAMPLES

pytestmark = pytest.mark.scale


@pytest.fixture
def parts(cli: CLI) -> Path:
    """Four partitions of ten tickets, two in each of two folders."""
    for part in range(4):
        path = cli.folder / "in" / str(part // 2) / f"part-{part}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"id": f"T-{part}-{n}", "short_description": f"Printer {n} is jammed"}) for n in range(10)]
        path.write_text("\n".join(lines), encoding="utf-8")
    return cli.folder / "in"


def run(cli: CLI, *command: str, **settings: str) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=cli.folder,
        env={**os.environ, **cli.settings, "PATH": path, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def tickets(cli: CLI) -> list[str]:
    lines = (cli.folder / "out" / "attributions.jsonl").read_text(encoding="utf-8").splitlines()[1:-1]
    return [json.loads(line)["ticket"]["id"] for line in lines]


def _is_there(tool: str) -> bool:
    """Another program is called `parallel`, too."""
    if not (path := shutil.which(tool)):
        return False
    return "GNU" in subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout


EVERY = [f"T-{part}-{number}" for part in range(4) for number in range(10)]


@pytest.mark.parametrize("tool", ["xargs", "parallel"])
def test_a_script_does_every_partition_and_merges_them(cli: CLI, parts: Path, tool: str) -> None:
    if not _is_there(tool):
        pytest.skip(f"GNU {tool} is not installed")
    for path in parts.glob("*/*"):
        path.rename(parts / path.name)
    run(cli, str(EXAMPLES / "scale" / f"{tool}.sh"), "in", "out")
    assert tickets(cli) == EVERY


def test_the_tasks_of_an_array_of_slurm_do_every_partition(cli: CLI, parts: Path) -> None:
    for task in ("1", "0"):
        run(cli, str(EXAMPLES / "scale" / "slurm.sh"), "in", "out", SLURM_ARRAY_TASK_ID=task)
    cli.ok("merge", "out", "-i", "in/*/part-*.jsonl")
    assert tickets(cli) == EVERY


def test_the_pods_of_an_indexed_job_do_every_partition(cli: CLI, parts: Path) -> None:
    job = YAML(typ="safe").load(EXAMPLES / "scale" / "kubernetes.yaml")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    command = [part.replace("/data/", f"{cli.folder}/") for part in container["command"]]
    for pod in ("0", "1"):
        run(cli, *command, JOB_COMPLETION_INDEX=pod)
    cli.ok("merge", "out", "-i", "in/*/part-*.jsonl")
    assert tickets(cli) == EVERY
