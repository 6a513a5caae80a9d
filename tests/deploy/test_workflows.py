"""The contents of the workflows. The linters of `nox -s deploy_tests` check the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML

from .scripts import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load((ROOT / ".github/workflows" / name).read_text(encoding="utf-8"))
    return loaded


def steps() -> Iterator[dict[str, Any]]:
    for workflow in WORKFLOWS:
        for job in load(workflow.name)["jobs"].values():
            yield from job.get("steps", ())


@pytest.fixture
def jobs() -> dict[str, Any]:
    found: dict[str, Any] = load("deploy-dev.yml")["jobs"]
    return found


@pytest.fixture
def release() -> dict[str, Any]:
    found: dict[str, Any] = load("release.yml")["jobs"]
    return found


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_with_their_version_as_a_comment(workflow: Any) -> None:
    lines = re.findall(r"uses: (.*)", workflow.read_text(encoding="utf-8"))
    assert lines
    for line in lines:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line) or line.startswith("./")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_have_no_permissions_and_each_job_names_its_own(workflow: Any) -> None:
    loaded = load(workflow.name)
    assert loaded["permissions"] == {}
    assert all(job["permissions"].get("contents", "read") == "read" for job in loaded["jobs"].values())
    assert all(set(job["permissions"]) <= {"contents", "id-token", "attestations"} for job in loaded["jobs"].values())
    assert "concurrency" in loaded


def test_no_checkout_keeps_its_token() -> None:
    checkouts = [step for step in steps() if "actions/checkout" in step.get("uses", "")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_steps_are_one_line_without_expressions_in_the_shell() -> None:
    commands = [step["run"] for step in steps() if "run" in step]
    assert commands
    assert not [command for command in commands if "\n" in command.strip() or "${{" in command]


def test_only_version_tags_deploy() -> None:
    triggers = load("deploy-dev.yml")
    # YAML 1.1 reads `on` as true; this parser uses YAML 1.2.
    assert triggers["on"] == {"push": {"tags": ["[0-9]+.[0-9]+.[0-9]+-dev"]}}


def test_deployment_is_tag_then_test_then_build_then_deploy(jobs: dict[str, Any]) -> None:
    assert [(name, job.get("needs")) for name, job in jobs.items()] == [
        ("tag", None),
        ("test", "tag"),
        ("build", "test"),
        ("deploy", "build"),
    ]


def test_only_jobs_of_the_environment_can_assume_a_role(jobs: dict[str, Any]) -> None:
    with_token = {name for name, job in jobs.items() if "id-token" in job["permissions"]}
    assert with_token == {"build", "deploy"}
    assert {name for name, job in jobs.items() if job.get("environment") == "dev"} == with_token


def test_the_deployed_release_is_the_one_that_was_built(jobs: dict[str, Any]) -> None:
    assert jobs["deploy"]["steps"][-1]["env"] == {
        "IMAGE": "${{ needs.build.outputs.image }}",
        "BUNDLE": "${{ needs.build.outputs.bundle }}",
        "BUNDLE_SHA256": "${{ needs.build.outputs.bundle_sha256 }}",
        "INSTANCE": "${{ vars.INSTANCE }}",
    }


def test_only_version_tags_release() -> None:
    assert load("release.yml")["on"] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}


def test_a_release_is_tag_then_test_then_build_then_publish(release: dict[str, Any]) -> None:
    assert [(name, job.get("needs")) for name, job in release.items()] == [
        ("tag", None),
        ("test", "tag"),
        ("build", "test"),
        ("publish", "build"),
    ]
    assert release["test"]["uses"] == "./.github/workflows/ci.yml"


def test_only_the_publishing_job_gets_tokens_and_it_runs_no_code_of_the_project(release: dict[str, Any]) -> None:
    assert {
        name: job["permissions"] for name, job in release.items() if job["permissions"] != {"contents": "read"}
    } == {"publish": {"id-token": "write", "attestations": "write"}}
    assert [name for name, job in release.items() if job.get("environment") == "pypi"] == ["publish"]
    assert [step["uses"].partition("@")[0] for step in release["publish"]["steps"]] == [
        "actions/download-artifact",
        "actions/attest",
        "pypa/gh-action-pypi-publish",
    ]


def test_the_built_files_are_those_that_are_attested_and_published(release: dict[str, Any]) -> None:
    upload = release["build"]["steps"][-1]["with"]
    download, attest, publish = release["publish"]["steps"]
    assert download["with"] == {"name": upload["name"], "path": upload["path"]}
    assert attest["with"]["subject-path"] == f"{upload['path']}*"
    # By default, the action publishes the files in `dist`.
    assert upload["path"] == "dist/"
    assert "with" not in publish


def test_the_build_tools_of_a_release_are_pinned_by_hash(release: dict[str, Any]) -> None:
    commands = [step["run"] for step in release["build"]["steps"] if "run" in step]
    assert commands[0].endswith("--require-hashes --requirement deploy/requirements-build.txt")
    assert not [command for command in commands[1:] if "pip" in command]


def test_the_tests_run_on_every_supported_python() -> None:
    matrix = load("ci.yml")["jobs"]["tests"]["strategy"]["matrix"]["python"]
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    assert matrix == re.findall(r'"(3\.\d+)"', noxfile.partition("session(python=")[2].partition(")")[0])
