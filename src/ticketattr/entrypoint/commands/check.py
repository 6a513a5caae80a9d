"""`ticketattr check`: runs all probes, even if some of them fail."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from ...application.check import run_probes, worst_exit_code
from ...application.redaction_preview import preview_redaction
from ...domain.wording import counted
from .. import wiring
from ..invocation import Invocation
from ..presentation.listing import print_check, print_redaction
from ..probes import Checks
from ..settings.environment import reading
from ..settings.redaction import RedactionSettings
from ..settings.sources import SourceSettings
from ..settings.values import Values
from .help_examples import epilog_of
from .options import ClassifierOption

CheckFormat = Literal["table", "json"]

FormatOption = Annotated[
    CheckFormat, typer.Option("--format", help="The format of the results. json lists every setting.")
]
OnlineOption = Annotated[
    bool,
    typer.Option(
        "--online",
        help="Also ask helpdesk, model and Pushgateway whether they answer.",
    ),
]

RedactionOption = Annotated[
    Path | None,
    typer.Option(
        "--redaction",
        metavar="FILE",
        help="Only show what would be hidden from a model in the tickets of this file: a stage file, CSV, .xlsx, JSON "
        "or JSON Lines; - is stdin.",
    ),
]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=epilog_of("check"))
def check(
    context: typer.Context,
    format: FormatOption = "table",
    classifier: ClassifierOption = None,
    online: OnlineOption = False,
    redaction: RedactionOption = None,
) -> None:
    """Check everything that a run needs.

    These are settings, folders, report log, catalog, classifier, mail server and monitoring. The check changes and
    sends nothing.
    """
    invocation: Invocation = context.obj
    if redaction:
        _show_redaction(invocation, redaction, format)
    else:
        check_values(invocation, invocation.unwarned_values(classifier), format=format, online=online)


def _show_redaction(invocation: Invocation, path: Path, format: CheckFormat) -> None:
    with reading(invocation.values().under({"HELPDESK_API_URL": str(path)}), "check") as env:
        sources, settings = SourceSettings.read(env, with_catalog=False), RedactionSettings.read(env)
    preview = preview_redaction(wiring.tickets_in(path, sources, "--redaction"), wiring.redactor(settings))
    print_redaction(preview, format)
    found = f"{counted(preview.found, 'private text')} in {preview.private:,} of {counted(preview.tickets, 'ticket')}"
    invocation.console.summary(f"{found}{'' if settings.is_on else '; REDACT=off, so nothing is hidden now'}")


def check_values(
    invocation: Invocation, values: Values, *, format: CheckFormat = "table", online: bool = False
) -> NoReturn:
    """Check everything that a run with these values needs, print the results, and exit with the worst code."""
    shows_all = format == "json" or invocation.console.verbosity >= 0
    everything = format == "json" or invocation.console.verbosity > 0
    checks = Checks(values, invocation.clock, everything, online)
    with invocation.console.waiting("Checking"):
        results = list(run_probes(checks.probes()))
    print_check([result for result in results if shows_all or result.status != "ok"], format)
    count = Counter(result.status for result in results)
    invocation.console.summary(
        f"{count['ok']} ok, {counted(count['warning'], 'warning')}, {counted(count['error'], 'error')}"
    )
    raise typer.Exit(worst_exit_code(results))
