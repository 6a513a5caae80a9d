"""The program: its options, its commands, and the only place where an error becomes an exit code."""

from __future__ import annotations

import gc
import signal
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from .. import __version__
from ..errors import ExitCode, TicketAttrError
from .commands.help_examples import epilog_of
from .commands.loading import COMMANDS, load_command, load_module
from .standard_streams import prepare_standard_streams


class Program(TyperGroup):
    """Loads the command that is called. Turns every error into a message and an exit code; nothing else does this."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            try:
                return super().main(*args, **kwargs)
            finally:
                sys.stdout.flush()
        except TicketAttrError as error:
            load_module("presentation.console").show_error(error)
            raise SystemExit(error.exit_code) from None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(str(name), self.params), rest


app = typer.Typer(
    cls=Program,
    help="Attribute IT helpdesk tickets to a service catalog, report them, and deliver each report once.",
    epilog=epilog_of(""),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help appears at once, in any terminal and in a pipe
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _placeholder() -> None:
    """Stands for a command in the list of commands; `Program` loads the command itself."""


for name, summary in COMMANDS.items():
    app.command(name, help=summary)(_placeholder)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ticketattr {__version__}")
        raise typer.Exit


@app.callback()
def main_options(
    context: typer.Context,
    env_file: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Read settings from this file. The environment takes precedence over it, and of several files the "
            "last one. [default: .env, if it exists]",
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more details.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only results and errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Prepare the invocation, which every command gets as `context.obj`."""
    context.obj = load_module("invocation").begin(context.invoked_subcommand or "", _now, time.monotonic)
    context.obj.add_options(env_file=env_file or (), verbose=verbose, quiet=quiet)


def _now() -> datetime:
    return datetime.now(timezone.utc)


def main() -> None:
    """Run the program. SIGINT and SIGTERM end it at any time, each with its own exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # A shell may start a job in the background with the signal ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _exit_on_signal)
    # Imported objects are never freed. Searching them for garbage again and again takes a tenth of a short run.
    gc.set_threshold(50_000, 20, 20)
    prepare_standard_streams()
    try:
        app(prog_name="ticketattr")
    except Exception:  # noqa: BLE001  # it ends the program as before
        load_module("presentation.console").show_bug()
        raise SystemExit(ExitCode.BUG) from None


def _exit_on_signal(signal_number: int, frame: FrameType | None) -> NoReturn:
    # Not KeyboardInterrupt: event loops of different Python versions treat it differently.
    raise SystemExit(ExitCode(128 + signal_number))
