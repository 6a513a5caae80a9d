"""`ticketattr check`."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import Annotated

import typer

from ..session import Session
from ..summaries import counted
from .options import ClassifierOption


class CheckFormat(str, Enum):
    table = "table"
    json = "json"


def check(
    context: typer.Context,
    online: Annotated[
        bool,
        typer.Option("--online", help="Ask the helpdesk for its queue, the model a small question, and a Pushgateway."),
    ] = False,
    format: Annotated[CheckFormat, typer.Option(help="How to print it; json has every setting.")] = CheckFormat.table,
    classifier: ClassifierOption = None,
) -> None:
    """Look at settings, folders, report log, catalog and mail server; change and send nothing."""
    from ...application.check import run_probes, worst
    from ..listing import print_findings
    from ..probes import Checking

    session: Session = context.obj
    shows_all = format is CheckFormat.json or session.console.verbosity >= 0
    everything = format is CheckFormat.json or session.console.verbosity > 0
    checking = Checking(session.unwarned_values(classifier), session.clock, everything, online)
    with session.console.waiting("Checking"):
        findings = list(run_probes(checking.probes()))
    print_findings([finding for finding in findings if shows_all or finding.status != "ok"], format.value)
    count = Counter(finding.status for finding in findings)
    session.console.summary(
        f"{count['ok']} ok, {counted(count['warning'], 'warning')}, {counted(count['error'], 'error')}"
    )
    raise typer.Exit(worst(findings))
