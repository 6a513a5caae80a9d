"""The scripts that use AWS, against moto on loopback and an agent that really runs its commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from .amazon import LOCATION, ask, messages_to, outputs, put_secret
from .scripts import DEPLOY, IMAGE, INSTANCE, TOOLS, VERSION, git, run, stand_in
from .ssm_agent import Agent, serving

pytestmark = pytest.mark.deploy

PLACE = "s3://bundles/ticketattr/dev"
BUNDLE = f"{PLACE}/ticketattr-{VERSION}.tar"
DOCUMENT: dict[str, Any] = json.loads((DEPLOY / "ssm_document.json").read_text(encoding="utf-8"))


# --- the bundle ----------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with our deploy/, in which the host script only records its arguments."""
    folder = tmp_path / "project"
    (folder / "deploy/host").mkdir(parents=True)
    (folder / "src").mkdir()
    (folder / "src/other.py").touch()
    (folder / "deploy/build_bundle.sh").write_bytes((DEPLOY / "build_bundle.sh").read_bytes())
    (folder / "deploy/host/deploy.sh").write_text(
        f'printf "%s\\n" "$@" >{tmp_path}/deployed\necho "it is current"\n', encoding="utf-8"
    )
    git(tmp_path, "init", "--quiet", str(folder))
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "all")
    return folder


@pytest.fixture
def bucket(aws: dict[str, str]) -> dict[str, str]:
    ask(aws, "s3api", "create-bucket", "--bucket", "bundles", *LOCATION)
    return aws


def build(project: Path, env: dict[str, str], version: str = VERSION) -> dict[str, str]:
    result = run(project / "deploy/build_bundle.sh", version, PLACE, env=env)
    assert result.returncode == 0, result.stderr
    return outputs(result.stdout)


def test_the_bundle_contains_only_the_folder_deploy(project: Path, bucket: dict[str, str], tmp_path: Path) -> None:
    assert build(project, bucket)["bundle"] == BUNDLE
    ask(bucket, "s3api", "get-object", "--bucket", "bundles", "--key", BUNDLE.split("/", 3)[3], str(tmp_path / "b.tar"))
    listing = subprocess.run(
        ["tar", "--list", "--file", tmp_path / "b.tar"], check=True, capture_output=True, text=True
    )
    assert {line.partition("/")[0] for line in listing.stdout.splitlines()} == {"deploy"}


def test_the_bundle_is_the_same_in_every_clone(project: Path, bucket: dict[str, str], tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(project), str(tmp_path / "again"))
    first, second = build(project, bucket, "1.0.0-dev"), build(tmp_path / "again", bucket, "1.0.1-dev")
    assert first["bundle_sha256"] == second["bundle_sha256"]


def test_a_second_upload_under_the_same_version_is_refused(project: Path, bucket: dict[str, str]) -> None:
    sha256 = build(project, bucket)["bundle_sha256"]
    (project / "deploy/more").touch()
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "more")
    result = run(project / "deploy/build_bundle.sh", VERSION, PLACE, env=bucket)
    assert result.returncode == 1
    assert result.stdout == ""
    assert "a bundle is never overwritten" in result.stderr
    assert build(project, bucket, "1.2.4-dev")["bundle_sha256"] != sha256


# --- the command to the host ---------------------------------------------------------------------------------------


class Host:
    """The host of the agent: this machine, with a settings file of its own."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.deployed = folder / "deployed"
        self.settings = folder / "host.env"
        self.settings.write_text("AWS_REGION=eu-central-1\n", encoding="utf-8")
        self.env = env
        self.agent = Agent(DOCUMENT, self.shell)

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        path = f"{TOOLS}:{os.environ['PATH']}"
        return subprocess.run(
            ["sh", "-c", script.replace("/etc/ticketattr/host.env", str(self.settings))],
            check=False,
            capture_output=True,
            text=True,
            env={**self.env, "PATH": path},
        )

    def deploy(self, *words: str) -> subprocess.CompletedProcess[str]:
        with serving(self.agent) as address:
            env = {**self.env, "AWS_ENDPOINT_URL_SSM": address, "POLL_SECONDS": "0.1"}
            return run("ssm_deploy.sh", *words, INSTANCE, env=env)


@pytest.fixture
def host(tmp_path: Path, bucket: dict[str, str]) -> Host:
    return Host(tmp_path, bucket)


def test_the_host_deploys_the_bundle_that_was_built(project: Path, host: Host) -> None:
    built = build(project, host.env)
    result = host.deploy(VERSION, IMAGE, built["bundle"], built["bundle_sha256"])
    assert result.returncode == 0, result.stderr
    assert host.deployed.read_text(encoding="utf-8").splitlines() == [VERSION, IMAGE]
    assert "it is current" in result.stdout
    assert f"{VERSION} runs on {INSTANCE}" in result.stdout


def test_a_failure_of_the_host_is_reported_with_its_message(project: Path, host: Host) -> None:
    (project / "deploy/host/deploy.sh").write_text("echo 'the old one goes on' >&2; exit 1\n", encoding="utf-8")
    git(project, "commit", "--quiet", "--all", "--message", "broken")
    built = build(project, host.env)
    result = host.deploy(VERSION, IMAGE, built["bundle"], built["bundle_sha256"])
    assert result.returncode == 1
    assert "the old one goes on" in result.stderr
    assert f"{VERSION} was not deployed: Failed" in result.stderr
    assert "runs on" not in result.stdout


def test_a_bundle_with_a_wrong_sha256_is_not_unpacked(project: Path, host: Host) -> None:
    built = build(project, host.env)
    result = host.deploy(VERSION, IMAGE, built["bundle"], "0" * 64)
    assert result.returncode == 1
    assert "the SHA-256 of the bundle is wrong; nothing was changed" in result.stderr
    assert not host.deployed.exists()


def test_a_missing_bundle_is_reported(host: Host) -> None:
    result = host.deploy(VERSION, IMAGE, BUNDLE, "0" * 64)
    assert result.returncode == 1
    assert "404" in result.stderr
    assert not host.deployed.exists()


def test_a_deployment_that_does_not_end_is_a_failure(host: Host) -> None:
    host.agent.run = lambda script: subprocess.run(["sleep", "2"], check=False, capture_output=True, text=True)
    host.env["WAIT_SECONDS"] = "1"
    result = host.deploy(VERSION, IMAGE, BUNDLE, "0" * 64)
    assert result.returncode == 1
    assert "has not ended after 1 s" in result.stderr


def test_the_document_refuses_a_version_that_contains_a_command(host: Host) -> None:
    evil = {"Version": ["a';touch$IFS/x;'-dev"], "Image": [IMAGE], "Bundle": [BUNDLE], "BundleSha256": ["0" * 64]}
    request = {"DocumentName": "ticketattr-deploy", "InstanceIds": [INSTANCE], "Parameters": evil}
    with serving(host.agent) as address:
        env = {**host.env, "AWS_ENDPOINT_URL_SSM": address}
        with pytest.raises(subprocess.CalledProcessError) as refused:
            ask(env, "ssm", "send-command", "--cli-input-json", json.dumps(request))
    assert "InvalidParameters" in refused.value.stderr
    assert host.agent.scripts == []


# --- secrets -------------------------------------------------------------------------------------------------------

SECRETS = {
    "HELPDESK_API_KEY": "a\tb",
    "HELPDESK_API_SECRET": "line\nnext\n",
    "LLM_API_KEY": """it's "quoted" \\ and \\n""",
    "EMAIL_PASSWORD": "$(touch injected) `id` $HOME %s ü€ ",
    "ALERT_URLS": "--output text",
}


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A folder in memory, like the runtime folder of the unit."""
    with TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def fetch(env: dict[str, str], runtime: Path, before: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {**env, "SECRETS_PATH": "/ticketattr/dev", "RUNTIME_DIRECTORY": str(runtime)}
    return run("host/secrets.sh", env=env, cwd=runtime, before=before)


def test_secrets_arrive_byte_for_byte(aws: dict[str, str], runtime: Path) -> None:
    for name, value in SECRETS.items():
        put_secret(aws, f"/ticketattr/dev/{name}", value)
    put_secret(aws, "/ticketattr/prod/OTHER", "not ours")
    result = fetch(aws, runtime)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    files = {file.name: file.read_bytes() for file in (runtime / "secrets").iterdir()}
    # The program ignores one line break at the end.
    assert files == {name: f"{value}\n".encode() for name, value in SECRETS.items()}
    assert {file.stat().st_mode & 0o777 for file in (runtime / "secrets").iterdir()} == {0o600}
    assert [file.name for file in runtime.iterdir()] == ["secrets"]


def test_secrets_that_were_deleted_at_aws_are_deleted_on_the_host(aws: dict[str, str], runtime: Path) -> None:
    for name in ("EMAIL_PASSWORD", "LLM_API_KEY"):
        put_secret(aws, f"/ticketattr/dev/{name}", "x")
    fetch(aws, runtime)
    ask(aws, "ssm", "delete-parameter", "--name", "/ticketattr/dev/LLM_API_KEY")
    assert fetch(aws, runtime).returncode == 0
    assert [file.name for file in (runtime / "secrets").iterdir()] == ["EMAIL_PASSWORD"]


@pytest.mark.parametrize(
    "jq",
    ["exit 5", "printf 'LLM_API_KEY\\teAo=\\n'; exit 5", "printf 'A_KEY\\teAo=\\nB_KEY\\t!!!\\n'", "true"],
    ids=["nothing", "a part", "no base64", "no lines"],
)
def test_a_failure_of_jq_is_one_and_leaves_nothing(runtime: Path, tmp_path: Path, jq: str) -> None:
    stand_in(tmp_path / "bin", "aws", "echo '{}'")
    result = fetch({}, runtime, before=stand_in(tmp_path / "bin", "jq", f"cat >/dev/null; {jq}"))
    assert (result.returncode, list(runtime.iterdir())) == (1, [])
    assert result.stderr.startswith("secrets.sh: ") or "secrets.sh: " in result.stderr


def test_secrets_are_not_written_to_a_disk(aws: dict[str, str], tmp_path: Path) -> None:
    put_secret(aws, "/ticketattr/dev/LLM_API_KEY", "x")
    result = fetch(aws, tmp_path, before=stand_in(tmp_path / "bin", "stat", "echo ext2/ext3"))
    assert (result.returncode, "is not in memory" in result.stderr) == (1, True)
    assert not (tmp_path / "secrets").exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "lower", "1A", "A-B"])
def test_a_parameter_whose_name_cannot_be_a_setting_is_refused(aws: dict[str, str], runtime: Path, name: str) -> None:
    put_secret(aws, f"/ticketattr/dev/{name.rpartition('/')[2]}", "x")
    result = fetch(aws, runtime)
    assert result.returncode == 1
    assert "is not a name of a setting" in result.stderr
    assert not (runtime / "secrets").exists()


def test_an_empty_parameter_path_is_a_failure(aws: dict[str, str], runtime: Path) -> None:
    result = fetch(aws, runtime)
    assert (result.returncode, "no parameter below /ticketattr/dev" in result.stderr) == (1, True)


def test_secrets_that_cannot_be_read_are_a_failure(aws: dict[str, str], runtime: Path) -> None:
    result = fetch({**aws, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, runtime)
    assert (result.returncode, "could not be read" in result.stderr) == (1, True)


# --- alerts --------------------------------------------------------------------------------------------------------


class Alerting:
    """A topic that receives alerts, and a fake unit whose result can be set."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.topic = ask(env, "sns", "create-topic", "--name", "ticketattr-dev")["TopicArn"]
        self.env = {**env, "ALERT_TOPIC_ARN": self.topic, "STATE_DIRECTORY": str(folder)}

    def unit_ended(self, result: str, status: int) -> subprocess.CompletedProcess[str]:
        body = f'case "$*" in *ExecMainStatus*) echo {status} ;; *) echo {result} ;; esac'
        systemctl = stand_in(self.folder / "bin", "systemctl", body)
        return run("host/alert.sh", "ticketattr.service", env=self.env, before=systemctl)

    @property
    def messages(self) -> list[str]:
        return messages_to(self.topic)


@pytest.fixture
def alerting(tmp_path: Path, aws: dict[str, str]) -> Alerting:
    return Alerting(tmp_path, aws)


def test_a_failure_is_reported_once_and_so_is_its_end(alerting: Alerting) -> None:
    for result, status in (("exit-code", 4), ("exit-code", 4), ("exit-code", 5), ("success", 0), ("success", 0)):
        assert alerting.unit_ended(result, status).returncode == 0
    first, second, last = alerting.messages
    assert "exit code 4" in first
    assert "exit code 5" in second
    assert "works again" in last


def test_every_failure_is_logged_as_critical_in_the_journal(alerting: Alerting) -> None:
    lines = [alerting.unit_ended("exit-code", 2).stdout for _ in range(2)]
    assert all(line.startswith("<2>ticketattr.service on ") for line in lines)


def test_an_alert_that_could_not_be_sent_is_sent_next_time(alerting: Alerting) -> None:
    there, alerting.env["AWS_ENDPOINT_URL"] = alerting.env["AWS_ENDPOINT_URL"], "http://127.0.0.1:9"
    assert alerting.unit_ended("timeout", 0).returncode != 0
    alerting.env["AWS_ENDPOINT_URL"] = there
    assert alerting.unit_ended("timeout", 0).returncode == 0
    assert len(alerting.messages) == 1
    assert "timeout, before the program started" in alerting.messages[0]


# --- the page -----------------------------------------------------------------------------------------------------


def test_the_commands_of_the_page_make_what_a_deployment_needs(aws: dict[str, str], tmp_path: Path) -> None:
    role = ("--role-name", "THE_ROLE_OF_THE_INSTANCE", "--assume-role-policy-document", "{}")
    ask(aws, "iam", "create-role", *role)
    (instance,) = ask(aws, "ec2", "run-instances", "--image-id", "ami-12c6146b")["Instances"]
    page = (DEPLOY / "README.md").read_text(encoding="utf-8").replace(INSTANCE, instance["InstanceId"])
    blocks = re.findall(r"^```bash\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    told = "".join(block for block in blocks if re.search(r"\baws |export ACCOUNT", block))
    script = tmp_path / "page.sh"
    # Nobody is there to type the secret.
    script.write_text("set -euo pipefail\n" + told.replace("read -rs value", "value='a b'"), encoding="utf-8")
    done = run(script, env=aws)
    assert done.returncode == 0, done.stderr
    roles = {found["RoleName"] for found in ask(aws, "iam", "list-roles")["Roles"]}
    assert {"ticketattr-build", "ticketattr-deploy"} <= roles
    assert ask(aws, "ssm", "describe-document", "--name", "ticketattr-deploy")["Document"]["Status"] == "Active"
    (secret,) = ask(aws, "ssm", "get-parameters-by-path", "--path", "/ticketattr/dev", "--with-decryption")[
        "Parameters"
    ]
    assert secret["Value"] == "a b"
