"""Tags that deploy or release: on which commits they are valid, and how the next one is created. With a real git."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .scripts import DEPLOY, git, run


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with one commit on `main`, which is also in its remote."""
    origin, work = tmp_path / "origin.git", tmp_path / "work"
    git(tmp_path, "init", "--quiet", "--bare", str(origin))
    git(tmp_path, "clone", "--quiet", str(origin), str(work))
    git(work, "checkout", "--quiet", "-B", "main")
    commit(work, "first")
    git(work, "push", "--quiet", "--set-upstream", "origin", "main")
    return work


def commit(work: Path, name: str) -> None:
    (work / name).touch()
    git(work, "add", name)
    git(work, "commit", "--quiet", "--message", name)


def release(work: Path, *arguments: str, user_input: str = "") -> subprocess.CompletedProcess[str]:
    identity = {"GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@example.com"}
    identity |= {"GIT_COMMITTER_NAME": "T", "GIT_COMMITTER_EMAIL": "t@example.com"}
    return subprocess.run(
        [sys.executable, str(DEPLOY / "release_dev.py"), *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=work,
        input=user_input,
        env={"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", **identity},
    )


def tags(folder: Path) -> list[str]:
    return git(folder, "tag", "--list").splitlines()


def test_a_tag_on_the_default_branch_is_accepted(clone: Path) -> None:
    git(clone, "tag", "1.2.3-dev")
    assert run(DEPLOY / "check_tag.sh", "1.2.3-dev", "main", cwd=clone).returncode == 0


def test_a_tag_on_another_branch_is_refused(clone: Path) -> None:
    git(clone, "checkout", "--quiet", "-b", "feature")
    commit(clone, "second")
    git(clone, "tag", "1.2.3-dev")
    result = run(DEPLOY / "check_tag.sh", "1.2.3-dev", "main", cwd=clone)
    assert result.returncode == 1
    assert "1.2.3-dev is not on a commit of main" in result.stderr


def test_a_tag_that_does_not_exist_is_refused(clone: Path) -> None:
    result = run(DEPLOY / "check_tag.sh", "1.2.3-dev", "main", cwd=clone)
    assert (result.returncode, "there is no tag 1.2.3-dev" in result.stderr) == (1, True)


def test_the_next_patch_version_is_proposed_by_number(clone: Path) -> None:
    for tag in ("0.9.9-dev", "0.10.2-dev", "0.10.10-dev", "9.9.9", "v3.0.0-dev", "0.99.0-dev-old"):
        git(clone, "tag", tag)
    result = release(clone, "--yes")
    assert result.returncode == 0
    assert "0.10.11-dev" in tags(clone)
    assert "git push origin 0.10.11-dev" in result.stdout


def test_the_user_confirms_the_version_or_enters_another(clone: Path) -> None:
    assert release(clone, user_input="\n").returncode == 0
    assert release(clone, user_input="2.0.0-dev\n").returncode == 0
    assert tags(clone) == ["0.1.0-dev", "2.0.0-dev"]


def test_no_tag_is_created_without_input(clone: Path) -> None:
    result = release(clone)
    assert (result.returncode, tags(clone)) == (1, [])
    assert "--yes" in result.stderr


def test_a_tag_is_pushed_only_with_the_option(clone: Path) -> None:
    origin = clone.parent / "origin.git"
    assert release(clone, "--yes").returncode == 0
    assert tags(origin) == []
    assert release(clone, "--yes", "--push").returncode == 0
    assert tags(origin) == ["0.1.1-dev"]


def test_no_tag_is_created_on_another_branch(clone: Path) -> None:
    git(clone, "checkout", "--quiet", "-b", "feature")
    result = release(clone, "--yes")
    assert (result.returncode, tags(clone)) == (1, [])
    assert "feature is checked out; only main is deployed" in result.stderr


def test_no_tag_is_created_with_uncommitted_changes(clone: Path) -> None:
    (clone / "forgotten").touch()
    result = release(clone, "--yes")
    assert (result.returncode, tags(clone)) == (1, [])
    assert "forgotten" in result.stderr


@pytest.mark.parametrize(("tag", "words"), [("1.2.3", "not a version"), ("0.5.0-dev", "exists already")])
def test_no_tag_is_created_for_an_invalid_or_existing_version(clone: Path, tag: str, words: str) -> None:
    git(clone, "tag", "0.5.0-dev")
    result = release(clone, tag, "--yes")
    assert (result.returncode, tags(clone)) == (1, ["0.5.0-dev"])
    assert words in result.stderr


@pytest.fixture
def released(clone: Path) -> Path:
    """The clone with version 1.2.3 of the package on the default branch."""
    write_version(clone, "1.2.3", heading="## [1.2.3] - 2026-11-28")
    git(clone, "push", "--quiet")
    return clone


def write_version(work: Path, version: str, *, heading: str) -> None:
    package = work / "src/ticketattr"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(f'"""About it."""\n\n__version__ = "{version}"\n', encoding="utf-8")
    (work / "CHANGELOG.md").write_text(f"# Changelog\n\n## [Unreleased]\n\n{heading}\n", encoding="utf-8")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message", version)


def check_release(work: Path, tag: str) -> subprocess.CompletedProcess[str]:
    git(work, "tag", tag)
    return run("check_release.sh", tag, "main", cwd=work)


def test_a_tag_with_the_version_of_the_package_is_accepted(released: Path) -> None:
    result = check_release(released, "v1.2.3")
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"v1.2.3 is {git(released, 'rev-parse', 'HEAD')} on main\n"


def test_a_tag_with_another_version_than_the_package_is_refused(released: Path) -> None:
    result = check_release(released, "v1.2.4")
    assert (result.returncode, result.stderr) == (
        1,
        "check_release.sh: the version of the package at v1.2.4 is 1.2.3\n",
    )


def test_only_the_committed_version_counts(released: Path) -> None:
    (released / "src/ticketattr/__init__.py").write_text('__version__ = "1.2.4"\n', encoding="utf-8")
    assert check_release(released, "v1.2.4").returncode == 1


def test_a_release_tag_on_another_branch_is_refused(released: Path) -> None:
    git(released, "checkout", "--quiet", "-b", "feature")
    write_version(released, "1.2.4", heading="## [1.2.4] - 2026-11-28")
    result = check_release(released, "v1.2.4")
    assert result.returncode == 1
    assert "v1.2.4 is not on a commit of main" in result.stderr


@pytest.mark.parametrize("heading", ["## [1.2.4]", "## [1.2.3] - 2026-11-28", "## [1x2x4] - 2026-11-28"])
def test_a_release_without_a_date_in_the_changelog_is_refused(released: Path, heading: str) -> None:
    write_version(released, "1.2.4", heading=heading)
    git(released, "push", "--quiet")
    result = check_release(released, "v1.2.4")
    assert result.returncode == 1
    assert "CHANGELOG.md at v1.2.4 has no heading with a date for 1.2.4" in result.stderr


@pytest.mark.parametrize(
    "tag", ["1.2.3-dev", "v1.2.3-dev", "1.2.3", "v1.2", "v1.2.3.4", "v1.2.3; touch x", "v1.2.3\n", ""]
)
def test_a_tag_that_is_not_a_release_version_is_refused(released: Path, tag: str) -> None:
    result = run("check_release.sh", tag, "main", cwd=released)
    assert result.returncode == 1
    assert "is not a tag like v1.2.3" in result.stderr
    assert not (released / "x").exists()


def test_a_release_tag_that_does_not_exist_is_refused(released: Path) -> None:
    result = run("check_release.sh", "v1.2.3", "main", cwd=released)
    assert (result.returncode, result.stderr) == (1, "check_release.sh: there is no tag v1.2.3\n")
