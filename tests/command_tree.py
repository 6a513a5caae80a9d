"""The commands of the program, and command lines that are parsed without being run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from typer.main import get_command

from ticketattr.entrypoint.cli import app
from ticketattr.entrypoint.commands.loading import COMMANDS, load_command

PROGRAM: Any = get_command(app)


def groups_and_commands() -> Iterator[str]:
    """The words after the name of the program, for the program itself, every group and every command."""
    yield ""
    for name in COMMANDS:
        yield name
        yield from (f"{name} {inner}" for inner in getattr(load_command(name, ()), "commands", {}))


def commands() -> list[str]:
    """The words after the name of the program, for everything that can be run."""
    names = list(groups_and_commands())
    return [name for name in names if not any(other.startswith(f"{name} ".lstrip()) for other in names if other)]


def command_called(name: str) -> Any:
    """The program, a group or a command; `name` is the words after the name of the program."""
    command = PROGRAM
    for word in name.split():
        command = load_command(word, PROGRAM.params) if command is PROGRAM else command.commands[word]
    return command


def parse(words: Sequence[str]) -> list[str]:
    """The names of the command that `words` lead to, outermost first. Raises what a wrong option raises."""
    names: list[str] = []
    command, context, rest = PROGRAM, None, list(words)
    while True:
        context = command.make_context("ticketattr", rest, parent=context)
        if not hasattr(command, "commands"):
            return names
        # Click keeps the name of the next command here and nowhere else.
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])  # noqa: SLF001
        names.append(name)
