"""The image, built and run. These tests run as root, because the container has another user."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .engine import Engine, base_image, build, context_of_this_tree, engine, open_folder
from .scripts import DEPLOY

pytestmark = pytest.mark.image

TAG = "ticketattr-test"
USER = 10001


@pytest.fixture(scope="module")
def docker() -> Iterator[Engine]:
    with open_folder() as folder, engine(folder) as running:
        build(running, base_image(running, folder), context_of_this_tree(folder), "1.2.3-dev", TAG)
        yield running


class Release:
    """The container.sh of a deployed release, run as the user of the service."""

    def __init__(self, docker: Engine, folder: Path) -> None:
        self.docker = docker
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir()
        os.chown(self.state, USER, USER)
        self.settings = folder / "ticketattr.env"
        self.settings.write_text("", encoding="utf-8")
        (folder / "host").mkdir()
        (folder / "host/container.sh").write_bytes((DEPLOY / "host/container.sh").read_bytes())
        (folder / "release.env").write_text(f"VERSION=1.2.3-dev\nIMAGE={TAG}\n", encoding="utf-8")

    def container(self, *words: str) -> subprocess.CompletedProcess[str]:
        env = {"STATE_DIRECTORY": str(self.state), "SETTINGS_FILE": str(self.settings), "CONTAINER_NETWORK": "none"}
        env |= {"PATH": os.environ["PATH"], "DOCKER_HOST": self.docker.host}
        group = Path(self.docker.host.removeprefix("unix://") or "/run/docker.sock").stat().st_gid
        command = ["setpriv", f"--reuid={USER}", f"--regid={USER}", f"--groups={group}"]
        script = str(self.folder / "host/container.sh")
        return subprocess.run([*command, "bash", script, *words], check=False, capture_output=True, text=True, env=env)


@pytest.fixture
def release(docker: Engine) -> Iterator[Release]:
    with open_folder() as folder:
        yield Release(docker, folder)


def inside(docker: Engine, command: str) -> str:
    return docker(
        "run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL", "--entrypoint=sh", TAG, "-c", command
    )


def test_the_demo_runs_read_only_without_rights_and_without_a_network(release: Release) -> None:
    result = release.container("smoke")
    assert result.returncode == 0, result.stderr
    assert "70 of 70 tickets attributed" in result.stderr
    assert list(release.state.iterdir()) == []


def test_the_smoke_test_detects_a_state_folder_that_is_not_writable(release: Release) -> None:
    os.chown(release.state, 0, 0)
    result = release.container("smoke")
    assert (result.returncode, "Permission denied" in result.stderr) == (1, True)


def test_the_exit_code_of_the_program_is_passed_on(release: Release) -> None:
    result = release.container("run")
    assert result.returncode == 2
    assert "HELPDESK_API_URL" in result.stderr


def test_files_of_a_run_belong_to_the_user_of_the_service(release: Release) -> None:
    examples = "/opt/ticketattr/examples"
    release.settings.write_text(
        f"HELPDESK_API_URL={examples}/tickets.json\nSERVICE_CATALOG_URL={examples}/catalog.yaml\nCLASSIFIER=offline\n"
        "EMAIL_TRANSPORT=file\nEMAIL_SENDER=a@example.com\nEMAIL_RECIPIENT=b@example.com\n"
        "CODEBASE_URL=https://example.com\n",
        encoding="utf-8",
    )
    result = release.container("run")
    assert result.returncode == 0, result.stderr
    assert {path.name for path in release.state.iterdir()} == {"output", "outbox", "work"}
    assert {path.stat().st_uid for path in release.state.rglob("*")} == {USER}


def test_the_user_of_the_image_cannot_write_any_file_in_it(docker: Engine) -> None:
    folders = inside(docker, "find / -xdev -writable ! -type l ! -path '/proc/*' ! -path '/dev/*' -type f; id -u")
    assert folders == str(USER)


def test_the_image_has_no_installer_and_no_compiler(docker: Engine) -> None:
    assert inside(docker, "ls /opt/venv/bin | grep -c -E '^pip' || true") == "0"
    assert inside(docker, "command -v cc gcc make git curl || true") == ""


def test_the_image_has_labels_user_and_a_working_program(docker: Engine) -> None:
    (found,) = json.loads(docker("image", "inspect", TAG))
    assert found["Config"]["User"] == "10001:10001"
    assert found["Config"]["Labels"]["org.opencontainers.image.version"] == "1.2.3-dev"
    assert inside(docker, "/opt/venv/bin/ticketattr --version").startswith("ticketattr")
