"""What a command does not need, it does not import."""

from __future__ import annotations

import pytest

from .conftest import CLI

PROGRAM = """
import sys
from ticketattr.entrypoint.cli import app
try:
    app(sys.argv[1:])
finally:
    print(*sorted({"google.genai", "openpyxl", "httpx", "xlsxwriter"} & set(sys.modules)), file=sys.stderr)
"""


def imported_by(cli: CLI, *args: str) -> list[str]:
    """Which of the slow packages a process of its own has loaded when the command is done."""
    done = cli.process(*args, program=("-c", PROGRAM))
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()[-1].split()


@pytest.mark.parametrize(
    "args", ["--help", "--version", "run --help", "check --help", "pending list", "pending list --all"]
)
def test_a_quick_answer_loads_nothing_slow(cli: CLI, args: str) -> None:
    assert imported_by(cli, *args.split()) == []


def test_listing_a_report_loads_nothing_slow(cli: CLI) -> None:
    cli.ok("run")
    assert imported_by(cli, "pending", "list", "--all") == []


def test_the_packages_that_are_looked_for_are_those_that_are_used(cli: CLI) -> None:
    assert imported_by(cli, "--quiet", "run", "--dry-run") == ["httpx", "xlsxwriter"]
