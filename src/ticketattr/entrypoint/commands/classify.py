"""`ticketattr classify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...application.ports import Run
from ...application.watch import current_run
from ...errors import SettingsError
from .. import wiring
from ..outcome import exit_if_partial, print_path
from ..session import Session
from ..settings.classifier import ClassifierSettings
from ..settings.folders import FolderSettings
from ..summaries import plan_text
from .options import ClassifierOption, ExamplesOption, FreshOption


def classify(
    context: typer.Context,
    input: Annotated[
        Path | None,
        typer.Option("--input", "-i", help="Tickets; - is stdin. [default: tickets.json of the newest run]"),
    ] = None,
    catalog: Annotated[
        Path | None, typer.Option(help="Catalog; - is stdin. [default: catalog.json of the run of the tickets]")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="- is stdout. [default: attributions.json of the run of the tickets]"),
    ] = None,
    classifier: ClassifierOption = None,
    examples: ExamplesOption = None,
    fresh: FreshOption = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show what would be asked and paid; ask nothing.")] = False,
) -> None:
    """Attribute each ticket to a request type, or say why not."""
    from ...application.classify import classify_tickets, plan_classification
    from ...domain.correction import in_force
    from ...domain.operation import count_outcomes
    from ...infrastructure.files import STREAM
    from ...infrastructure.stage_files import WorkFolder, read_fetched, write_attributions

    if input == catalog == STREAM:
        raise SettingsError("tickets and catalog cannot both come from stdin")
    session: Session = context.obj
    with session.reading("classify", classifier) as env:
        options, folders = ClassifierSettings.read(env, calls=not plan), FolderSettings.read(env)
    work = WorkFolder(folders.work)
    fetched = read_fetched(input or work.newest("tickets"), catalog, work)
    current_run.set(fetched.run_id)
    labelled = wiring.labelled_tickets(examples)
    chooser = wiring.classifier(options, labelled)
    cache = wiring.answer_cache(options, folders, session.clock, fresh=fresh)
    decided = in_force(wiring.corrections(folders).all()), labelled(fetched.catalog)
    if plan:
        typer.echo(plan_text(plan_classification(fetched.tickets, fetched.catalog, chooser, cache, *decided)))
        return
    with session.console.progress("Classifying") as progress, session.watch.stage("classify") as counts:
        tickets = classify_tickets(fetched.tickets, fetched.catalog, chooser, cache, progress, *decided)
        counts.update(count_outcomes(tickets).items())
    target = output or work.path(fetched.run_id, "attributions")
    write_attributions(target, tickets, Run(fetched.run_id, session.clock), chooser.bill)
    session.summarize(tickets, chooser.bill)
    print_path(target)
    exit_if_partial(session, tickets=tickets)
