"""The commands. Each reads its settings, calls one use case, and says what came of it.

What a command does not need, it does not import: `--help` and `pending list` stay instant.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from .. import __version__
from ..application.ports import Run
from ..domain.delivery import Delivery, ReportFile
from ..domain.standing import ReportStatus
from ..domain.ticket import AttributedTicket
from ..errors import ExitCode, SettingsError, TicketAttrError
from . import corrections, pending, wiring
from .console import Console, plain, show_error
from .session import ClassifierChoice, Session
from .settings import (
    ClassifierSettings,
    FolderSettings,
    MailSettings,
    ReportSettings,
    SourceSettings,
    read_values,
)
from .summaries import counted, plan_text


class Commands(TyperGroup):
    """The one place where an error becomes a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except TicketAttrError as error:
            show_error(error)
            raise typer.Exit(error.exit_code) from None


app = typer.Typer(
    cls=Commands,
    help="Attribute IT helpdesk tickets to a service catalog, report them, and deliver each report once.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: at once, in any terminal and in a pipe
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(pending.app, name="pending")
app.add_typer(corrections.app, name="corrections")


class EvaluationFormat(str, Enum):
    table = "table"
    json = "json"
    html = "html"


class ReportFormat(str, Enum):
    xlsx = "xlsx"
    csv = "csv"
    html = "html"


ClassifierOption = Annotated[
    ClassifierChoice | None, typer.Option(help="Who chooses the request types. [default: CLASSIFIER, or gemini]")
]


ExamplesOption = Annotated[
    Path | None, typer.Option("--examples", help="Gold tickets of your desk, which show the classifier how you label.")
]


FreshOption = Annotated[bool, typer.Option("--fresh", help="Ask anew, whatever was answered before.")]
WaitOption = Annotated[
    float, typer.Option(min=0.0, metavar="SECONDS", help="How long to wait for another ticketattr to end.")
]
SendOldOption = Annotated[
    bool, typer.Option("--send-old", help="Where the report log is gone, send what lies there, however old.")
]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ticketattr {__version__}")
        raise typer.Exit


@app.callback()
def main_options(
    context: typer.Context,
    env_file: Annotated[
        Path | None, typer.Option(help="Settings under those of the environment. [default: .env, if there is one]")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log details too.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    if verbose and quiet:
        raise SettingsError("-v and -q exclude each other")
    console = Console(verbosity=verbose - quiet)
    console.set_up_logging()
    context.obj = Session(console, env_file, _now)


@app.command()
def fetch(
    context: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Tickets; - is stdout. [default: tickets.json of a new run]"),
    ] = None,
    catalog_output: Annotated[
        Path | None, typer.Option(help="Catalog; - is stdout. [default: catalog.json of the same run]")
    ] = None,
) -> None:
    """Fetch the ticket queue and the service catalog."""
    from ..application.fetch import fetch_tickets
    from ..infrastructure.artifacts import WorkFolder, write_catalog, write_tickets
    from ..infrastructure.files import shown_path

    if output and output == catalog_output:
        raise SettingsError(f"tickets and catalog cannot both go to {shown_path(output, 'stdout')}")
    session: Session = context.obj
    with session.reading("fetch") as env:
        sources, folders = SourceSettings.read(env), FolderSettings.read(env)
    with session.console.waiting("Fetching tickets and service catalog"):
        fetched = fetch_tickets(wiring.helpdesk(sources), wiring.catalog_source(sources))
    run, work = _new_run(), WorkFolder(folders.work)
    target = output or work.path(run.id, "tickets")
    # The catalog first: tickets.json is the file that says the fetch is complete.
    write_catalog(catalog_output or work.path(run.id, "catalog"), fetched.catalog, run)
    write_tickets(target, fetched.tickets, run)
    session.console.summary(f"{len(fetched.tickets)} tickets and {len(fetched.catalog.entries)} request types fetched")
    _print_path(target)


@app.command()
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
    from ..application.classify import classify_tickets, plan_classification
    from ..domain.correction import in_force
    from ..infrastructure.artifacts import WorkFolder, read_fetched, write_attributions
    from ..infrastructure.files import STREAM

    if input == catalog == STREAM:
        raise SettingsError("tickets and catalog cannot both come from stdin")
    session: Session = context.obj
    with session.reading("classify", classifier) as env:
        options, folders = ClassifierSettings.read(env, calls=not plan), FolderSettings.read(env)
    work = WorkFolder(folders.work)
    fetched = read_fetched(input or work.newest("tickets"), catalog, work)
    chooser = wiring.classifier(options, examples)
    cache = wiring.answer_cache(options, folders, _now, fresh=fresh)
    decided = in_force(wiring.corrections(folders).all())
    if plan:
        typer.echo(plan_text(plan_classification(fetched.tickets, fetched.catalog, chooser, cache, decided)))
        return
    with session.console.progress("Classifying") as progress:
        tickets = classify_tickets(fetched.tickets, fetched.catalog, chooser, cache, progress, decided)
    target = output or work.path(fetched.run_id, "attributions")
    write_attributions(target, tickets, Run(fetched.run_id, _now), chooser.bill)
    session.summarize(tickets, chooser.bill)
    _print_path(target)
    _exit_if_partial(session, tickets=tickets)


@app.command()
def report(
    context: typer.Context,
    input: Annotated[
        Path | None,
        typer.Option("--input", "-i", help="- is stdin. [default: attributions.json of the newest run]"),
    ] = None,
    catalog: Annotated[
        Path | None, typer.Option(help="Feeds the drop-downs. [default: catalog.json of the run, if it is there]")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="- is stdout. [default: OUTPUT_DIR/ticket-attribution-<run>.xlsx, where it is pending]",
        ),
    ] = None,
    format: Annotated[
        ReportFormat, typer.Option(help="csv and html hold the same rows; only a workbook is ever pending.")
    ] = ReportFormat.xlsx,
) -> None:
    """Write the report of a run."""
    from ..application.report import Attributed, make_report
    from ..infrastructure.artifacts import WorkFolder, read_attributions, read_catalog_of

    session: Session = context.obj
    with session.reading("report") as env:
        folders, settings = FolderSettings.read(env), ReportSettings.read(env)
    work = WorkFolder(folders.work)
    stage = read_attributions(input or work.newest("attributions"))
    if not stage.data:
        session.console.summary("no tickets, so no report")
        return
    target = output or folders.output / _report_name(stage.run_id, format.value)
    with session.console.waiting("Writing the report"):
        entries = read_catalog_of(stage.run_id, catalog, work)
        attributed = Attributed(stage.run_id, stage.generated_at, stage.data, stage.bill, entries)
        made = make_report(attributed, wiring.reporting(settings, folders, format.value), target)
    session.console.summary(f"{len(made.rows)} rows written, {made.attributed} of them attributed")
    _print_path(target)


@app.command()
def send(
    context: typer.Context,
    report: Annotated[
        Path | None, typer.Option("--report", help="This workbook alone, unless its content was sent before.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="With --report: even if it was sent before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")] = False,
    wait: WaitOption = 0.0,
    send_old: SendOldOption = False,
) -> None:
    """Send every report that was not sent yet.

    The oldest comes first, and all go in one message, unless the server takes none that large.
    """
    from ..application.send import send_pending, send_report

    if again and not report:
        raise SettingsError("--again needs --report")
    session: Session = context.obj
    with session.reading("send") as env:
        folders, mail = FolderSettings.read(env), MailSettings.read(env)
    outgoing = wiring.outgoing(folders, mail, _now, send_old=send_old)
    with nullcontext() if dry_run else outgoing.log.hold(_now(), wait=wait):
        if dry_run:
            planner = outgoing.planner(report)
            messages = planner.report(report, again=again) if report else planner.pending()
            reports = [report for message in messages for report in message.reports]
            _print_reports(reports)
            session.console.summary(f"dry run: {counted(len(reports), 'report')} would be sent, nothing was")
            return
        with session.console.waiting("Sending"):
            deliveries = send_report(outgoing, report, again=again) if report else send_pending(outgoing)
        statuses = [outgoing.status(report)] if report else outgoing.left_over()
    _print_reports(_sent_reports(deliveries))
    session.console.summary(f"{_sent(deliveries)} sent" if deliveries else _nothing_to_send(statuses))
    _exit_if_partial(session, deliveries=deliveries, left=[status for status in statuses if status.is_pending])


@app.command()
def run(
    context: typer.Context,
    classifier: ClassifierOption = None,
    examples: ExamplesOption = None,
    fresh: FreshOption = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Send nothing; the report goes to the work folder, where it is not pending."),
    ] = False,
    wait: WaitOption = 0.0,
    send_old: SendOldOption = False,
) -> None:
    """Send what is pending; fetch, classify, report, send."""
    session: Session = context.obj
    with session.reading("run", classifier) as env:
        folders, sources, options = FolderSettings.read(env), SourceSettings.read(env), ClassifierSettings.read(env)
        settings = ReportSettings.read(env)
        mail = None if dry_run else MailSettings.read(env)
    outgoing = wiring.outgoing(folders, mail, _now, send_old=send_old) if mail else None
    # Before anything heavy is loaded: who comes second is to know at once.
    with outgoing.log.hold(_now(), wait=wait) if outgoing else nullcontext():
        from ..application.run import Pipeline, run_pipeline
        from ..infrastructure.artifacts import WorkFolder
        from ..infrastructure.files import make_folder

        chooser = wiring.classifier(options, examples)
        pipeline = Pipeline(
            helpdesk=wiring.helpdesk(sources),
            catalog_source=wiring.catalog_source(sources),
            classifier=chooser,
            cache=wiring.answer_cache(options, folders, _now, fresh=fresh),
            corrections=wiring.corrections(folders),
            stage_files=WorkFolder(folders.work),
            reporting=wiring.reporting(settings, folders),
            outgoing=outgoing,
        )
        this_run = _new_run()
        folder = folders.output if outgoing else folders.work / this_run.id
        if outgoing:
            # A report that cannot be written is not worth a model call.
            make_folder(folder)
        with session.console.progress("Running") as progress:
            result = run_pipeline(pipeline, this_run, folder / _report_name(this_run.id), progress)
    session.summarize(result.tickets, chooser.bill)
    if outgoing:
        session.console.summary(f"{_sent(result.deliveries)} sent")
    if result.report:
        _print_path(result.report)
    _exit_if_partial(session, tickets=result.tickets, deliveries=result.deliveries, left=result.left)


@app.command()
def evaluate(
    context: typer.Context,
    gold: Annotated[Path, typer.Argument(help="Labelled tickets: .jsonl, .csv, .xlsx, or a stage file (.json).")],
    catalog: Annotated[Path, typer.Option(help="The service catalog (YAML).")],
    classifier: ClassifierOption = None,
    examples: ExamplesOption = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Two classifiers, or results saved with --format json, on the same tickets."),
    ] = None,
    target_precision: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Find the confidence from which on so many are right.")
    ] = 0.95,
    fail_under: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Exit 5 when the accuracy of the pair is lower.")
    ] = None,
    save_calibration: Annotated[
        Path | None, typer.Option(help="Write the map from confidence to probability, for CALIBRATION_FILE.")
    ] = None,
    ignore_unknown: Annotated[
        bool, typer.Option("--ignore-unknown", help="Leave out tickets whose label is not in the catalog.")
    ] = False,
    format: Annotated[EvaluationFormat, typer.Option(help="How to print it.")] = EvaluationFormat.table,
    fresh: FreshOption = False,
) -> None:
    """Measure how often a classifier is right, on labelled tickets."""
    from .evaluating import Measuring, Question, print_compared, print_evaluation

    session: Session = context.obj
    if compare and (save_calibration or classifier or format is not EvaluationFormat.table):
        raise SettingsError("--compare prints a table, of the two that it names")
    question = Question.read(gold, catalog, ignore_unknown=ignore_unknown)
    measuring = Measuring(session.console, question, examples, target_precision, fresh=fresh, clock=_now)
    values = read_values(session.env_file, {"CLASSIFIER": classifier.value} if classifier else {})
    if compare:
        print_compared(compare, measuring, values)
        return
    results = measuring.results(values, save_calibration)
    print_evaluation(results, format.value)
    if fail_under is not None and results.evaluation.pair_accuracy.value < fail_under:
        session.console.summary(f"below {fail_under:g}: {results.evaluation.pair_accuracy.value:.3f}")
        raise typer.Exit(ExitCode.PARTIAL)


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _new_run() -> Run:
    from ..infrastructure.artifacts import new_run_id

    return Run(new_run_id(_now()), _now)


def _report_name(run_id: str, format: str = "xlsx") -> str:
    return f"ticket-attribution-{run_id}.{format}"


def _print_path(path: Path) -> None:
    """Where the result is; nothing when it went to stdout itself."""
    if path != Path("-"):
        typer.echo(path)


def _print_reports(reports: Sequence[ReportFile]) -> None:
    for report in reports:
        typer.echo(plain(str(report.path)))


def _sent_reports(deliveries: Sequence[Delivery]) -> list[ReportFile]:
    return [report for delivery in deliveries if delivery.state == "sent" for report in delivery.message.reports]


def _sent(deliveries: Sequence[Delivery]) -> str:
    return counted(len(_sent_reports(deliveries)), "report")


def _nothing_to_send(statuses: Sequence[ReportStatus]) -> str:
    for status in statuses:
        if status.state == "sent" and status.sent_at:
            return f"nothing sent: {status.report.path} was sent at {status.sent_at:%Y-%m-%d %H:%M:%S} UTC"
    return "nothing to send"


def _exit_if_partial(
    session: Session,
    *,
    tickets: Sequence[AttributedTicket] = (),
    deliveries: Sequence[Delivery] = (),
    left: Sequence[ReportStatus] = (),
) -> None:
    """Exit 5 when tickets stayed unattributed because something failed, or a report did not reach every reader."""
    for status in left:
        session.console.problem(f"not sent: {status.report.path}: {_standing(status)}")
    refusals = [result for delivery in deliveries for result in delivery.results if result.state == "refused"]
    for reply in dict.fromkeys(result.reply for result in refusals):
        session.console.problem(f"refused for a recipient: {reply}")
    if left or refusals or any(ticket.is_failure for ticket in tickets):
        raise typer.Exit(ExitCode.PARTIAL)


def _standing(status: ReportStatus) -> str:
    if status.state == "sent" and status.delivery:
        return f"sent, but {counted(len(status.delivery.outstanding), 'recipient')} put off"
    return f"{status.state} {status.detail}".rstrip()


def main() -> None:
    """The program: as `app`, ended by SIGINT and SIGTERM wherever it is, with exit codes of their own."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # A shell may have told a job in the background not to listen.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    app(prog_name="ticketattr")


def _end(signal_number: int, frame: FrameType | None) -> NoReturn:
    # Not KeyboardInterrupt, which event loops treat differently from one Python to the next.
    raise SystemExit(ExitCode(128 + signal_number))
