"""What `--help` shows, and how lists look on terminals of every width."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.main import get_command

from ticketattr.entrypoint.cli import app
from ticketattr.entrypoint.commands.help_examples import EXAMPLES

from ..conftest import CLI

PROGRAM = get_command(app)


def commands(command: Any, name: str = "") -> Iterator[str]:
    """The words after the name of the program, of every command and group."""
    yield name
    for word, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{name} {word}".strip())


COMMANDS = list(commands(PROGRAM))
LINES = [(command, line) for command in COMMANDS for line in EXAMPLES.get(command, ())]


def parsed(command: Any, words: list[str], parent: Any = None) -> list[str]:
    """The names of the commands that `words` lead to; raises when one of them would be refused."""
    with command.make_context(command.name, words, parent=parent) as context:
        rest = [*getattr(context, "protected_args", []), *getattr(context, "_protected_args", []), *context.args]
        if not hasattr(command, "commands"):
            assert not context.args
            return []
        name = rest[0]
        return [name, *parsed(command.commands[name], rest[1:], context)]


def test_every_command_has_examples_and_no_other_does() -> None:
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_ends_with_its_examples_as_they_stand(cli: CLI, command: str) -> None:
    shown = cli.ok(*command.split(), "--help").stdout
    examples = shown.partition("\n  Examples:\n")[2].splitlines()
    assert [line.strip() for line in examples] == list(EXAMPLES[command])


@pytest.mark.parametrize(("command", "line"), LINES, ids=lambda value: value)
def test_every_example_is_one_of_its_command_and_parses(command: str, line: str) -> None:
    calls = [shlex.split(part) for part in line.split("|")]
    assert all(call[0] == "ticketattr" for call in calls)
    led_to = [" ".join(parsed(PROGRAM, call[1:])) for call in calls]
    assert any(name.startswith(command) for name in led_to)


def test_an_example_with_a_misspelt_option_does_not_parse() -> None:
    with pytest.raises(typer.BadParameter.__mro__[1]):
        parsed(PROGRAM, ["run", "--dryrun"])


def on_a_terminal(cli: CLI, columns: int, *args: str) -> str:
    """What a process of its own prints to a terminal of that width."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, **cli.settings, "NO_COLOR": "1", "TERM": "xterm"}
    environment.pop("COLUMNS", None)
    command = [sys.executable, "-m", "ticketattr", "-q", *args]
    process = subprocess.Popen(command, env=environment, cwd=cli.folder, stdout=its, stderr=its, stdin=its)
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


def test_a_list_too_wide_for_the_terminal_is_folded_and_one_far_too_wide_shown_in_blocks(cli: CLI) -> None:
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
