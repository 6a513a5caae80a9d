"""`ticketattr learn`: makes a model of the desk from tickets that people labelled."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...application.learn import History, learn_history
from ...domain.learning import LabelledTicket
from ...domain.wording import counted
from ...errors import SettingsError
from ...infrastructure.files import STREAM, make_room_for
from .. import wiring
from ..invocation import Invocation
from ..presentation.model_card import card_text
from ..results import print_path
from ..settings.sources import SourceSettings, TimeSettings
from .help_examples import epilog_of

HELPDESK = Path("helpdesk")
"""The HISTORY that is the helpdesk of the settings."""

HistoryArgument = Annotated[
    Path,
    typer.Argument(
        metavar="HISTORY",
        help="Labelled tickets: .jsonl, .json, .csv, .xlsx, or a stage file; helpdesk: its closed tickets.",
    ),
]
CatalogInput = Annotated[Path, typer.Option(metavar="PATH", help="The service catalog, YAML or a stage file.")]
ModelOutput = Annotated[
    Path, typer.Option("--output", "-o", metavar="PATH", help="Where to write the model, for OFFLINE_MODEL.")
]
RenameOption = Annotated[
    list[str] | None,
    typer.Option(metavar="OLD=NEW", help="What a request type is called now. May be given several times."),
]
IgnoreUnknownOption = Annotated[
    bool, typer.Option("--ignore-unknown", help="Leave out tickets whose label is not in the catalog.")
]
TargetOption = Annotated[
    float,
    typer.Option(
        "--target-precision", min=0.0, max=1.0, metavar="SHARE", help="Say how many tickets can be decided with it."
    ),
]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=epilog_of("learn"))
def learn(
    context: typer.Context,
    history: HistoryArgument,
    catalog: CatalogInput,
    output: ModelOutput,
    rename: RenameOption = None,
    ignore_unknown: IgnoreUnknownOption = False,
    target_precision: TargetOption = 0.95,
) -> None:
    """Learn a model of the desk from tickets that people labelled."""
    invocation: Invocation = context.obj
    if output == STREAM:
        raise SettingsError("a model is not text", hint="Name a file with --output.")
    renames = [_rename(text) for text in rename or ()]
    with invocation.reading("learn") as env:
        times = TimeSettings.read(env).times
    teacher = wiring.teacher()
    make_room_for(output)
    entries = wiring.catalog_of_option(catalog).fetch_catalog()
    name, tickets = str(history), _tickets(invocation, history)
    with invocation.console.progress("Learning") as progress:
        card, size = learn_history(
            History(name, tickets, renames, ignore_unknown, times),
            *(entries, teacher, output, progress),
            target=target_precision,
        )
    typer.echo(card_text(card), err=True)
    invocation.console.summary(
        f"learned from {counted(card.tickets, 'ticket')} of {counted(len(card.types), 'request type')}: "
        f"{output} ({size / 1e6:.1f} MB)"
    )
    print_path(output)


def _rename(text: str) -> tuple[str, str]:
    old, sign, new = (part.strip() for part in text.partition("="))
    if not (old and sign and new):
        raise SettingsError(f"--rename {text}: it needs an old and a new name", hint="Write it as OLD=NEW.")
    return old, new


def _tickets(invocation: Invocation, history: Path) -> list[LabelledTicket]:
    if history != HELPDESK or history.exists():
        return wiring.labelled_history(history)
    with invocation.reading("learn") as env:
        settings = SourceSettings.read(env, with_catalog=False)
    with invocation.console.waiting("Reading the closed tickets"):
        return wiring.closed_tickets(settings)
