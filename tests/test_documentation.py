"""What README and .env.example say is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from ticketattr.entrypoint.cli import app
from ticketattr.entrypoint.settings.names import known_settings
from ticketattr.errors import ExitCode

from .conftest import CLI, EXAMPLES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENV_EXAMPLE = ROOT / ".env.example"
SETTINGS = set(known_settings())


def test_env_example_has_every_setting_and_no_other() -> None:
    assert set(re.findall(r"^([A-Z_]+)=", ENV_EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)) == SETTINGS


def test_readme_has_every_setting_and_no_other() -> None:
    table = README.partition("## Settings")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([A-Z_]{4,})`", table)) == SETTINGS


def test_env_example_states_the_defaults(cli: CLI) -> None:
    """Running with all of its values is running with none."""
    cli.ok("run", "--dry-run")
    lines = re.findall(r"^([A-Z_]+)=(.+)$", ENV_EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    cli.settings = {**dict(lines), **cli.settings}
    cli.ok("run", "--dry-run")


def test_readme_has_every_exit_code() -> None:
    table = README.partition("## Exit codes")[2].partition("\n## ")[0]
    assert {int(code) for code in re.findall(r"\b(\d+)\b(?=[^|]*\|)", table)} == {code.value for code in ExitCode}


def test_readme_has_every_command() -> None:
    command = get_command(app)
    names = set(getattr(command, "commands", {}))
    assert names == set(re.findall(r"^\| `ticketattr (\w+)", README, re.MULTILINE))


def test_the_demo_of_the_readme_ends_with_a_workbook_and_a_mail(cli: CLI) -> None:
    (cli.folder / "examples").symlink_to(EXAMPLES)
    cli.settings.clear()
    result = cli.ok("--env-file", "examples/demo.env", "run")
    assert "70 of 70 tickets attributed" in result.stderr
    assert len(cli.reports) == len(cli.mails) == 1


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_what_the_readme_links_to_exists(link: str) -> None:
    assert (ROOT / link).exists()


def test_every_test_that_the_security_page_names_exists() -> None:
    named = re.findall(r"`(tests/[^`]+)::(\w+)`", (ROOT / "docs/security.md").read_text(encoding="utf-8"))
    assert named
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not re.search(rf"^ *def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []
