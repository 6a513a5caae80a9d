"""The output of `--help`, and lists on terminals of every width."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import struct
import termios

import pytest
import typer

from ticketattr.entrypoint.commands.help_examples import EXAMPLES
from ticketattr.entrypoint.commands.loading import COMMANDS as SUMMARIES
from ticketattr.entrypoint.commands.loading import load_command

from ..command_tree import groups_and_commands, parse
from ..conftest import CLI

COMMANDS = list(groups_and_commands())
LINES = [(command, line) for command in COMMANDS for line in EXAMPLES.get(command, ())]


def test_every_command_has_examples_and_no_other_does() -> None:
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_ends_with_its_examples(cli: CLI, command: str) -> None:
    shown = cli.ok(*command.split(), "--help").stdout
    examples = shown.partition("\n  Examples:\n")[2].splitlines()
    assert [line.strip() for line in examples] == list(EXAMPLES[command])


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_summary_in_the_list_of_commands_is_that_of_the_command(name: str) -> None:
    assert SUMMARIES[name].rstrip(".") == load_command(name, ()).get_short_help_str(limit=80).rstrip(".")


@pytest.mark.parametrize(("command", "line"), LINES, ids=lambda value: value)
def test_every_example_is_one_of_its_command_and_parses(command: str, line: str) -> None:
    pipeline = line.partition(" > ")[0]
    calls = [shlex.split(part) for part in pipeline.split("|")]
    assert all(call[0] == "ticketattr" for call in calls)
    led_to = [" ".join(parse(call[1:])) for call in calls]
    assert any(name.startswith(command) for name in led_to)


def test_an_example_with_a_misspelt_option_does_not_parse() -> None:
    with pytest.raises(typer.BadParameter.__mro__[1]):
        parse(["run", "--dryrun"])


def on_a_terminal(cli: CLI, columns: int, *args: str) -> str:
    """What a process of its own prints to a terminal of that width."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    settings = {"NO_COLOR": "1", "TERM": "xterm", "COLUMNS": ""}
    process = cli.start("-q", *args, stdin=its, stdout=its, stderr=its, environment=settings)
    os.close(its)
    printed = b""
    while chunk := _read(ours):
        printed += chunk
    os.close(ours)
    assert process.wait() == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", printed.decode().replace("\r\n", "\n"))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # so says Linux when nobody is at the other end any more
        return b""


def test_a_wide_list_is_folded_and_a_very_wide_one_is_shown_in_blocks(cli: CLI) -> None:
    cli.ok("run")
    wide = on_a_terminal(cli, 250, "pending", "list", "--all")
    narrow = on_a_terminal(cli, 40, "pending", "list", "--all")
    assert wide.splitlines()[0].split()[:3] == ["File", "State", "Changed"]
    assert narrow.splitlines()[:2] == [f"File           output/{cli.reports[0].name}", "State          sent"]


def test_a_list_in_a_pipe_is_never_folded(cli: CLI) -> None:
    cli.ok("run")
    headings, row = cli.ok("pending", "list", "--all").stdout.splitlines()
    assert headings.index("State") == row.index("sent")
    assert f"output/{cli.reports[0].name}" in row
