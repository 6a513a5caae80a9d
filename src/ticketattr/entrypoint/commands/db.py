"""`ticketattr db …`: the database that several hosts share."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated, Literal

import typer

from ...domain.wording import counted
from ...errors import SettingsError
from .. import wiring
from ..invocation import Invocation
from ..settings.folders import FolderSettings
from .help_examples import epilog_of

ToOption = Annotated[
    Literal["database", "files"],
    typer.Option("--to", help="`database`: from the files into the database. `files`: back."),
]

app = typer.Typer(
    add_completion=False,
    help="Create and fill the database that several hosts share.",
    epilog=epilog_of("db"),
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(epilog=epilog_of("db upgrade"))
def upgrade(context: typer.Context) -> None:
    """Create the tables in the database of DATABASE_URL, or bring them to this version.

    Every command does so when it needs them. Here it is done by a user who may create tables.
    """
    invocation: Invocation = context.obj
    from ...infrastructure.databases.database_copy import upgrade_database

    stored = wiring.stored_tables(_folders(invocation, "upgrade"))
    upgrade_database(stored)
    invocation.console.summary(f"{stored[0].shared.where} has all tables of this version")


@app.command(epilog=epilog_of("db copy"))
def copy(context: typer.Context, to: ToOption) -> None:
    """Copy all that is shared into the database of DATABASE_URL, or back into files.

    That is: report log, ledger, corrections, answers and the state of the service. The target must be empty. What was
    copied is compared row by row, and the source stays as it is. Nothing is sent meanwhile, and no service works.
    """
    invocation: Invocation = context.obj
    from ...infrastructure.databases.database_copy import copy_to_database, copy_to_file

    folders = _folders(invocation, "copy")
    with ExitStack() as locks:
        for side in (folders, replace(folders, database="")):
            locks.enter_context(wiring.report_log(side).acquire_lock_only(invocation.clock()))
        locks.enter_context(wiring.only_service(folders, invocation.clock))
        locks.enter_context(wiring.no_service(folders, invocation.clock))
        for stored in wiring.stored_tables(folders):
            number = copy_to_database(stored) if to == "database" else copy_to_file(stored)
            found = "nothing to copy" if number is None else f"{counted(number, 'row')} copied and compared"
            invocation.console.summary(f"{stored.shared.name}: {found}")
    invocation.console.summary(
        "set DATABASE_URL on every host before the next run"
        if to == "database"
        else "remove DATABASE_URL on every host before the next run"
    )


def _folders(invocation: Invocation, command: str) -> FolderSettings:
    with invocation.reading(f"db {command}") as env:
        folders = FolderSettings.read(env)
    if not folders.database:
        raise SettingsError("DATABASE_URL is not set", hint="Set it, for example postgresql://user@host/ticketattr.")
    return folders
