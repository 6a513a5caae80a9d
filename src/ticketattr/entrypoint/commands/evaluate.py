"""`ticketattr evaluate`: measures one classifier, or compares two."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from ...application.time_slice import Border, divided, learned_with
from ...domain.gold import LabelledTickets
from ...domain.times import read_time
from ...domain.wording import counted
from ...errors import ExitCode, SettingsError
from ...infrastructure.files import STREAM, output
from .. import wiring
from ..invocation import Invocation
from ..settings.classifier import ClassifierName, ClassifierSettings
from ..settings.environment import reading
from ..settings.folders import FolderSettings
from ..settings.sources import TimeSettings
from ..settings.values import Values
from .help_examples import epilog_of
from .options import ClassifierOption, ExamplesOption, FreshOption

if TYPE_CHECKING:
    from ...application.evaluate import Candidate, EvaluationResults, GoldSet

ScoresFormat = Literal["table", "json", "html"]

GoldArgument = Annotated[
    Path,
    typer.Argument(metavar="GOLD", help="Labelled tickets: .jsonl, .csv, .parquet, .xlsx, or a stage file (.json)."),
]
CatalogInput = Annotated[Path, typer.Option(metavar="PATH", help="The service catalog (YAML).")]
FormatOption = Annotated[ScoresFormat, typer.Option("--format", help="The format of the results on stdout.")]
CompareOption = Annotated[
    tuple[str, str] | None,
    typer.Option(
        metavar="FIRST SECOND",
        help="Compare two classifiers, or results saved with --format json, on the same tickets.",
    ),
]
TargetOption = Annotated[
    float,
    typer.Option(
        "--target-precision",
        min=0.0,
        max=1.0,
        metavar="SHARE",
        help="Find the lowest confidence from which on at least this share is right.",
    ),
]
FailUnderOption = Annotated[
    float | None,
    typer.Option(min=0.0, max=1.0, metavar="SHARE", help="Exit with 5 if the pair accuracy is lower."),
]
SaveCalibrationOption = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Write the map from confidence to probability to a file for CALIBRATION_FILE."),
]
IgnoreUnknownOption = Annotated[
    bool, typer.Option("--ignore-unknown", help="Leave out tickets whose label is not in the catalog.")
]

RepeatOption = Annotated[
    int,
    typer.Option(
        min=1, max=100, metavar="N", help="Classify N times, without earlier answers, and say how far it agrees."
    ),
]

SplitOption = Annotated[
    Literal["time"] | None,
    typer.Option(help="Learn from the earlier four fifths of the tickets, and measure on the latest fifth."),
]
AfterOption = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="Measure on tickets created from then on; with --split, learn from the others."),
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
    repeat: RepeatOption = 1,
    split: SplitOption = None,
    after: AfterOption = None,
) -> None:
    """Measure on labelled tickets how often a classifier is right."""
    if repeat > 1 and (compare or save_calibration):
        raise SettingsError("--repeat measures one classifier", hint="Leave --compare and --save-calibration out.")
    if compare and (save_calibration or classifier or fail_under is not None or format != "table"):
        raise SettingsError(
            "--compare names both classifiers and prints a table", hint="Leave the other options out, or --compare."
        )
    invocation: Invocation = context.obj
    gold_set, labelled = _read_gold(gold, catalog, ignore_unknown=ignore_unknown), wiring.labelled_tickets(examples)
    if split or after:
        gold_set, labelled = _later(invocation, gold_set, labelled, str(gold), split, after)
    _refuse_single_label(gold_set, gold)
    evaluation = _Evaluation(invocation, gold_set, labelled, target_precision, fresh)
    values = invocation.values(classifier)
    if compare:
        _compare(evaluation, compare, values)
        return
    if repeat > 1:
        results = _repeat(evaluation, values, repeat)
    elif save_calibration:
        results = _calibrate(evaluation, values, save_calibration)
    else:
        results, _ = _measure(evaluation, values)
    _print(results, format)
    _summarize(invocation, results, fail_under)


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """What an evaluation measures on, and how."""

    invocation: Invocation
    gold: GoldSet
    labelled: LabelledTickets
    target: float
    fresh: bool


def _read_gold(path: Path, catalog: Path, *, ignore_unknown: bool) -> GoldSet:
    from ...application.evaluate import GoldSet
    from ...infrastructure.evaluation.gold_files import GoldFile

    entries = wiring.catalog_of_option(catalog).fetch_catalog()
    tickets = GoldFile.read(path).stream(entries, ignore_unknown=ignore_unknown)
    return GoldSet(tickets, entries)


def _refuse_single_label(gold: GoldSet, path: Path) -> None:
    from ...application.evaluate import refuse_single_label

    refuse_single_label(gold.tickets, str(path))


def _later(
    invocation: Invocation, gold: GoldSet, labelled: LabelledTickets, name: str, split: str | None, after: str | None
) -> tuple[GoldSet, LabelledTickets]:
    """The later tickets to measure on, and what the classifier learns from: with `split`, the earlier ones, too."""
    with reading(invocation.values(), "evaluate") as env:
        times = TimeSettings.read(env).times
    from ...application.evaluate import GoldSet

    date = read_time(after, times) if after else None
    if after and not date:
        raise SettingsError(f"--after {after} is not a date that can be read", hint="Write it as 2026-09-01.")
    earlier, later = divided(gold.tickets, Border(date, times), name)
    if split:
        labelled = learned_with(earlier, later, labelled)
    return GoldSet(later, gold.catalog), labelled


def _compare(evaluation: _Evaluation, names: tuple[str, str], values: Values) -> None:
    from ...application.evaluate import compare_results
    from ..presentation.score_tables import print_comparison

    first, second = (_results_of(evaluation, name, values) for name in names)
    print_comparison(compare_results(first, second))


def _results_of(evaluation: _Evaluation, name: str, values: Values) -> EvaluationResults:
    """The results of the classifier `name`, or those in the file `name`."""
    from ...infrastructure.evaluation.evaluation_results import read_results

    if name not in get_args(ClassifierName):
        return read_results(Path(name), evaluation.gold, target=evaluation.target)
    results, _ = _measure(evaluation, values, {"CLASSIFIER": name})
    return replace(results, classifier=name)


def _repeat(evaluation: _Evaluation, values: Values, times: int) -> EvaluationResults:
    from ...application.evaluate import repeated_results

    fresh = replace(evaluation, fresh=True)
    return repeated_results([_measure(fresh, values)[0] for _ in range(times)])


def _calibrate(evaluation: _Evaluation, values: Values, path: Path) -> EvaluationResults:
    """The results of the classifier; the calibration that fits them goes to the file `path`."""
    from ...application.evaluate import calibrate
    from ...infrastructure.classifiers.calibrated import write_calibration

    # The calibration maps what the classifier itself states, so no other calibration may come before it.
    results, candidate = _measure(evaluation, values, {"CALIBRATION_FILE": ""})
    calibration, tickets = calibrate(results.predictions)
    fingerprint = candidate.classifier.fingerprint(evaluation.gold.catalog)
    models = sorted({case.model for case in results.predictions if case.model})
    write_calibration(path, calibration, classifier=fingerprint, tickets=tickets, models=models)
    return results


def _measure(
    evaluation: _Evaluation, values: Values, overrides: Mapping[str, str] | None = None
) -> tuple[EvaluationResults, Candidate]:
    from ...application.evaluate import evaluate_classifier

    candidate = _candidate(evaluation, values.under(overrides or {}))
    with evaluation.invocation.console.progress("Classifying") as progress:
        results = evaluate_classifier(
            candidate, evaluation.gold, progress, target=evaluation.target, timer=time.monotonic
        )
    return results, candidate


def _candidate(evaluation: _Evaluation, values: Values) -> Candidate:
    from ...application.evaluate import Candidate, refuse_foreign_calibration
    from ...infrastructure.classifiers.calibrated import read_calibration

    with reading(values, "evaluate") as env:
        settings, folders = ClassifierSettings.read(env), FolderSettings.read(env)
    classifier = wiring.classifier(settings, evaluation.labelled)
    if settings.calibration:
        refuse_foreign_calibration(
            *(read_calibration(settings.calibration), str(settings.calibration)),
            *(wiring.uncalibrated(settings, evaluation.labelled), evaluation.gold.catalog),
        )
    cache = wiring.answer_cache(settings, folders, evaluation.invocation.clock, fresh=evaluation.fresh)
    learned = wiring.learned_tickets(settings)
    return Candidate(settings.title, settings.confidence_mapped_by, classifier, cache, evaluation.labelled, learned)


def _print(results: EvaluationResults, format: ScoresFormat) -> None:
    from ...infrastructure.evaluation.evaluation_results import dump_results
    from ..presentation.score_page import score_page
    from ..presentation.score_tables import print_scores

    if format == "table":
        print_scores(results)
        return
    sys.stdout.flush()
    with output(STREAM) as file:
        file.write(dump_results(results) if format == "json" else score_page(results).encode())


def _summarize(invocation: Invocation, results: EvaluationResults, fail_under: float | None) -> None:
    """Print how many predictions are right. Exit with 5 if the accuracy is below `fail_under`."""
    right = sum(case.is_right for case in results.predictions)
    invocation.console.summary(f"{right:,} of {counted(len(results.predictions), 'ticket')} right")
    accuracy = results.scores.pair_accuracy.value
    if fail_under is not None and accuracy < fail_under:
        invocation.console.problem(f"below {fail_under:g}: {accuracy:.3f}")
        raise typer.Exit(ExitCode.PARTIAL)
