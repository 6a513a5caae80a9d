"""An engine, the image of this tree, and what both need where nothing can be pulled: a stand-in for the base image.

The stand-in is Debian with its own Python, and beside it the wheels that deploy/requirements.txt pins, so that the
image builds without a network. PYTHON_IMAGE names a real base image where one can be had.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from .scripts import ROOT

CACHE = ROOT / ".nox" / "stand-in"
SUITE, PYTHON = "trixie", "3.13"
LINUX = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


def call(*command: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Its output; what it said to stderr is in the error."""
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, **(env or {})}, cwd=cwd
    )
    if done.returncode:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout.strip()


def until(ready: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """These tests watch other programs; those tell nobody when they are done."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.1)


@dataclass(frozen=True)
class Engine:
    """`host` as DOCKER_HOST; empty for the one that is there."""

    host: str

    def __call__(self, *words: str | Path) -> str:
        return call("docker", *words, env={"DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "0"} if self.host else None)

    @property
    def answers(self) -> bool:
        try:
            self("version")
        except RuntimeError:
            return False
        return True


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that other users may walk into, which pytest's are not."""
    with TemporaryDirectory(prefix="ticketattr-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """The one that is there, or one of its own that nothing else sees."""
    there = Engine("")
    if there.answers:
        yield there
        return
    own = Engine(f"unix://{folder}/socket")
    command = ["unshare", "--mount", "dockerd", f"--host={own.host}", f"--data-root={folder}/data"]
    command += [f"--exec-root={folder}/exec", f"--pidfile={folder}/pid", "--storage-driver=overlay2"]
    command += ["--iptables=false", "--ip6tables=false", "--bridge=none"]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as daemon:
        try:
            until(lambda: own.answers, "dockerd")
            yield own
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()


def debian(name: str, suite: str, *packages: str) -> Path:
    """A tar file of a small Debian, kept between runs."""
    tar = CACHE / f"{name}.tar"
    if not tar.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        new = tar.with_suffix(".new.tar")
        call("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}", suite, new)
        new.rename(tar)
    return tar


def wheels() -> Path:
    """What the requirements pin, for the stand-in's Python."""
    folder = CACHE / "wheels"
    for name in ("requirements.txt", "requirements-build.txt"):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder), "--require-hashes"]
        command += ["--only-binary=:all:", f"--python-version={PYTHON}", *(f"--platform={each}" for each in LINUX)]
        call(*command, "--requirement", ROOT / "deploy" / name)
    return folder


def base_image(docker: Engine, folder: Path) -> str:
    named = os.environ.get("PYTHON_IMAGE")
    if named:
        return named
    context = folder / "base"
    context.mkdir()
    os.link(debian("base", SUITE, "python3", "python3-venv", "ca-certificates"), context / "base.tar")
    shutil.copytree(wheels(), context / "wheels")
    (context / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n", encoding="utf-8")
    (context / "Dockerfile").write_text(
        "FROM scratch\nADD base.tar /\nCOPY wheels /wheels\nCOPY pip.conf /etc/pip.conf\n", encoding="utf-8"
    )
    docker("build", "--quiet", "--tag", "ticketattr-base", context)
    return "ticketattr-base"


def context_of_this_tree(folder: Path) -> Path:
    """What git knows, as it lies here: neither environments nor what somebody left behind."""
    context = folder / "context"
    for name in call("git", "ls-files", cwd=ROOT).splitlines():
        if (ROOT / name).is_file():
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, context / name)
    return context


def build(docker: Engine, base: str, context: Path, version: str, tag: str) -> None:
    """By our Dockerfile, as it is."""
    network = () if os.environ.get("PYTHON_IMAGE") else ("--network=none",)
    arguments = (f"--build-arg=PYTHON_IMAGE={base}", f"--build-arg=VERSION={version}", "--build-arg=REVISION=here")
    docker("build", "--quiet", *network, *arguments, "--file", context / "deploy/Dockerfile", "--tag", tag, context)
