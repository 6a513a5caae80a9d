"""`ticketattr evaluate`: one classifier measured, or two compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ...errors import ExitCode, SettingsError
from .. import wiring
from ..invocation import Invocation
from ..presentation.summaries import counted
from .help_examples import epilog_of
from .options import ClassifierOption, ExamplesOption, FreshOption

EvaluationFormat = Literal["table", "json", "html"]

GoldArgument = Annotated[
    Path, typer.Argument(metavar="GOLD", help="Labelled tickets: .jsonl, .csv, .xlsx, or a stage file (.json).")
]
CatalogInput = Annotated[Path, typer.Option(metavar="PATH", help="The service catalog (YAML).")]
FormatOption = Annotated[EvaluationFormat, typer.Option("--format", help="How to print it.")]
CompareOption = Annotated[
    tuple[str, str] | None,
    typer.Option(
        metavar="ONE OTHER", help="Two classifiers, or results saved with --format json, on the same tickets."
    ),
]
TargetOption = Annotated[
    float,
    typer.Option(
        "--target-precision",
        min=0.0,
        max=1.0,
        metavar="SHARE",
        help="Find the confidence from which on so many are right.",
    ),
]
FailUnderOption = Annotated[
    float | None,
    typer.Option(min=0.0, max=1.0, metavar="SHARE", help="Exit 5 when fewer have the right pair."),
]
SaveCalibrationOption = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Write the map from confidence to probability, for CALIBRATION_FILE."),
]
IgnoreUnknownOption = Annotated[
    bool, typer.Option("--ignore-unknown", help="Leave out tickets whose label is not in the catalog.")
]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog=epilog_of("evaluate"))
def evaluate(
    context: typer.Context,
    gold: GoldArgument,
    catalog: CatalogInput,
    format: FormatOption = "table",
    classifier: ClassifierOption = None,
    examples: ExamplesOption = None,
    fresh: FreshOption = False,
    compare: CompareOption = None,
    target_precision: TargetOption = 0.95,
    fail_under: FailUnderOption = None,
    save_calibration: SaveCalibrationOption = None,
    ignore_unknown: IgnoreUnknownOption = False,
) -> None:
    """Measure on labelled tickets how often a classifier is right."""
    from ..evaluating import Measuring, Question
    from ..evaluation_view import print_compared, print_results

    invocation: Invocation = context.obj
    if compare and (save_calibration or classifier or fail_under is not None or format != "table"):
        raise SettingsError(
            "--compare prints a table, of the two that it names", hint="Leave the other options out, or --compare."
        )
    question = Question.read(gold, catalog, ignore_unknown=ignore_unknown)
    labelled = wiring.labelled_tickets(examples)
    measuring = Measuring(invocation.console, question, labelled, target_precision, fresh=fresh, clock=invocation.clock)
    values = invocation.values(classifier)
    if compare:
        print_compared(measuring.compared(compare, values))
        return
    results = measuring.calibrated(values, save_calibration) if save_calibration else measuring.results(values)
    print_results(results, format)
    accuracy = results.evaluation.pair_accuracy.value
    invocation.console.summary(
        f"{sum(case.is_right for case in results.judged):,} of {counted(len(results.judged), 'ticket')} right"
    )
    if fail_under is not None and accuracy < fail_under:
        invocation.console.problem(f"below {fail_under:g}: {accuracy:.3f}")
        raise typer.Exit(ExitCode.PARTIAL)
