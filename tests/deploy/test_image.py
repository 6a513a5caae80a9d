"""The contents of the image and the start of its container, tested without a container engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .scripts import DEPLOY, IMAGE, ROOT, run, stand_in

DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
SECRET = "secret-canary"


def test_both_stages_use_one_base_image_that_is_pinned_by_digest() -> None:
    assert re.search(r"^ARG PYTHON_IMAGE=\S+:3\.12-\S+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)
    assert {line.split()[1] for line in DOCKERFILE.splitlines() if line.startswith("FROM ")} == {"${PYTHON_IMAGE}"}


def test_the_image_runs_as_a_numeric_user_other_than_root() -> None:
    assert re.findall(r"^USER (.*)", DOCKERFILE, re.MULTILINE) == ["10001:10001"]


def test_the_last_stage_copies_the_environment_and_installs_nothing() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "COPY --from=build /opt/venv /opt/venv" in last
    assert not re.search(r"^(RUN|ADD) ", last, re.MULTILINE)


def test_the_build_context_contains_only_files_that_the_image_copies() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    assert ignored[0] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == set(" ".join(copied).split())


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-build.txt"])
def test_every_requirement_has_a_hash_and_no_host_is_named(name: str) -> None:
    text = (DEPLOY / name).read_text(encoding="utf-8")
    requirements = text.replace("\\\n", " ").splitlines()
    assert requirements
    assert all(re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line) for line in requirements)
    assert not re.search(r"https?://|--index|--extra|--find", text)


def test_every_declared_dependency_is_pinned() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = re.findall(r"--extra=(\w+)", (ROOT / "noxfile.py").read_text(encoding="utf-8"))
    assert {"alerts", "offline"} <= set(extras)
    lists = [text.partition(f"\n{name} = [")[2].partition("\n]")[0] for name in ("dependencies", *extras)]
    assert all(lists)
    declared = "".join(lists)
    names = re.findall(r'^ +"([A-Za-z0-9._-]+)', declared, re.MULTILINE)
    pinned = re.findall(r"^([a-z0-9-]+)==", (DEPLOY / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert names
    assert {re.sub(r"[._]", "-", name.lower()) for name in names} <= set(pinned)


class Host:
    """A release, its folders, and a fake engine that records its arguments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = folder / "asked"
        self.release = folder / "release"
        (self.release / "host").mkdir(parents=True)
        (self.release / "host/container.sh").write_bytes((DEPLOY / "host/container.sh").read_bytes())
        (self.release / "release.env").write_text(f"VERSION=1.2.3-dev\nIMAGE={IMAGE}\n", encoding="utf-8")
        self.runtime = folder / "run"
        (self.runtime / "secrets").mkdir(parents=True)
        (self.runtime / "secrets/LLM_API_KEY").write_text(SECRET, encoding="utf-8")
        self.state = folder / "state"
        self.state.mkdir()
        self.engine = f'printf "%s\\n" "$@" >{self.asked}'

    def container(self, *arguments: str) -> tuple[int, str]:
        engine = stand_in(self.folder / "bin", "docker", self.engine)
        folders = {"STATE_DIRECTORY": str(self.state), "RUNTIME_DIRECTORY": str(self.runtime)}
        result = run(self.release / "host/container.sh", *arguments, env=folders, before=engine)
        return result.returncode, result.stderr

    @property
    def arguments(self) -> list[str]:
        return self.asked.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.mark.parametrize("command", ["run", "smoke"])
def test_a_container_has_no_capabilities_and_limited_resources(host: Host, command: str) -> None:
    host.container(command)
    assert {
        "--user=10001:10001",
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--memory=1g",
        "--memory-swap=1g",
        "--cpus=1",
        "--pids-limit=128",
        "--pull=never",
        "--rm",
        f"--mount=type=bind,src={host.state},dst=/state",
    } <= set(host.arguments)
    assert not [word for word in host.arguments if "privileged" in word and "no-new" not in word]
    assert IMAGE in host.arguments


def test_secrets_are_passed_as_files_and_never_as_arguments(host: Host) -> None:
    assert host.container("run")[0] == 0
    assert "--env=LLM_API_KEY_FILE=/run/secrets/LLM_API_KEY" in host.arguments
    assert f"--mount=type=bind,src={host.runtime}/secrets,dst=/run/secrets,readonly" in host.arguments
    assert SECRET not in host.asked.read_text(encoding="utf-8")


def test_arguments_are_passed_to_the_program_unchanged(host: Host) -> None:
    host.container("pending", "list", "--format", "a b;$(id)")
    assert host.arguments[-5:] == ["/etc/ticketattr.env", "pending", "list", "--format", "a b;$(id)"]


def test_the_smoke_test_has_neither_network_nor_secrets(host: Host) -> None:
    host.container("smoke")
    assert "--network=none" in host.arguments
    assert not [word for word in host.arguments if "secrets" in word]


def test_a_demo_that_writes_no_report_is_a_failure(host: Host) -> None:
    code, stderr = host.container("smoke")
    assert code == 1
    assert "wrote no report" in stderr


def test_the_files_of_a_successful_demo_are_deleted(host: Host) -> None:
    smoke = host.state / "smoke" / "demo"
    host.engine = f"mkdir -p {smoke}/output {smoke}/outbox; touch {smoke}/output/a.xlsx {smoke}/outbox/a.eml"
    assert host.container("smoke") == (0, "")
    assert list(host.state.iterdir()) == []


def test_the_smoke_test_also_runs_check(host: Host) -> None:
    host.engine = f'printf "%s " "$@" >>{host.asked}; echo >>{host.asked}'
    host.container("smoke")
    assert [line.split()[-1] for line in host.arguments] == ["run", "check"]


def test_a_check_that_fails_fails_the_smoke_test(host: Host) -> None:
    smoke = host.state / "smoke"
    host.engine = f'mkdir -p {smoke}/output; for last in "$@"; do :; done; [ "$last" = run ] || exit 3'
    assert host.container("smoke")[0] == 3


@pytest.mark.parametrize(("found", "code"), [(0, 0), (2, 2), (3, 3), (4, 0), (125, 125)])
def test_an_unavailable_service_is_not_a_failure_of_the_release(host: Host, found: int, code: int) -> None:
    host.engine = f'printf "%s\n" "$@" >{host.asked}; exit {found}'
    returncode, stderr = host.container("ready")
    assert (returncode, "not a failure of the release" in stderr) == (code, found == 4)
    assert host.arguments[-4:] == ["--env-file", "/etc/ticketattr.env", "--quiet", "check"]
    assert "--env=LLM_API_KEY_FILE=/run/secrets/LLM_API_KEY" in host.arguments


@pytest.mark.parametrize("command", ["run", "smoke", "ready"])
def test_the_id_file_of_an_earlier_container_is_replaced(host: Host, command: str) -> None:
    """The engine refuses to overwrite that file."""
    (host.runtime / "container").write_text("earlier", encoding="utf-8")
    host.engine = (
        f"mkdir -p {host.state}/smoke/demo/output {host.state}/smoke/demo/outbox\n"
        f"touch {host.state}/smoke/demo/output/a.xlsx {host.state}/smoke/demo/outbox/a.eml\n"
        f"[ ! -e {host.runtime}/container ] && echo id >{host.runtime}/container"
    )
    assert host.container(command)[0] == 0


def test_a_container_without_a_command_is_refused(host: Host) -> None:
    code, stderr = host.container()
    assert code == 2
    assert "usage" in stderr


def test_the_unit_ends_with_the_exit_code_of_the_program(host: Host) -> None:
    host.engine = "exit 5"
    assert host.container("run")[0] == 5
    service = (DEPLOY / "systemd/ticketattr.service").read_text(encoding="utf-8")
    assert "ExecStart=/opt/ticketattr/current/host/container.sh run\n" in service
    assert "SuccessExitStatus" not in service
