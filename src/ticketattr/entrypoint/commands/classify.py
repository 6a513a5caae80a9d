"""`ticketattr classify`: reads the stage files of a fetch and writes that of the attributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...application.fetch import fetch_tickets
from ...application.ports import AnswerCache, Classifier, Run
from ...application.run_progress import current_run
from ...domain.correction import Correction, in_force
from ...domain.gold import GoldTicket
from ...domain.run_history import count_outcomes
from ...errors import SettingsError
from ...infrastructure.files import STREAM, make_room_for
from .. import wiring
from ..invocation import Invocation
from ..presentation.summaries import plan_text
from ..results import exit_if_partial, print_path
from ..settings.classifier import ClassifierSettings
from ..settings.environment import reading
from ..settings.folders import FolderSettings
from ..settings.sources import SourceSettings
from .help_examples import epilog_of
from .options import ClassifierOption, ExamplesOption, FreshOption

if TYPE_CHECKING:
    from ...infrastructure.stage_files import FetchedRun

TicketsInput = Annotated[
    Path | None,
    typer.Option(
        "--input",
        "-i",
        metavar="PATH",
        help="The tickets: a stage file, CSV, .xlsx, JSON or JSON Lines; - is stdin. [default: tickets.json of the "
        "newest run]",
    ),
]
CatalogInput = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH", help="The catalog, YAML or a stage file; - is stdin. [default: catalog.json of the same run]"
    ),
]
AttributionsOutput = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Where to write; - is stdout. [default: attributions.json of the same run]",
    ),
]
PlanOption = Annotated[bool, typer.Option("--plan", help="Only show what the model would be asked, and the price.")]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=epilog_of("classify"))
def classify(
    context: typer.Context,
    input: TicketsInput = None,
    catalog: CatalogInput = None,
    output: AttributionsOutput = None,
    classifier: ClassifierOption = None,
    examples: ExamplesOption = None,
    fresh: FreshOption = False,
    plan: PlanOption = False,
) -> None:
    """Attribute each ticket to a request type, or say why not."""
    if input == catalog == STREAM:
        raise SettingsError("tickets and catalog cannot both come from stdin", hint="Name a file for one of them.")
    invocation: Invocation = context.obj
    with invocation.reading("classify", classifier) as env:
        options, folders = ClassifierSettings.read(env, calls=not plan), FolderSettings.read(env)
    work = wiring.work_folder(folders)
    fetched = _fetched(invocation, input or work.newest("tickets"), catalog, folders)
    current_run.set(fetched.run_id)
    labelled = wiring.labelled_tickets(examples)
    job = _Job(
        fetched=fetched,
        classifier=wiring.classifier(options, labelled),
        cache=wiring.answer_cache(options, folders, invocation.clock, fresh=fresh),
        corrections=in_force(wiring.corrections(folders).all()),
        labelled=labelled(fetched.catalog),
    )
    if plan:
        _show_plan(job)
    else:
        _classify(job, invocation, output or work.path(fetched.run_id, "attributions"))


def _fetched(invocation: Invocation, tickets: Path, catalog: Path | None, folders: FolderSettings) -> FetchedRun:
    """The run of the stage file `tickets`; any other file of tickets begins a run of its own."""
    from ...infrastructure.stage_files import read_fetched, stage_kind

    if stage_kind(tickets) or not (tickets == STREAM or tickets.exists()):
        return read_fetched(tickets, catalog, wiring.work_folder(folders))
    return _fetched_from_export(invocation, tickets, catalog, folders)


def _fetched_from_export(
    invocation: Invocation, tickets: Path, catalog: Path | None, folders: FolderSettings
) -> FetchedRun:
    from ...infrastructure.stage_files import FetchedRun

    sources = {"HELPDESK_API_URL": str(tickets)} | ({"SERVICE_CATALOG_URL": str(catalog)} if catalog else {})
    with reading(invocation.values().under(sources), "classify") as env:
        settings = SourceSettings.read(env)
    run, work = invocation.new_run(), wiring.work_folder(folders)
    catalog_source = wiring.catalog_source(settings, folders, invocation.clock)
    fetched = fetch_tickets(wiring.ticket_file(settings, "--input"), catalog_source, settings.times)
    # `report` reads the catalog of the run. As after a fetch, tickets.json comes last.
    work.save_catalog(fetched.catalog, run)
    work.save_tickets(fetched.tickets, run)
    return FetchedRun(run.id, fetched.catalog, fetched.tickets)


@dataclass(frozen=True, slots=True)
class _Job:
    """The tickets to classify, the classifier, and what is already decided."""

    fetched: FetchedRun
    classifier: Classifier
    cache: AnswerCache
    corrections: Sequence[Correction]
    labelled: Sequence[GoldTicket]


def _show_plan(job: _Job) -> None:
    from ...application.classify import plan_classification

    tickets, catalog = job.fetched.tickets, job.fetched.catalog
    typer.echo(
        plan_text(plan_classification(tickets, catalog, job.classifier, job.cache, job.corrections, job.labelled))
    )


def _classify(job: _Job, invocation: Invocation, target: Path) -> None:
    from ...application.classify import classify_tickets
    from ...infrastructure.stage_files import write_attributions

    # Before the model is called: answers that cannot be written would be paid for nothing.
    make_room_for(target)
    fetched = job.fetched
    with invocation.console.progress("Classifying") as progress, invocation.run_progress.stage("classify") as counts:
        tickets = classify_tickets(
            fetched.tickets, fetched.catalog, job.classifier, job.cache, progress, job.corrections, job.labelled
        )
        counts.update(count_outcomes(tickets).items())
    write_attributions(target, tickets, Run(fetched.run_id, invocation.clock), job.classifier.bill)
    invocation.summarize(tickets, job.classifier.bill)
    print_path(target)
    exit_if_partial(invocation, tickets=tickets)
