"""The deployment workflow, run by act from tag to host. Actions, Python and the engine are fakes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .amazon import LOCATION, ask
from .scripts import DEPLOY, INSTANCE, ROOT, TOOLS, VERSION, git, stand_in
from .ssm_agent import Agent, serving

pytestmark = pytest.mark.deploy

DIGEST = f"sha256:{'c' * 64}"
REPOSITORY = "registry.example.com/ticketattr"
ACTION = "name: stand-in\nruns:\n  using: composite\n  steps:\n    - run: {command}\n      shell: bash\n"
# Builds nothing, but reports a digest like the real one.
ENGINE = f"""
while [ $# -gt 0 ]; do
    [ "$1" != --metadata-file ] || echo '{{"containerimage.digest": "{DIGEST}"}}' >"$2"
    shift
done
"""
VARIABLES = {
    "AWS_REGION": "eu-central-1",
    "AWS_BUILD_ROLE": "arn:aws:iam::123456789012:role/ticketattr-build",
    "AWS_DEPLOY_ROLE": "arn:aws:iam::123456789012:role/ticketattr-deploy",
    "IMAGE_REPOSITORY": REPOSITORY,
    "BUNDLES": "s3://bundles/ticketattr/dev",
    "INSTANCE": INSTANCE,
}


class GitHub:
    """A repository with our workflows, and a host script that records its arguments."""

    def __init__(self, folder: Path, aws: dict[str, str]) -> None:
        self.folder = folder
        self.aws = aws
        self.deployed = folder / "deployed"
        self.python_calls = folder / "python.txt"
        self.work = folder / "work"
        ask(aws, "s3api", "create-bucket", "--bucket", "bundles", *LOCATION)
        git(folder, "init", "--quiet", "--bare", "origin.git")
        git(folder, "clone", "--quiet", "origin.git", str(self.work))
        git(self.work, "checkout", "--quiet", "-B", "main")
        shutil.copytree(ROOT / ".github", self.work / ".github")
        shutil.copytree(DEPLOY, self.work / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
        (self.work / "deploy/host/deploy.sh").write_text(f'printf "%s\\n" "$@" >{self.deployed}\n', encoding="utf-8")
        self.commit("all")
        git(self.work, "push", "--quiet", "--set-upstream", "origin", "main")
        for action, command in (("checkout", f"cp -a {self.work}/. ."), ("other", "echo nothing to do")):
            (folder / action).mkdir()
            (folder / action / "action.yml").write_text(ACTION.format(command=command), encoding="utf-8")
        self.tools = stand_in(folder / "bin", "python", f'echo "$@" >>{self.python_calls}')
        stand_in(folder / "bin", "docker", ENGINE)

    def commit(self, message: str) -> None:
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--allow-empty", "--message", message)

    def on_host(self, script: str) -> subprocess.CompletedProcess[str]:
        settings = self.folder / "host.env"
        settings.touch()
        script = script.replace("/etc/ticketattr/host.env", str(settings))
        env = {**self.aws, "PATH": f"{TOOLS}:{os.environ['PATH']}"}
        return subprocess.run(["sh", "-c", script], check=False, capture_output=True, text=True, env=env)

    def push(self, tag: str) -> subprocess.CompletedProcess[str]:
        """Run the workflow that a push of this tag starts."""
        git(self.work, "tag", tag)
        event = self.folder / "event.json"
        event.write_text(
            json.dumps({"ref": f"refs/tags/{tag}", "repository": {"default_branch": "main"}}), encoding="utf-8"
        )
        uses = re.findall(
            r"uses: (\S+@\w+)", "".join(path.read_text(encoding="utf-8") for path in self.workflows.iterdir())
        )
        document: dict[str, Any] = json.loads((DEPLOY / "ssm_document.json").read_text(encoding="utf-8"))
        with serving(Agent(document, self.on_host)) as address:
            env = {**self.aws, "AWS_ENDPOINT_URL_SSM": address, "POLL_SECONDS": "0.1", "GITHUB_REF_NAME": tag}
            env["PATH"] = f"{self.tools}:{TOOLS}:{os.environ['PATH']}"
            command = [str(TOOLS / "act"), "push", "--no-cache-server", "--concurrent-jobs=1"]
            command += ["--platform=ubuntu-24.04=-self-hosted", f"--eventpath={event}"]
            command += ["--workflows=.github/workflows/deploy-dev.yml"]
            for use in sorted(set(uses)):
                stand_in_for = "checkout" if use.startswith("actions/checkout@") else "other"
                command.append(f"--local-repository={use}={self.folder}/{stand_in_for}")
            command += [f"--var={name}={value}" for name, value in VARIABLES.items()]
            command += [f"--env={name}={value}" for name, value in env.items()]
            home = {"HOME": str(self.folder), "PATH": env["PATH"]}
            return subprocess.run(command, check=False, capture_output=True, text=True, cwd=self.work, env=home)

    @property
    def workflows(self) -> Path:
        return self.work / ".github/workflows"


@pytest.fixture
def github(tmp_path: Path, aws: dict[str, str]) -> GitHub:
    return GitHub(tmp_path, aws)


def test_a_tag_on_the_default_branch_is_deployed_to_the_host(github: GitHub) -> None:
    result = github.push(VERSION)
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr
    assert github.deployed.read_text(encoding="utf-8").splitlines() == [VERSION, f"{REPOSITORY}@{DIGEST}"]
    assert f"{VERSION} runs on {INSTANCE}" in result.stdout


def test_all_checks_of_ci_run_before_the_build(github: GitHub) -> None:
    github.push(VERSION)
    asked = github.python_calls.read_text(encoding="utf-8")
    assert set(re.findall(r"--session (.*?)(?: --|$)", asked, re.MULTILINE)) == {
        "lint typing docs",
        "tests-3.10",
        "tests-3.11",
        "tests-3.12",
        "tests-3.13",
        "coverage",
        "deploy_tests",
    }


def test_a_tag_on_another_branch_stops_before_the_tests(github: GitHub) -> None:
    git(github.work, "checkout", "--quiet", "-b", "feature")
    github.commit("not merged")
    result = github.push(VERSION)
    assert result.returncode != 0
    assert "is not on a commit of main" in result.stdout
    assert not github.python_calls.exists()
    assert not github.deployed.exists()


def test_failing_tests_stop_before_the_build(github: GitHub) -> None:
    stand_in(github.tools, "python", "exit 1")
    result = github.push(VERSION)
    assert result.returncode != 0
    assert ask(github.aws, "s3api", "list-objects-v2", "--bucket", "bundles").get("KeyCount", 0) == 0
    assert not github.deployed.exists()
