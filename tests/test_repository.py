"""What pre-commit, nox and GitHub do for whoever changes the repository."""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nox
import pytest
from coverage import Coverage
from ruamel.yaml import YAML

from ticketattr import __version__

from .test_documentation import PAGES

ROOT = Path(__file__).parents[1]
SESSIONS = runpy.run_path(str(ROOT / "noxfile.py"))


@dataclass
class Session:
    """Stands for nox's own session: writes down the commands and runs none."""

    posargs: Sequence[str] = ()
    commands: list[list[str]] = field(default_factory=list)

    def install(self, *packages: str) -> None:
        pass

    def run(self, *command: str) -> None:
        self.commands.append(list(command))


def commands(name: str) -> list[list[str]]:
    """What the session of that name would run."""
    recorded = Session()
    SESSIONS[name](recorded)
    return recorded.commands


def load(path: str) -> Any:
    return YAML(typ="safe").load((ROOT / path).read_text(encoding="utf-8"))


def test_pre_commit_runs_what_the_session_lint_runs() -> None:
    (repository,) = load(".pre-commit-config.yaml")["repos"]
    entries = [shlex.split(hook["entry"]) for hook in repository["hooks"]]
    assert entries == [[".venv/bin/python", *command[1:]] for command in commands("lint")]


def test_pre_commit_takes_its_tools_from_the_environment_and_always_looks_at_all_files() -> None:
    (repository,) = load(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert all(
        (hook["language"], hook["always_run"], hook["pass_filenames"]) == ("system", True, False)
        for hook in repository["hooks"]
    )


def test_ci_fails_when_the_tests_take_too_few_branches() -> None:
    assert load(".github/workflows/ci.yml")["jobs"]["coverage"]["steps"][-1] == {
        "run": "python -m nox --session coverage"
    }
    assert commands("coverage") == [["pytest", "--numprocesses=2", "--cov"]]
    configuration = Coverage(config_file=str(ROOT / "pyproject.toml"))
    floor = configuration.get_option("report:fail_under")
    assert configuration.get_option("run:branch") is True
    assert isinstance(floor, float)
    assert floor >= 97


def test_the_default_sessions_run_the_tests_once_on_each_python_and_the_slow_ones_once() -> None:
    assert nox.options.sessions == ["lint", "typing", "base", "tests", "thorough"]
    assert commands("tests") == [["pytest", "--numprocesses=3"]]


def test_the_changelog_has_what_comes_next_above_the_version_of_the_package() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d", headings[1])


@pytest.mark.parametrize("page", [*PAGES, ".github/pull_request_template.md"])
def test_a_session_that_a_page_names_exists(page: str) -> None:
    named = re.findall(r"nox -s\s+([a-z_]+)", (ROOT / page).read_text(encoding="utf-8"))
    assert set(named) <= set(SESSIONS)


@pytest.mark.parametrize("form", ["bug", "feature", "helpdesk"])
def test_an_issue_form_asks_for_something_and_says_what_it_is_for(form: str) -> None:
    loaded = load(f".github/ISSUE_TEMPLATE/{form}.yml")
    assert loaded["name"]
    assert loaded["description"]
    assert any(part.get("validations", {}).get("required") for part in loaded["body"])


def test_dependabot_looks_after_packages_and_actions() -> None:
    updates = load(".github/dependabot.yml")["updates"]
    assert {"pip", "github-actions"} <= {update["package-ecosystem"] for update in updates}
