"""Runs the scripts of deploy/ by their path, without the environment of the developer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
DEPLOY = ROOT / "deploy"
VERSION = "1.2.3-dev"
IMAGE = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/ticketattr@sha256:{'a' * 64}"
INSTANCE = "i-0123456789abcdef0"


def run(
    script: Path | str,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    before: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """The output and exit code of a script. In its PATH, `before` and the tools of this Python come first."""
    path = f"{before or TOOLS}:{TOOLS}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", str(DEPLOY / script), *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        env={"PATH": path, "HOME": "/nonexistent", **(env or {})},
    )


def stand_in(folder: Path, name: str, body: str) -> Path:
    """Create a fake program of that name; returns its folder, which has to come first in the PATH."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    return folder


def git(folder: Path, *arguments: str) -> str:
    """Run git with a test identity and without the settings of the developer."""
    settings = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com", "-c", "init.defaultBranch=main")
    result = subprocess.run(
        ["git", *settings, *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"},
    )
    return result.stdout.strip()
