"""The options of the program (`--env-file`, `-v`, `-q`) mean the same before and after the name of a command."""

from __future__ import annotations

import pytest

from ..command_tree import commands
from ..conftest import CLI, DATA

GOLD = str(DATA / "gold" / "further.jsonl")
CATALOG = str(DATA / "gold" / "catalog.yaml")

COMMAND_LINES = [
    "check",
    "run",
    "fetch",
    "classify",
    "apply",
    "report",
    "send",
    f"evaluate {GOLD} --catalog {CATALOG}",
    "pending list",
    "pending resolve report.xlsx --sent",
    "pending adopt",
    "pending backup copy.db",
    "pending restore copy.db",
    "pending export",
    "corrections import report.xlsx",
    "corrections list",
    "changes list",
    "changes undo 20261123T150301Z-7f3a",
    "download latest",
    f"learn {GOLD} --catalog {CATALOG} --output model.zip",
    "merge out",
    "jobs list",
    "jobs cancel job",
    "db upgrade",
    "db copy --to files",
    "serve",
    "token create ann",
    "token list",
    "token revoke ann",
]
GROUPS = ["pending", "corrections", "changes", "token", "db", "jobs"]
WRITES_AN_ENV_FILE = "init"


def words_of(command: str) -> list[str]:
    """The names of the group and the command, without arguments."""
    first, *others = command.split()
    return [first, others[0]] if first in GROUPS and others else [first]


def after(command: str, *options: str) -> list[str]:
    return [*command.split(), *options]


def test_every_command_is_tested() -> None:
    tested = [" ".join(words_of(line)) for line in COMMAND_LINES]
    assert sorted([*tested, WRITES_AN_ENV_FILE]) == sorted(commands())


@pytest.mark.parametrize("command", COMMAND_LINES)
def test_every_command_reads_an_env_file_that_is_named_after_it(cli: CLI, command: str) -> None:
    result = cli(*after(command, "--env-file", "gone.env"))
    assert result.exit_code == 2
    assert "the env file gone.env cannot be read" in result.stderr


@pytest.mark.parametrize("command", COMMAND_LINES)
def test_every_command_knows_verbose_and_quiet(cli: CLI, command: str) -> None:
    for first, second in (("-v", "-q"), ("--verbose", "--quiet")):
        for line in (after(command, first, second), [first, *after(command, second)]):
            result = cli(*line)
            assert result.exit_code == 2
            assert "-v and -q exclude each other" in result.stderr


@pytest.mark.parametrize("group", GROUPS)
def test_the_options_may_stand_between_a_group_and_its_command(cli: CLI, group: str) -> None:
    command = "upgrade" if group == "db" else "list"
    result = cli(group, "--env-file", "gone.env", command)
    assert result.exit_code == 2
    assert "gone.env" in result.stderr
    assert cli(group, "-v", command, "-q").exit_code == 2


def test_env_files_before_and_after_the_command_add_up_in_their_order(cli: CLI) -> None:
    for name, value in (("one", "1"), ("two", "2"), ("three", "3")):
        (cli.folder / f"{name}.env").write_text(f"LLM_BATCH_SIZE={value}\nLLM_MAX_RETRIES={value}\n")
    (cli.folder / "three.env").write_text("LLM_BATCH_SIZE=3\n")
    result = cli("--env-file", "one.env", "check", "--env-file", "two.env", "--env-file", "three.env")
    assert "LLM_BATCH_SIZE = 3 (env file three.env, line 1)" in result.stdout
    assert "LLM_MAX_RETRIES = 2 (env file two.env, line 2)" in result.stdout


def test_verbose_after_the_command_counts_like_before(cli: CLI) -> None:
    def lines(*args: str) -> list[str]:
        # How much room the disk has may change at any time.
        return [line for line in cli(*args).stdout.splitlines() if not line.endswith(" free")]

    assert lines("check", "-v") == lines("-v", "check") != lines("check")
    assert lines("check", "--verbose") == lines("-v", "check", "-v")


def test_quiet_after_the_command_counts_like_before(cli: CLI) -> None:
    assert cli.ok("run", "-q").stderr == ""
    assert cli.ok("pending", "list", "--all", "--quiet").stderr == ""
    assert "1 report listed" in cli.ok("pending", "list", "--all").stderr


@pytest.mark.parametrize("command", ["", *COMMAND_LINES, *GROUPS])
def test_the_help_of_a_command_names_the_options_in_one_line(cli: CLI, command: str) -> None:
    words = words_of(command) if command else []
    help_text = cli.ok(*words, "--help").stdout
    assert help_text.count("--env-file") == (1 if words else 4)  # `ticketattr --help` lists it, and has an example
    if words:
        (line,) = (line for line in help_text.splitlines() if "--env-file" in line)
        assert "-v" in line
        assert "-q" in line


def test_an_option_that_is_misspelt_after_the_command_is_corrected(cli: CLI) -> None:
    result = cli("run", "--env-fil", "x.env")
    assert result.exit_code == 2
    assert "--env-file" in result.stderr
