"""`ticketattr evaluate`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ...errors import ExitCode, SettingsError
from ..session import Session
from .options import ClassifierOption, ExamplesOption, FreshOption


class EvaluationFormat(str, Enum):
    table = "table"
    json = "json"
    html = "html"


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
    from .. import wiring
    from ..evaluating import Measuring, Question
    from ..evaluation_view import print_compared, print_results

    session: Session = context.obj
    if compare and (save_calibration or classifier or fail_under is not None or format is not EvaluationFormat.table):
        raise SettingsError("--compare prints a table, of the two that it names")
    question = Question.read(gold, catalog, ignore_unknown=ignore_unknown)
    labelled = wiring.labelled_tickets(examples)
    measuring = Measuring(session.console, question, labelled, target_precision, fresh=fresh, clock=session.clock)
    values = session.values(classifier)
    if compare:
        print_compared(measuring.compared(compare, values))
        return
    results = measuring.calibrated(values, save_calibration) if save_calibration else measuring.results(values)
    print_results(results, format.value)
    _exit_if_below(fail_under, results.evaluation.pair_accuracy.value, session)


def _exit_if_below(least: float | None, accuracy: float, session: Session) -> None:
    if least is not None and accuracy < least:
        session.console.summary(f"below {least:g}: {accuracy:.3f}")
        raise typer.Exit(ExitCode.PARTIAL)
