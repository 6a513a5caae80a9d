"""The program: its global options, its commands, and the one place where an error becomes an exit code."""

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
from ..application.run_progress import RunProgress, current_run, current_stage
from ..errors import ExitCode, SettingsError, TicketAttrError
from .commands import corrections, pending
from .commands.check import check
from .commands.classify import classify
from .commands.evaluate import evaluate
from .commands.fetch import fetch
from .commands.help_examples import examples_of
from .commands.report import report
from .commands.run import run
from .commands.send import send
from .invocation import MONITORED, Invocation
from .monitoring import MonitoredCommand
from .presentation.console import Console, show_error
from .settings.monitoring import LogSettings
from .streams import prepare_streams


class Commands(TyperGroup):
    """The one place where an error becomes a message and an exit code."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            try:
                return super().main(*args, **kwargs)
            finally:
                sys.stdout.flush()
        except TicketAttrError as error:
            show_error(error)
            raise SystemExit(error.exit_code) from None


app = typer.Typer(
    cls=Commands,
    help="Attribute IT helpdesk tickets to a service catalog, report them, and deliver each report once.",
    epilog=examples_of(""),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: at once, in any terminal and in a pipe
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (check, run, fetch, classify, report, send, evaluate):
    is_recorded = command.__name__ in MONITORED
    app.command(cls=MonitoredCommand if is_recorded else None, epilog=examples_of(command.__name__))(command)
app.add_typer(pending.app, name="pending")
app.add_typer(corrections.app, name="corrections")


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
            help="Settings under those of the environment; of several files the last beats the others. "
            "[default: .env, if there is one]",
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details too.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    current_run.set("")
    current_stage.set(context.invoked_subcommand or "")
    console = Console(verbosity=verbose - quiet)
    console.set_up_logging(LogSettings())
    if verbose and quiet:
        raise SettingsError("-v and -q exclude each other", hint="Leave one of them out.")
    context.obj = Invocation(console, tuple(env_file or ()), _now, RunProgress(time.monotonic))


def _now() -> datetime:
    return datetime.now(timezone.utc)


def main() -> None:
    """The program: as `app`, ended by SIGINT and SIGTERM wherever it is, with exit codes of their own."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # A shell may have told a job in the background not to listen.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    # What is imported stays: looking through it for garbage again and again takes a tenth of a short run.
    gc.set_threshold(50_000, 20, 20)
    prepare_streams()
    app(prog_name="ticketattr")


def _end(signal_number: int, frame: FrameType | None) -> NoReturn:
    # Not KeyboardInterrupt, which event loops treat differently from one Python to the next.
    raise SystemExit(ExitCode(128 + signal_number))
