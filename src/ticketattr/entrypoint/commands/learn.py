"""`ticketattr learn`: makes a model of the desk from tickets that people labelled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ...application.audit_labels import audit_labels, save_audit
from ...application.learn import History, UsableTickets, learn_tickets, usable_tickets
from ...application.ports import LearningProgress, Run
from ...domain.catalog import ServiceCatalog
from ...domain.learning import LabelledTicket
from ...domain.run_id import new_run_id
from ...domain.wording import counted
from ...errors import SettingsError
from ...infrastructure.files import STREAM, make_room_for
from .. import wiring
from ..invocation import Invocation
from ..presentation.model_card import card_text
from ..results import print_path
from ..settings.folders import FolderSettings
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
    Path | None, typer.Option("--output", "-o", metavar="PATH", help="Where to write the model, for OFFLINE_MODEL.")
]
RenameOption = Annotated[
    list[str] | None,
    typer.Option(metavar="OLD=NEW", help="What a request type is called now. May be given several times."),
]
IgnoreUnknownOption = Annotated[
    bool, typer.Option("--ignore-unknown", help="Leave out tickets whose label is not in the catalog.")
]
AuditOption = Annotated[
    Path | None,
    typer.Option(
        metavar="WORKBOOK",
        help="Write the tickets whose labels are doubtful, for `corrections import`. Needs no --output.",
    ),
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
    output: ModelOutput = None,
    audit: AuditOption = None,
    rename: RenameOption = None,
    ignore_unknown: IgnoreUnknownOption = False,
    target_precision: TargetOption = 0.95,
) -> None:
    """Learn a model of the desk from labelled tickets, or audit their labels."""
    invocation: Invocation = context.obj
    if STREAM in (output, audit):
        raise SettingsError("a model or a workbook cannot go to stdout", hint="Name a file with --output and --audit.")
    if not (output or audit):
        raise SettingsError(
            "no output is named",
            hint="Name the model with --output, or a workbook with --audit.",
        )
    renames = [_rename(text) for text in rename or ()]
    with invocation.reading("learn") as env:
        times, folders = TimeSettings.read(env).times, FolderSettings.read(env)
    for path in filter(None, (output, audit)):
        make_room_for(path)
    entries = wiring.catalog_of_option(catalog).fetch_catalog()
    with wiring.ticket_store() as store:
        with invocation.console.progress("Reading tickets") as progress:
            labelled = _tickets(invocation, history, progress)
            source = History(str(history), labelled, renames, ignore_unknown, times, store)
            usable = usable_tickets(source, entries, progress)
        if audit:
            _audit(invocation, usable, entries, folders, audit)
        if output:
            _learn(invocation, usable, entries, output, target_precision)


def _learn(invocation: Invocation, usable: UsableTickets, catalog: ServiceCatalog, output: Path, target: float) -> None:
    teacher = wiring.teacher()
    with invocation.console.progress("Learning") as progress:
        card, size = learn_tickets(usable, catalog, teacher, output, progress, target=target)
    typer.echo(card_text(card), err=True)
    invocation.console.summary(
        f"learned from {counted(card.tickets, 'ticket')} of {counted(len(card.types), 'request type')}: "
        f"{output} ({size / 1e6:.1f} MB)"
    )
    print_path(output)


def _audit(
    invocation: Invocation, usable: UsableTickets, catalog: ServiceCatalog, folders: FolderSettings, workbook: Path
) -> None:
    from ...infrastructure.reports.excel import write_audit_workbook

    guesser = wiring.label_guesser()
    run = Run(new_run_id(invocation.clock()), invocation.clock)
    with invocation.console.progress("Auditing") as progress:
        audited = audit_labels(usable, catalog, guesser, run, progress)
    save_audit(audited, catalog, wiring.work_folder(folders).audits, run)
    write_audit_workbook(audited, workbook)
    found = audited.audit
    invocation.console.summary(
        f"{counted(found.tickets, 'label')} audited: {len(found.labels):,} doubtful ({found.sure:,} surely wrong), "
        f"{counted(len(found.contradictions), 'contradiction')}, {counted(len(found.alike), 'pair')} of types alike, "
        f"{counted(len(found.small), 'type')} with few tickets"
    )
    print_path(workbook)


def _rename(text: str) -> tuple[str, str]:
    old, sign, new = (part.strip() for part in text.partition("="))
    if not (old and sign and new):
        raise SettingsError(f"--rename {text}: it needs an old and a new name", hint="Write it as OLD=NEW.")
    return old, new


def _tickets(invocation: Invocation, history: Path, progress: LearningProgress) -> Iterator[LabelledTicket]:
    from ...infrastructure.evaluation.gold_files import labelled_tickets

    if history != HELPDESK or history.exists():
        return labelled_tickets(history)
    with invocation.reading("learn") as env:
        settings = SourceSettings.read(env, with_catalog=False)
    return wiring.closed_tickets(settings, progress)
