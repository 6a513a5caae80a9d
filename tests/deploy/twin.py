"""A virtual host (systemd-nspawn) with its own PID 1, timers, engine and users. It uses the network of this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .engine import CACHE, LINUX, call, debian, until

PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "ca-certificates", "docker.io", "tini", "jq", "tzdata")
# Without a unified cgroup hierarchy, the engine has to mount the controllers itself. It needs no network of its own,
# because the containers use the network of this machine or none.
ENGINE = r"""[Service]
ExecStartPre=/bin/sh -c '[ -e /sys/fs/cgroup/cgroup.controllers ] || \
    for name in $(awk "NR > 1 && \\$2 > 0 {print \\$1}" /proc/cgroups); do \
        mkdir -p /sys/fs/cgroup/$name; umount /sys/fs/cgroup/$name 2>/dev/null; \
        mount -t cgroup -o $name cgroup /sys/fs/cgroup/$name; \
    done'
ExecStart=
ExecStart=/usr/sbin/dockerd -H unix:///run/docker.sock --storage-driver overlay2 --iptables=false --ip6tables=false \
    --bridge=none
"""
AWS = '#!/bin/sh\nPYTHONPATH=/opt/aws exec python3 -W ignore -m awscli "$@"\n'
TRACES = ("opt/ticketattr", "var/lib/ticketattr", "var/lib/ticketattr-alert", "etc/ticketattr")


class Twin:
    """A running virtual host; `root` is the folder with its file system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.leader = 0

    def path(self, name: str) -> Path:
        return self.root / name.lstrip("/")

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script like the agent of a real host: as a process of its systemd, with /bin/sh, which is dash."""
        command = ["nsenter", f"--target={self.leader}", "--all", "systemd-run", "--pipe", "--wait", "--quiet"]
        command += ["--collect", "sh", "-c", script.replace("$", "$$")]
        return subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def ok(self, script: str) -> str:
        done = self.shell(script)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def property(self, unit: str, name: str) -> str:
        return self.ok(f"systemctl show --property={name} --value {unit}")

    def forget(self) -> None:
        """Remove all deployments. The images are kept, to save time."""
        self.shell("systemctl stop ticketattr.timer ticketattr.service")
        for name in TRACES:
            shutil.rmtree(self.path(name), ignore_errors=True)
        for unit in self.path("etc/systemd/system").rglob("ticketattr*"):
            shutil.rmtree(unit) if unit.is_dir() and not unit.is_symlink() else unit.unlink(missing_ok=True)
        self.shell("rm -rf /var/lib/systemd/timers/*ticketattr*; systemctl daemon-reload; systemctl reset-failed")

    def is_up(self) -> bool:
        state = self.shell("systemctl is-system-running").stdout.strip() if self.leader else ""
        return state in {"running", "degraded"}

    def find_leader(self, nspawn: int) -> bool:
        children = Path(f"/proc/{nspawn}/task/{nspawn}/children").read_text(encoding="utf-8").split()
        self.leader = int(children[0]) if children else 0
        return bool(children)


def command_line_of_aws() -> Path:
    """The AWS command line for the Python of Debian."""
    folder = CACHE / "aws"
    if not folder.exists():
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--target",
            f"{folder}.new",
            "--python-version=3.11",
        ]
        command += ["--only-binary=:all:", *(f"--platform={each}" for each in LINUX)]
        call(*command, "awscli")
        Path(f"{folder}.new").rename(folder)
    return folder


def furnish(root: Path) -> Twin:
    call("tar", "--extract", "--file", debian("host", "bookworm", *PACKAGES), "--directory", root)
    shutil.copytree(command_line_of_aws(), root / "opt/aws")
    twin = Twin(root)
    twin.write("usr/local/bin/aws", AWS, 0o755)
    twin.write("etc/systemd/system/docker.service.d/twin.conf", ENGINE)
    twin.write("etc/machine-id", "")
    twin.write("etc/hostname", "twin\n")
    return twin


@contextmanager
def running(root: Path) -> Iterator[Twin]:
    twin = furnish(root)
    command = ["systemd-nspawn", "--quiet", f"--directory={root}", f"--machine=twin-{os.getpid()}", "--boot"]
    command += ["--register=no", "--keep-unit", "--capability=all", "--system-call-filter=@keyring bpf"]
    command += ["--resolv-conf=off", "--timezone=off", "--link-journal=no"]
    with (
        (root.parent / "console").open("w") as console,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
        ) as nspawn,
    ):
        try:
            until(lambda: twin.find_leader(nspawn.pid), "the machine's PID 1")
            until(twin.is_up, "the machine's start")
            yield twin
        finally:
            twin.shell("systemctl poweroff --no-block")
            try:
                nspawn.wait(30)
            except subprocess.TimeoutExpired:
                nspawn.kill()


@contextmanager
def registry(folder: Path, port: int) -> Iterator[str]:
    """A registry; yields its address, which an engine accepts without TLS because it is on loopback."""
    settings = folder / "registry.yml"
    storage = {"filesystem": {"rootdirectory": str(folder / "registry")}}
    values = {"version": "0.1", "storage": storage, "http": {"addr": f"127.0.0.1:{port}"}}
    settings.write_text(json.dumps(values), encoding="utf-8")
    with (folder / "registry.log").open("w") as log:
        server = subprocess.Popen(["docker-registry", "serve", str(settings)], stdout=log, stderr=log)
    try:
        yield f"localhost:{port}"
    finally:
        server.terminate()
        server.wait()
