"""`ticketattr classify`: reads the stage files of a fetch and writes that of the attributions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...application.fetch import fetch_tickets, stream_tickets
from ...application.partitions import Runner, Tally
from ...application.ports import AnswerCache, Classifier, Run
from ...application.run_progress import current_run
from ...domain.correction import Correction, in_force
from ...domain.gold import GoldTicket
from ...domain.run_history import count_outcomes
from ...domain.usage import NOTHING_PLANNED, ClassificationPlan
from ...domain.wording import counted
from ...errors import ExitCode, SettingsError
from ...infrastructure.files import STREAM, make_room_for
from .. import wiring
from ..invocation import Invocation
from ..partition_job import PartitionWork, classify_partitions, is_many, partitions_of, tickets_of
from ..presentation.summaries import bill_summary, plan_text, tally_summary
from ..results import exit_if_partial, print_path
from ..settings.classifier import ClassifierSettings
from ..settings.environment import reading
from ..settings.folders import FolderSettings
from ..settings.sources import SourceSettings
from .help_examples import epilog_of
from .options import ClassifierOption, ExamplesOption, FreshOption

if TYPE_CHECKING:
    from ...application.batch_jobs import BatchJobs
    from ...domain.catalog import ServiceCatalog
    from ...domain.ticket import Ticket
    from ...infrastructure.stage_files.run_files import FetchedRun

TicketsInput = Annotated[
    Path | None,
    typer.Option(
        "--input",
        "-i",
        metavar="PATH",
        help="The tickets: a stage file, CSV, .xlsx, JSON, JSON Lines or Parquet; - is stdin. A pattern such as "
        "'part-*.jsonl' names many files. [default: tickets.json of the newest run]",
    ),
]
CatalogInput = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH", help="The catalog, YAML or a stage file; - is stdin. [default: catalog.json of the same run]"
    ),
]
AttributionsOutput = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Where to write; - is stdout. A path that ends with .jsonl or .parquet takes any number of tickets, a "
        "folder the answers of many files. [default: attributions.json of the same run]",
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Do many files on a Dask cluster, such as tcp://host:8786; local: on all cores of this machine.",
    ),
]
BatchOption = Annotated[
    bool,
    typer.Option(
        "--batch",
        help="Ask in a batch job, at half the price; a later call or run takes the answers. Gemini, also in a cascade.",
    ),
]
PlanOption = Annotated[
    bool, typer.Option("--plan", help="Only show what the model would be asked, the price and the time.")
]

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
    scheduler: SchedulerOption = None,
    batch: BatchOption = False,
) -> None:
    """Attribute each ticket to a request type, or say why not."""
    if input == catalog == STREAM:
        raise SettingsError("tickets and catalog cannot both come from stdin", hint="Name a file for one of them.")
    from ...infrastructure.stage_files.attributions import is_stream

    if batch and fresh:
        raise SettingsError(
            "--batch and --fresh exclude each other: the answers of a job would never be used",
            hint="Leave one of them out.",
        )
    invocation: Invocation = context.obj
    with invocation.reading("classify", classifier) as env:
        options, folders = ClassifierSettings.read(env, calls=not plan), FolderSettings.read(env)
    if batch:
        options.require_jobs()
    wanted = _Wanted(options, folders, input, catalog, output, examples, fresh)
    if scheduler and (options.llm or not is_many(input, output)):
        raise SettingsError(
            "--scheduler is for many files and the embedded classifier",
            hint="Give --classifier offline, --input 'part-*.jsonl' and --output FOLDER/.",
        )
    if is_many(input, output):
        _refuse_batch(batch=batch)
        _classify_many(invocation, wanted, wiring.partition_runner(scheduler) if scheduler else None, plan=plan)
        return
    target = Path(output) if output else None
    if target and is_stream(target):
        _refuse_batch(batch=batch)
        _classify_stream(invocation, wanted, target, plan=plan)
        return
    work = wiring.work_folder(folders)
    fetched = _fetched(invocation, input or work.newest("tickets"), catalog, folders)
    current_run.set(fetched.run_id)
    labelled = wiring.labelled_tickets(examples)
    chosen = wiring.classifier(options, labelled)
    run = Run(fetched.run_id, invocation.clock)
    job = _Job(
        fetched=fetched,
        classifier=chosen,
        cache=wiring.answer_cache(options, folders, invocation.clock, fresh=fresh),
        corrections=in_force(wiring.corrections(folders).all()),
        labelled=labelled(fetched.catalog),
        jobs=None if fresh else wiring.batch_jobs(options, chosen, folders, run, always=batch),
    )
    if plan:
        _show_plan(_plan(job), options)
    else:
        _classify(job, invocation, target or work.path(fetched.run_id, "attributions"))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the options and settings say."""

    options: ClassifierSettings
    folders: FolderSettings
    input: Path | None
    catalog: Path | None
    output: str | None
    examples: Path | None
    fresh: bool


def _refuse_batch(*, batch: bool) -> None:
    if batch:
        raise SettingsError("--batch reads one file whole", hint="Leave --output out.")


def _classify_many(invocation: Invocation, wanted: _Wanted, runner: Runner | None, *, plan: bool) -> None:
    if not wanted.input or not wanted.output or wanted.output == str(STREAM):
        raise SettingsError("many files need --input and --output FOLDER", hint="Name a folder, such as `-o out/`.")
    partitions = partitions_of(wanted.input)
    sources = _sources(invocation, wanted.input, wanted.catalog)
    catalog = wiring.catalog_source(sources, wanted.folders, invocation.clock).fetch_catalog()
    if plan:
        folder = wiring.shared_folder(Path(wanted.output))
        missing = [each for each in partitions if folder.done(each) is None]
        parts = (tickets_of(each, sources) for each in missing)
        _show_plan(_plan_of(invocation, wanted, catalog, parts), wanted.options)
        typer.echo(f"in {len(missing):,} of {counted(len(partitions), 'partition')}; the others are done")
        return
    work = PartitionWork(
        *(wanted.options, wanted.folders, replace(sources, catalog_location=""), wanted.examples, catalog),
        corrections=tuple(in_force(wiring.corrections(wanted.folders).all())),
        output=Path(wanted.output),
        fresh=wanted.fresh,
    )
    classify_partitions(invocation, work, partitions, runner)


def _classify_stream(invocation: Invocation, wanted: _Wanted, target: Path, *, plan: bool) -> None:
    """Classify tickets as they are read, with some of them in memory at a time."""
    from ...application.classify import classify_stream
    from ...infrastructure.stage_files.attributions import write_stream

    if not plan:
        make_room_for(target)
    run_id, catalog, tickets = _stream_of(invocation, wanted)
    if plan:
        _show_plan(_plan_of(invocation, wanted, catalog, [tickets]), wanted.options)
        return
    current_run.set(run_id)
    labelled, tally = wiring.labelled_tickets(wanted.examples), Tally()
    classifier = wiring.classifier(wanted.options, labelled)
    answered = classify_stream(
        *(tickets, catalog, classifier),
        cache=wiring.answer_cache(wanted.options, wanted.folders, invocation.clock, fresh=wanted.fresh),
        corrections=in_force(wiring.corrections(wanted.folders).all()),
        labelled=labelled(catalog),
    )
    with invocation.console.progress("Classifying") as progress, invocation.run_progress.stage("classify") as counts:
        shown = tally.counted(answered, lambda count: progress(count, None))
        write_stream(target, shown, Run(run_id, invocation.clock), lambda: classifier.bill)
        counts.update(tally.outcomes)
    if classifier.bill.usage.calls:
        invocation.console.summary(bill_summary(classifier.bill))
    invocation.console.summary(tally_summary(tally))
    print_path(target)
    if tally.failed:
        raise typer.Exit(ExitCode.PARTIAL)


def _stream_of(invocation: Invocation, wanted: _Wanted) -> tuple[str, ServiceCatalog, Iterable[Ticket]]:
    """The id of the run, its catalog and its tickets: those of a stage file, or those of an export, one by one."""
    from ...infrastructure.stage_files.header import stage_kind
    from ...infrastructure.stage_files.run_files import read_fetched

    work = wiring.work_folder(wanted.folders)
    path = wanted.input or work.newest("tickets")
    if stage_kind(path) or not (path == STREAM or path.exists()):
        fetched = read_fetched(path, wanted.catalog, work)
        return fetched.run_id, fetched.catalog, fetched.tickets
    sources, run = _sources(invocation, path, wanted.catalog), invocation.new_run()
    catalog = wiring.catalog_source(sources, wanted.folders, invocation.clock).fetch_catalog()
    work.save_catalog(catalog, run)
    source = wiring.ticket_file(sources, "--input")
    return run.id, catalog, stream_tickets(source.stream_tickets(), sources.times)


def _sources(invocation: Invocation, tickets: Path, catalog: Path | None) -> SourceSettings:
    """How tickets are read, and where the catalog is."""
    values = {"HELPDESK_API_URL": str(tickets)} | ({"SERVICE_CATALOG_URL": str(catalog)} if catalog else {})
    with reading(invocation.values().under(values), "classify") as env:
        return SourceSettings.read(env)


def _fetched(invocation: Invocation, tickets: Path, catalog: Path | None, folders: FolderSettings) -> FetchedRun:
    """The run of the stage file `tickets`; any other file of tickets begins a run of its own."""
    from ...infrastructure.stage_files.header import stage_kind
    from ...infrastructure.stage_files.run_files import FetchedRun, read_fetched

    work = wiring.work_folder(folders)
    if stage_kind(tickets) or not (tickets == STREAM or tickets.exists()):
        return read_fetched(tickets, catalog, work)
    settings, run = _sources(invocation, tickets, catalog), invocation.new_run()
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
    jobs: BatchJobs | None


def _plan(job: _Job) -> ClassificationPlan:
    from ...application.classify import plan_classification

    tickets, catalog = job.fetched.tickets, job.fetched.catalog
    return plan_classification(tickets, catalog, job.classifier, job.cache, job.corrections, job.labelled)


def _plan_of(
    invocation: Invocation, wanted: _Wanted, catalog: ServiceCatalog, streams: Iterable[Iterable[Ticket]]
) -> ClassificationPlan:
    """The plan of files that are read in parts."""
    from ...application.classify import plan_stream

    labelled = wiring.labelled_tickets(wanted.examples)
    classifier = wiring.classifier(wanted.options, labelled)
    cache = wiring.answer_cache(wanted.options, wanted.folders, invocation.clock, fresh=wanted.fresh)
    corrections = in_force(wiring.corrections(wanted.folders).all())
    plans = (plan_stream(tickets, catalog, classifier, cache, corrections, labelled(catalog)) for tickets in streams)
    return sum(plans, NOTHING_PLANNED)


def _show_plan(plan: ClassificationPlan, options: ClassifierSettings) -> None:
    limit = options.llm.options.max_cost if options.llm else None
    typer.echo(plan_text(plan, offers_jobs=options.has_jobs, max_cost=limit))


def _classify(job: _Job, invocation: Invocation, target: Path) -> None:
    from ...application.classify import classify_tickets
    from ...infrastructure.stage_files.attributions import write_attributions

    # Before the model is called: answers that cannot be written would be paid for nothing.
    make_room_for(target)
    fetched = job.fetched
    with invocation.console.progress("Classifying") as progress, invocation.run_progress.stage("classify") as counts:
        tickets = classify_tickets(
            fetched.tickets,
            fetched.catalog,
            job.classifier,
            job.cache,
            progress,
            job.corrections,
            job.labelled,
            job.jobs,
        )
        counts.update(count_outcomes(tickets).items())
    write_attributions(target, tickets, Run(fetched.run_id, invocation.clock), job.classifier.bill)
    invocation.summarize(tickets, job.classifier.bill)
    print_path(target)
    exit_if_partial(invocation, tickets=tickets)
