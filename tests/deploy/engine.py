"""A container engine, the image of this working tree, and a substitute for its base image, which cannot be pulled.

The substitute is Debian with its own Python and the wheels that deploy/requirements.txt pins, so that the image can be
built without a network. If a real base image is available, set PYTHON_IMAGE to its name.
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
    """The output of the command. Raises RuntimeError with its stderr if it fails."""
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, **(env or {})}, cwd=cwd
    )
    if done.returncode:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout.strip()


def until(ready: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until `ready` is true. It is polled, because other programs do not report when they are done."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.1)


@dataclass(frozen=True)
class Engine:
    """`host` is the DOCKER_HOST; empty for the engine of this machine."""

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
    """A folder that other users may enter, unlike those of pytest."""
    with TemporaryDirectory(prefix="ticketattr-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """The engine of this machine, or else a new one that nothing else uses."""
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
    """A tar file of a small Debian, cached between runs."""
    tar = CACHE / f"{name}.tar"
    if not tar.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        new = tar.with_suffix(".new.tar")
        call("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}", suite, new)
        new.rename(tar)
    return tar


def wheels() -> Path:
    """The pinned requirements, as wheels for the Python of the substitute."""
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
    """The files that git tracks, as they are in the working tree."""
    context = folder / "context"
    for name in call("git", "ls-files", cwd=ROOT).splitlines():
        if (ROOT / name).is_file():
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, context / name)
    return context


def build(docker: Engine, base: str, context: Path, version: str, tag: str) -> None:
    """Build the image with deploy/Dockerfile, unchanged."""
    network = () if os.environ.get("PYTHON_IMAGE") else ("--network=none",)
    arguments = (f"--build-arg=PYTHON_IMAGE={base}", f"--build-arg=VERSION={version}", "--build-arg=REVISION=here")
    docker("build", "--quiet", *network, *arguments, "--file", context / "deploy/Dockerfile", "--tag", tag, context)
