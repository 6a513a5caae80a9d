"""Deployments from a bundle to a running host. AWS is moto, the registry is Debian's, the host is a virtual one."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from .amazon import LOCATION, ask, messages_to, outputs, put_secret
from .engine import base_image, build, context_of_this_tree, engine, open_folder, until
from .scripts import DEPLOY, INSTANCE, ROOT, git, run
from .ssm_agent import Agent, serving
from .twin import Twin, registry, running

pytestmark = pytest.mark.twin

EXAMPLES = "/opt/ticketattr/examples"
SETTINGS = {
    "HELPDESK_API_URL": f"{EXAMPLES}/tickets.json",
    "SERVICE_CATALOG_URL": f"{EXAMPLES}/catalog.yaml",
    "HTTP_MAX_RETRIES": "0",
    "CLASSIFIER": "offline",
    "EMAIL_TRANSPORT": "file",
    "EMAIL_SENDER": "ticketattr@example.com",
    "EMAIL_RECIPIENT": "desk@example.com",
    "CODEBASE_URL": "https://example.com",
}
OFTEN = "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\nAccuracySec=100ms\n"


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    with open_folder() as folder:
        (folder / "root").mkdir()
        with running(folder / "root") as host:
            yield host


@pytest.fixture(scope="module")
def images() -> Iterator[dict[str, str]]:
    """The digest of each image: two that work, one with another helpdesk, one whose program does not start."""
    with open_folder() as folder, engine(folder) as docker:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with registry(folder, port) as address:
            base, context = base_image(docker, folder), context_of_this_tree(folder)
            for version in ("good", "better"):
                build(docker, base, context, version, f"{address}/ticketattr:{version}")
            changes = {
                "asking": "ENV HELPDESK_API_URL=http://127.0.0.1:9/",
                "broken": 'ENTRYPOINT ["/bin/false"]',
            }
            for name, line in changes.items():
                (folder / name).mkdir()
                dockerfile = f"FROM {address}/ticketattr:good\n{line}\n"
                (folder / name / "Dockerfile").write_text(dockerfile, encoding="utf-8")
                docker("build", "--quiet", "--tag", f"{address}/ticketattr:{name}", folder / name)
            found = {}
            for name in ("good", "better", *changes):
                docker("push", "--quiet", f"{address}/ticketattr:{name}")
                (pushed,) = json.loads(docker("image", "inspect", f"{address}/ticketattr:{name}"))
                (found[name],) = [each for each in pushed["RepoDigests"] if each.startswith(address)]
            yield found


class Desk:
    """Deployments to the twin, with an AWS account and a repository."""

    def __init__(self, twin: Twin, images: dict[str, str], aws: dict[str, str], folder: Path) -> None:
        self.twin = twin
        self.images = images
        self.aws = aws
        self.topic = ask(aws, "sns", "create-topic", "--name", "ticketattr-dev")["TopicArn"]
        ask(aws, "s3api", "create-bucket", "--bucket", "bundles", *LOCATION)
        for name in ("HELPDESK_API_KEY", "HELPDESK_API_SECRET"):
            put_secret(aws, f"/ticketattr/dev/{name}", f"'{name}\"$")
        self.project = folder / "project"
        shutil.copytree(DEPLOY, self.project / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
        git(folder, "init", "--quiet", str(self.project))
        self.host_settings({})
        self.settings({})

    def host_settings(self, changes: dict[str, str]) -> None:
        values = {**self.aws, "SECRETS_PATH": "/ticketattr/dev", "ALERT_TOPIC_ARN": self.topic}
        values |= {"CONTAINER_NETWORK": "host", **changes}
        self.twin.write("etc/ticketattr/host.env", "".join(f"{name}={value}\n" for name, value in values.items()))

    def settings(self, changes: dict[str, str]) -> None:
        values = {**SETTINGS, **changes}
        self.twin.write("etc/ticketattr/ticketattr.env", "".join(f"{name}={value}\n" for name, value in values.items()))

    def deploy(self, version: str, image: str = "good", changes: dict[str, str] | None = None) -> Any:
        """Run the job `deploy` after the job `build` has made a bundle of deploy/ with these changes."""
        for name, text in (changes or {}).items():
            (self.project / "deploy" / name).write_text(text, encoding="utf-8")
        git(self.project, "add", "--all")
        git(self.project, "commit", "--quiet", "--allow-empty", "--message", version)
        bundle = run(self.project / "deploy/build_bundle.sh", version, "s3://bundles/ticketattr/dev", env=self.aws)
        assert bundle.returncode == 0, bundle.stderr
        built = outputs(bundle.stdout)
        document = json.loads((self.project / "deploy/ssm_document.json").read_text(encoding="utf-8"))
        with serving(Agent(document, self.twin.shell)) as address:
            words = (version, self.images[image], built["bundle"], built["bundle_sha256"], INSTANCE)
            env = {**self.aws, "AWS_ENDPOINT_URL_SSM": address, "POLL_SECONDS": "0.2"}
            return run(self.project / "deploy/ssm_deploy.sh", *words, env=env)

    def deployed(self, version: str, image: str = "good") -> None:
        result = self.deploy(version, image)
        assert result.returncode == 0, result.stdout + result.stderr
        assert self.current == version

    @property
    def current(self) -> str:
        return self.twin.path("opt/ticketattr/current").readlink().name

    @property
    def releases(self) -> list[str]:
        return sorted(path.name for path in self.twin.path("opt/ticketattr/releases").iterdir())

    @property
    def mails(self) -> list[Path]:
        return list(self.twin.path("var/lib/ticketattr/outbox").glob("*.eml"))

    def start(self) -> subprocess.CompletedProcess[str]:
        return self.twin.shell("systemctl start ticketattr.service")


@pytest.fixture
def desk(twin: Twin, images: dict[str, str], aws: dict[str, str], tmp_path: Path) -> Desk:
    twin.forget()
    return Desk(twin, images, aws, tmp_path)


@contextmanager
def slow_helpdesk() -> Iterator[tuple[str, threading.Event, threading.Event]]:
    """A helpdesk; yields its address, an event for the request, and an event that lets it answer."""
    asked, may_answer = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.set()
            may_answer.wait(25)
            body = (ROOT / "examples/tickets.json").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", asked, may_answer
    finally:
        may_answer.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_working_release_runs_on_its_timer(desk: Desk) -> None:
    desk.twin.write("etc/systemd/system/ticketattr.timer.d/often.conf", OFTEN)
    desk.deployed("1.0.0-dev")
    until(lambda: bool(desk.mails), "the first mail that the timer brings")
    desk.twin.ok("systemctl stop ticketattr.timer")
    until(lambda: desk.twin.property("ticketattr.service", "ActiveState") == "inactive", "the end of the run")
    assert desk.twin.property("ticketattr.service", "Result") == "success"
    assert {mail.stat().st_uid for mail in desk.mails} == {10001}
    # The secrets exist only during the run.
    assert desk.twin.shell("test -e /run/ticketattr").returncode != 0
    assert messages_to(desk.topic) == []


def test_the_smoke_test_sends_no_mail_and_leaves_no_files(desk: Desk) -> None:
    desk.deployed("1.0.0-dev")
    assert desk.mails == []
    assert list(desk.twin.path("var/lib/ticketattr").iterdir()) == []
    assert desk.twin.property("ticketattr.timer", "ActiveState") == "active"
    assert "smoke" not in desk.twin.ok("systemctl cat ticketattr.service")


def test_a_release_that_fails_in_its_unit_is_rolled_back(desk: Desk) -> None:
    desk.deployed("1.0.0-dev")
    broken = {"host/secrets.sh": "#!/bin/sh\necho 'secrets.sh: broken on purpose' >&2\nexit 1\n"}
    result = desk.deploy("1.0.1-dev", "better", broken)
    assert result.returncode == 1
    assert "1.0.1-dev does not work; 1.0.0-dev is current again and works" in result.stderr
    assert "broken on purpose" in result.stderr
    assert (desk.current, desk.releases) == ("1.0.0-dev", ["1.0.0-dev"])
    assert desk.twin.property("ticketattr.timer", "ActiveState") == "active"
    assert desk.start().returncode == 0
    assert len(desk.mails) == 1
    # The deployment reports the failure itself, so no alert is sent.
    assert messages_to(desk.topic) == []


def test_a_broken_image_changes_nothing(desk: Desk) -> None:
    desk.deployed("1.0.0-dev")
    result = desk.deploy("1.0.1-dev", "broken")
    assert result.returncode == 1
    assert "the image of 1.0.1-dev does not work; nothing was changed" in result.stderr
    assert (desk.current, desk.releases) == ("1.0.0-dev", ["1.0.0-dev"])


def test_a_unit_with_an_unknown_key_changes_nothing(desk: Desk) -> None:
    desk.deployed("1.0.0-dev")
    unit = (DEPLOY / "systemd/ticketattr.service").read_text(encoding="utf-8")
    result = desk.deploy("1.0.1-dev", "better", {"systemd/ticketattr.service": unit + "ProtectEverything=yes\n"})
    assert result.returncode == 1
    assert "the units of 1.0.1-dev are not valid" in result.stderr
    assert "ProtectEverything" in result.stderr
    assert desk.current == "1.0.0-dev"


def test_a_release_with_a_missing_setting_is_rolled_back(desk: Desk) -> None:
    """The new release uses a helpdesk that needs a key; the previous one read a file."""
    put_secret(desk.aws, "/ticketattr/bare/LLM_API_KEY", "key")
    desk.host_settings({"SECRETS_PATH": "/ticketattr/bare"})
    desk.deployed("1.0.0-dev")
    result = desk.deploy("1.0.1-dev", "asking")
    assert result.returncode == 1
    assert "HELPDESK_API_KEY is not set" in result.stderr
    assert "1.0.1-dev does not work; 1.0.0-dev is current again and works" in result.stderr
    assert (desk.current, desk.releases) == ("1.0.0-dev", ["1.0.0-dev"])


def test_a_release_is_deployed_even_if_the_mail_server_is_down(desk: Desk) -> None:
    server = {"EMAIL_TRANSPORT": "smtp", "EMAIL_SMTP_HOST": "127.0.0.1", "EMAIL_SMTP_PORT": "9"}
    desk.settings({**server, "EMAIL_USE_TLS": "false"})
    desk.deployed("1.0.0-dev")
    assert "not a failure of the release" in desk.twin.ok(
        "journalctl --unit ticketattr.service --lines 30 --output cat"
    )


def test_a_broken_first_release_is_removed(desk: Desk) -> None:
    result = desk.deploy("1.0.0-dev", "good", {"host/secrets.sh": "#!/bin/sh\nexit 1\n"})
    assert result.returncode == 1
    assert "there is no previous release" in result.stderr
    assert not desk.twin.path("opt/ticketattr/current").is_symlink()
    assert desk.releases == []


def test_a_version_cannot_get_another_image(desk: Desk) -> None:
    desk.deployed("1.0.0-dev")
    script = f"bash /opt/ticketattr/releases/1.0.0-dev/host/deploy.sh 1.0.0-dev {desk.images['better']}"
    result = desk.twin.shell(script)
    assert (result.returncode, "create a new version" in result.stderr) == (1, True)
    assert desk.twin.ok(script.replace(desk.images["better"], desk.images["good"])).endswith(desk.images["good"])
    assert desk.current == "1.0.0-dev"


def test_a_deployment_waits_for_a_run_in_progress(desk: Desk) -> None:
    desk.deployed("1.0.0-dev")
    with slow_helpdesk() as (address, asked, may_answer):
        desk.settings({"HELPDESK_API_URL": address})
        desk.twin.ok("systemctl start --no-block ticketattr.service")
        assert asked.wait(30)
        results: list[Any] = []
        deployment = threading.Thread(target=lambda: results.append(desk.deploy("1.0.1-dev", "better")))
        deployment.start()
        until(lambda: desk.twin.property("ticketattr.timer", "ActiveState") == "inactive", "the deployment to wait")
        # Long enough for a deployment that does not wait to continue.
        time.sleep(2)
        assert desk.current == "1.0.0-dev"
        assert desk.twin.property("ticketattr.service", "ActiveState") == "activating"
        may_answer.set()
        deployment.join()
    assert results[0].returncode == 0, results[0].stderr
    assert "a run is in progress; waiting for its end" in results[0].stdout
    assert desk.current == "1.0.1-dev"
    assert len(desk.mails) == 1
    assert desk.twin.property("ticketattr.timer", "ActiveState") == "active"


def test_a_second_deployment_at_the_same_time_is_refused(desk: Desk) -> None:
    desk.deployed("1.0.0-dev")
    script = "exec 9>/opt/ticketattr/deploy.lock; flock 9; bash /opt/ticketattr/current/host/rollback.sh"
    result = desk.twin.shell(script)
    assert (result.returncode, "another deployment or rollback is in progress" in result.stderr) == (1, True)


def test_a_rollback_needs_no_network(desk: Desk) -> None:
    desk.deployed("1.0.0-dev")
    desk.deployed("1.0.1-dev", "better")
    rollback = "bash /opt/ticketattr/current/host/rollback.sh"
    assert "1.0.0-dev is current again" in desk.twin.ok(rollback)
    assert desk.current == "1.0.0-dev"
    assert "1.0.1-dev is current again" in desk.twin.ok(rollback)
    assert desk.current == "1.0.1-dev"
    assert desk.twin.property("ticketattr.timer", "ActiveState") == "active"


def test_the_newest_five_releases_are_kept(desk: Desk) -> None:
    for patch in range(7):
        desk.deployed(f"1.0.{patch}-dev", ("good", "better")[patch % 2])
    assert desk.releases == [f"1.0.{patch}-dev" for patch in range(2, 7)]
    assert desk.start().returncode == 0


def test_a_failed_run_is_reported_and_so_is_its_recovery(desk: Desk) -> None:
    desk.deployed("1.0.0-dev")
    desk.settings({"HELPDESK_API_URL": "http://127.0.0.1:9/"})
    for _ in range(2):
        assert desk.start().returncode == 1
        desk.twin.ok("systemctl start ticketattr-alert@ticketattr.service.service")
    assert ["exit code 4" in message for message in messages_to(desk.topic)] == [True]
    desk.settings({})
    assert desk.start().returncode == 0
    desk.twin.ok("systemctl start ticketattr-alert@ticketattr.service.service")
    assert [message.endswith("works again") for message in messages_to(desk.topic)] == [False, True]


def test_missing_secrets_fail_before_the_program_starts(desk: Desk) -> None:
    desk.deployed("1.0.0-dev")
    desk.host_settings({"SECRETS_PATH": "/ticketattr/elsewhere"})
    assert desk.start().returncode == 1
    assert desk.twin.property("ticketattr.service", "Result") == "exit-code"
    assert desk.mails == []


def test_stopping_the_unit_stops_the_container(desk: Desk) -> None:
    desk.deployed("1.0.0-dev")
    with slow_helpdesk() as (address, asked, _):
        desk.settings({"HELPDESK_API_URL": address})
        desk.twin.ok("systemctl start --no-block ticketattr.service")
        assert asked.wait(30)
        assert desk.twin.ok("docker ps --quiet")
        desk.twin.ok("systemctl stop ticketattr.service")
    assert desk.twin.ok("docker ps --quiet") == ""


def test_no_container_is_left_when_its_client_is_killed(desk: Desk) -> None:
    desk.deployed("1.0.0-dev")
    with slow_helpdesk() as (address, asked, _):
        desk.settings({"HELPDESK_API_URL": address})
        desk.twin.ok("systemctl start --no-block ticketattr.service")
        assert asked.wait(30)
        desk.twin.ok("systemctl kill --signal=KILL ticketattr.service")
        until(lambda: desk.twin.property("ticketattr.service", "ActiveState") == "failed", "the unit to notice")
        assert desk.twin.ok("docker ps --quiet") == ""


def test_a_unit_whose_command_is_overridden_is_not_tested(desk: Desk) -> None:
    """The test would be a real run and would send mail."""
    desk.deployed("1.0.0-dev")
    command = "[Service]\nExecStart=\nExecStart=/opt/ticketattr/current/host/container.sh run\n"
    desk.twin.write("etc/systemd/system/ticketattr.service.d/zz.conf", command)
    result = desk.deploy("1.0.1-dev", "better")
    assert result.returncode == 1
    assert "a drop-in of ticketattr.service sets its command" in result.stderr
    assert desk.current == "1.0.0-dev"
    assert desk.mails == []
