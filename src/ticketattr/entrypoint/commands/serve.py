"""`ticketattr serve`: the always-running service."""

from __future__ import annotations

from contextlib import ExitStack

import typer

from ...application.service.runs import Service
from ...errors import InputError, SettingsError
from ...infrastructure.extras import install_hint
from .. import wiring
from ..invocation import Invocation
from ..settings.chat import ChatSettings
from ..settings.report import ReportSettings
from ..settings.serve import ServeSettings
from ..settings.store import StoreSettings
from .help_examples import epilog_of

_PACKAGES = ("fastapi", "starlette", "uvicorn", "jinja2", "cronsim")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=epilog_of("serve"))
def serve(context: typer.Context) -> None:
    """Run as a service: pages, API and schedule.

    The service ends at SIGTERM or Ctrl-C. Runs that work then go on.
    """
    invocation: Invocation = context.obj
    with invocation.reading("serve") as env:
        settings, chat = ServeSettings.read(env), ChatSettings.read(env)
        report, store = ReportSettings.read(env), StoreSettings.read(env)
    with ExitStack() as parts:
        try:
            from ..web.server import ChatParts
            from ..web.server import serve as serve_pages

            service = parts.enter_context(wiring.service(settings, invocation.clock, _program_options(invocation)))
        except ModuleNotFoundError as error:
            if error.name not in _PACKAGES:
                raise
            raise SettingsError("the service is not installed", hint=install_hint("serve")) from error
        _check_schedule(settings, service, invocation)
        folders = settings.tracker.folders
        parts.enter_context(wiring.only_service(folders, invocation.clock))
        parts.enter_context(wiring.service_state(folders).kept_open())
        # Asked now, so that a database in which no lock holds is refused.
        service.leads()
        platforms = wiring.chat_platforms(chat, service.clock)
        serve_pages(
            settings,
            service,
            wiring.tracker(settings.tracker),
            wiring.report_log(folders),
            wiring.history(folders).read,
            wiring.reviewing(folders, report),
            wiring.change_ledger(folders),
            wiring.page_writer(report, folders),
            wiring.report_store(store),
            ChatParts(platforms, chat.allowed) if platforms else None,
            lambda: invocation.console.summary(
                f"listening on http://{settings.host}:{settings.port}{settings.root_path}/"
            ),
        )


def _check_schedule(settings: ServeSettings, service: Service, invocation: Invocation) -> None:
    try:
        service.cron.next_times(settings.cron or "0 0 * * *", invocation.clock(), 1)
    except InputError as error:
        raise SettingsError(f"RUN_SCHEDULE: {error}", hint=error.hint) from error


def _program_options(invocation: Invocation) -> list[str]:
    """The options of the program that its runs get, too."""
    files = [f"--env-file={path.absolute()}" for path in invocation.env_files]
    return [*files, *(["--verbose"] if invocation.verbose else [])]
