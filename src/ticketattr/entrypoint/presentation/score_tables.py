"""The results of an evaluation as tables."""

from __future__ import annotations

from collections.abc import Sequence

from ...application.evaluate import ComparedResults, EvaluationResults
from ...domain.consistency import Consistency
from ...domain.scoring import ABOVE_EVERY_CONFIDENCE, CascadePoint, Comparison, Scores
from ...domain.statistics import Estimate
from ...domain.wording import counted
from .log_lines import plain
from .summaries import bill_summary
from .tables import print_table

_CHANGING_SHOWN = 20

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""The title, the headings and the rows of a table."""


def print_scores(results: EvaluationResults) -> None:
    """Print all tables of `results`."""
    for table in score_tables(results):
        _print(table)


def print_comparison(compared: ComparedResults) -> None:
    """Print the scores of both, the test of their difference, and the cascade of both."""
    first, second = compared.first, compared.second
    for results in (first, second):
        _print(score_tables(results)[0])
    _print_test(first.classifier, second.classifier, compared.comparison)
    if compared.cascade:
        _print_cascade(first.classifier, second, compared.cascade)


def _print_test(first: str, second: str, comparison: Comparison) -> None:
    verdict = "they differ" if comparison.is_significant else "no difference is shown"
    print(
        plain(
            f"{first} against {second}: both right {comparison.both}, only the first {comparison.only_first}, "
            f"only the second {comparison.only_second}, neither {comparison.neither}; "
            f"McNemar p = {comparison.p:.4f}: {verdict}"
        )
    )


def _print_cascade(first: str, second: EvaluationResults, points: Sequence[CascadePoint]) -> None:
    """The cost and the accuracy of the cascade, for each threshold below which it asks `second`."""
    bill = second.bill
    price = None if bill.cost is None or not bill.usage.calls else bill.cost / len(second.predictions) * 1000
    rows = [
        (
            "ask about all" if point.threshold == ABOVE_EVERY_CONFIDENCE else f"{point.threshold:.4f}",
            f"{point.asked_share:.0%}",
            "unknown" if price is None else f"{price * point.asked_share:.2f}",
            *_estimate(point.accuracy)[:2],
        )
        for point in points
    ]
    headings = ("CASCADE_THRESHOLD", "asked about", "USD for 1,000 tickets", "pair accuracy", "95 %")
    _print((f"Cascade: {first} where it is sure, {second.classifier} for the rest", headings, rows))


def _print(table: Table) -> None:
    title, headings, rows = table
    print_table(headings, rows, title=title)


def score_tables(results: EvaluationResults) -> list[Table]:
    """The tables of all scores; the first one holds the main figures."""
    scores = results.scores
    repeated = _consistency_tables(results.consistency) if results.consistency else []
    return [
        (f"{results.classifier} on {scores.tickets} tickets", ("", "value", "95 %", "interval"), _figures(results)),
        (
            "Request types",
            ("request type", "tickets", "precision", "recall", "F1"),
            [
                (one.entry, str(one.tickets), _share(one.precision), _share(one.recall), _share(one.f1))
                for one in scores.types
            ],
        ),
        (
            "Worst pairs",
            ("should be", "was", "tickets"),
            [(label, chosen, str(count)) for label, chosen, count in scores.worst_pairs],
        ),
        (
            "Reliability",
            ("confidence", "tickets", "says", "right"),
            [
                (f"{one.low:.1f} to {one.high:.1f}", str(one.tickets), _share(one.confidence), _share(one.right))
                for one in scores.reliability
            ],
        ),
        *repeated,
    ]


def _consistency_tables(consistency: Consistency) -> list[Table]:
    right = consistency.accuracies
    figures = [
        ("the same answer in all runs", *_estimate(consistency.same)[:2]),
        ("equal answers of two runs", _share(consistency.agreement), ""),
        ("pair accuracy of the runs", _share(sum(right) / len(right)), f"{_share(min(right))} to {_share(max(right))}"),
    ]
    tables: list[Table] = [(f"{consistency.runs} runs", ("", "value", "range"), figures)]
    if consistency.changing:
        rows = [
            (one.id, "; ".join(f"{count} x {entry}" for entry, count in one.chosen))
            for one in consistency.changing[:_CHANGING_SHOWN]
        ]
        tables.append(
            (f"Different answers: {counted(len(consistency.changing), 'ticket')}", ("ticket", "answers"), rows)
        )
    return tables


def _figures(results: EvaluationResults) -> list[tuple[str, str, str, str]]:
    scores = results.scores
    named: list[tuple[str, Estimate | None]] = [
        ("pair accuracy", scores.pair_accuracy),
        ("pair accuracy, lenient", scores.lenient_accuracy),
        ("category accuracy", scores.category_accuracy),
        ("macro F1", scores.macro_f1),
        ("right one among the first three", scores.top3),
        ("calibration error (ECE)", scores.ece),
    ]
    rows = [(name, *_estimate(estimate)) for name, estimate in named if estimate]
    rows += _coverage_rows(scores)
    rows.append(("answered", f"{scores.answered} of {scores.tickets}", "", ""))
    if results.calibration:
        rows.append(("confidence mapped by", results.calibration, "", ""))
    rows.append(("took", bill_summary(results.bill), "", ""))
    return rows


def _coverage_rows(scores: Scores) -> list[tuple[str, str, str, str]]:
    reach = scores.reach
    if reach is None:
        return []
    threshold = "none reaches it" if reach.threshold is None else f"{reach.threshold:.4f}"
    return [
        (f"threshold for {reach.target:.0%} right", threshold, "", ""),
        ("  coverage, cross-validated", *_estimate(reach.coverage)),
        ("  precision, cross-validated", *_estimate(reach.precision)),
    ]


def _estimate(estimate: Estimate) -> tuple[str, str, str]:
    return _share(estimate.value), f"{_share(estimate.low)} to {_share(estimate.high)}", estimate.method


def _share(value: float) -> str:
    return f"{value:.3f}"
