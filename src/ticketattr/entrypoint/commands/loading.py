"""Loads a command when it is called, so that its module can import all that it needs at the top."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import cache
from importlib import import_module
from typing import Any, cast

from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

COMMANDS = {
    "init": "Ask for what a run needs, write .env, and check it.",
    "check": "Check everything that a run needs.",
    "run": "Send what is pending, import corrections, fetch, classify, apply, report, send.",
    "fetch": "Fetch the ticket queue and the service catalog.",
    "classify": "Attribute each ticket to a request type, or say why not.",
    "merge": "Make one result of the partitions that `classify` did.",
    "apply": "Write attributions into the helpdesk.",
    "report": "Write the report of a run.",
    "send": "Send every report that was not sent yet.",
    "download": "Copy a report from the folder or the store of reports.",
    "evaluate": "Measure on labelled tickets how often a classifier is right.",
    "learn": "Learn a model of the desk from labelled tickets, or audit their labels.",
    "pending": "Manage unsent reports and the report log.",
    "serve": "Run as a service: pages, API and schedule.",
    "token": "Create, list and revoke the tokens of the service.",  # nosec B105  # a summary
    "db": "Create and fill the database that several hosts share.",
    "changes": "List what was changed in the helpdesk, and put it back.",
    "jobs": "List the batch jobs of a model, and stop them.",
    "corrections": "Import and list the corrections that people made in reports.",
}
"""The summary of each command and each group of commands, by the name of its module."""

REPEATABLE = ("env_file", "verbose", "quiet")
"""The options of the program that may also follow the name of a command."""


def load_module(name: str) -> Any:
    """The module of `entrypoint` that every command needs, and the help does not: it is loaded when it is used."""
    return import_module(f"...{name}", __name__)


def load_command(name: str, program_options: Sequence[Any]) -> TyperCommand | TyperGroup:
    """The command `name`. It and the commands inside it also understand those `program_options` that are REPEATABLE."""
    return _built(name, *(option for option in program_options if option.name in REPEATABLE))


@cache
def _built(name: str, *repeatable: TyperOption) -> TyperCommand | TyperGroup:
    command = cast("TyperCommand | TyperGroup", get_command(import_module(f".{name}", __package__).app))
    _add_options(command, [_repeated(option) for option in repeatable])
    return command


def _add_options(command: Any, options: Sequence[TyperOption]) -> None:
    command.params.extend(options)
    if isinstance(command, TyperGroup):
        for inner in command.commands.values():
            _add_options(inner, options)


def _repeated(option: TyperOption) -> TyperOption:
    """`option` as it stands after a command: it is not in the help, and adds its value to the invocation."""
    repeated = copy(option)
    repeated.hidden = True
    repeated.expose_value = False
    repeated.callback = _add_to_invocation
    return repeated


def _add_to_invocation(context: Any, option: Any, value: Any) -> Any:
    if (invocation := context.find_root().obj) and value:
        invocation.add_options(**{str(option.name): value})
    return value
