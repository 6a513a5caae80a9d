"""No part of a tag is ever executed as a command, and only pinned images are deployed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .scripts import DEPLOY, IMAGE, INSTANCE, VERSION, run

BUNDLE = "s3://bundles/ticketattr/dev/ticketattr-1.2.3-dev.tar"
SHA256 = "b" * 64
EVIL = [
    "a';touch$IFS/x;'-dev",
    "1.2.3-dev;touch injected",
    "$(touch injected)-dev",
    "`touch injected`",
    "1.2.3-dev\ntouch injected",
    "1.2.3-dev' ; touch injected; '",
    "../../1.2.3-dev",
    "1.2.3",
    "1.2.3-DEV",
    "١.2.3-dev",
    "",
]
COMMANDS = {
    "build_bundle.sh": ("{}", "s3://bundles/ticketattr/dev"),
    "build_image.sh": ("{}", IMAGE.partition("@")[0]),
    "check_tag.sh": ("{}", "main"),
    "ssm_deploy.sh": ("{}", IMAGE, BUNDLE, SHA256, INSTANCE),
    "host/deploy.sh": ("{}", IMAGE),
}


@pytest.mark.parametrize("tag", EVIL)
@pytest.mark.parametrize("script", COMMANDS)
def test_a_tag_that_is_not_a_version_is_refused_first(script: str, tag: str, tmp_path: Path) -> None:
    home = {"TICKETATTR_HOME": str(tmp_path / "home")}
    result = run(script, *(word.replace("{}", tag) for word in COMMANDS[script]), env=home, cwd=tmp_path)
    assert result.returncode == 1
    assert re.search(r"is not a (version|tag) like 1\.2\.3-dev", result.stderr)
    assert list(tmp_path.iterdir()) == []
    assert not Path("/x").exists()


@pytest.mark.parametrize(
    "image",
    [
        IMAGE.partition("@")[0],
        IMAGE.replace("@sha256:" + "a" * 64, ":latest"),
        IMAGE[:-1],
        IMAGE.replace("sha256", "md5"),
        "ticketattr@sha256:" + "a" * 64,
        IMAGE + " --privileged",
        "--privileged",
    ],
)
def test_an_image_that_is_not_pinned_is_refused(image: str, tmp_path: Path) -> None:
    home = {"TICKETATTR_HOME": str(tmp_path / "home")}
    for script, words in (("host/deploy.sh", ()), ("ssm_deploy.sh", (BUNDLE, SHA256, INSTANCE))):
        result = run(script, VERSION, image, *words, env=home)
        assert result.returncode == 1
        assert "is not a pinned image" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("bundle", "sha256", "instance", "words"),
    [
        ("https://example.com/a.tar", SHA256, INSTANCE, "not a bundle in S3"),
        (BUNDLE + "' x", SHA256, INSTANCE, "not a bundle in S3"),
        (BUNDLE, "0" * 63, INSTANCE, "not a SHA-256"),
        (BUNDLE, SHA256, "i-1' x", "not an instance id"),
    ],
)
def test_every_argument_for_the_host_is_validated(bundle: str, sha256: str, instance: str, words: str) -> None:
    result = run("ssm_deploy.sh", VERSION, IMAGE, bundle, sha256, instance)
    assert result.returncode == 1
    assert words in result.stderr


def test_the_document_accepts_the_same_parameters_as_the_scripts() -> None:
    document = json.loads((DEPLOY / "ssm_document.json").read_text(encoding="utf-8"))
    patterns = {name: each["allowedPattern"] for name, each in document["parameters"].items()}
    script = (DEPLOY / "ssm_deploy.sh").read_text(encoding="utf-8")
    assert all(f"=~ {pattern} " in script for pattern in patterns.values())
    assert not [tag for tag in EVIL if re.fullmatch(patterns["Version"], tag)]


@pytest.mark.parametrize("script", [*COMMANDS, "host/secrets.sh", "host/rollback.sh", "host/alert.sh"])
def test_every_script_stops_at_the_first_error(script: str) -> None:
    assert "\nset -euo pipefail\n" in (DEPLOY / script).read_text(encoding="utf-8")


def test_a_rollback_to_an_unknown_release_is_refused(tmp_path: Path) -> None:
    result = run("host/rollback.sh", "../../etc", env={"TICKETATTR_HOME": str(tmp_path)})
    assert result.returncode == 1
    assert "not a version" in result.stderr
    result = run("host/rollback.sh", env={"TICKETATTR_HOME": str(tmp_path)})
    assert "there is no previous release" in result.stderr
