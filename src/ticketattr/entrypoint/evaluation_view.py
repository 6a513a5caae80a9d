"""The results of an evaluation as tables, and as a page that needs nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from html import escape

from ..domain.evaluation import NEVER_SURE, CascadePoint, Comparison, CoveragePoint, Evaluation, ReliabilityBin
from ..domain.statistics import Figure
from ..infrastructure.evaluation.results_file import Results, dump_results
from ..infrastructure.files import STREAM, output
from .evaluating import Compared
from .presentation.log_lines import plain
from .presentation.summaries import bill_summary
from .presentation.tables import print_table

_SIZE, _MARGIN = 240, 30

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""Its title, its headings, its rows."""


def print_results(results: Results, format: str) -> None:
    if format == "table":
        for table in tables(results):
            _print(table)
        return
    content = dump_results(results) if format == "json" else html_page(results).encode()
    sys.stdout.flush()
    with output(STREAM) as file:
        file.write(content)


def print_compared(compared: Compared) -> None:
    first, second = compared.first, compared.second
    for results in (first, second):
        _print(tables(results)[0])
    _print_comparison(first.classifier, second.classifier, compared.comparison)
    if compared.cascade:
        _print_cascade(first.classifier, second, compared.cascade)


def _print_comparison(first: str, second: str, comparison: Comparison) -> None:
    verdict = "they differ" if comparison.p < 0.05 else "no difference is shown"
    print(
        plain(
            f"{first} against {second}: both right {comparison.both}, only the first {comparison.only_first}, "
            f"only the second {comparison.only_second}, neither {comparison.neither}; "
            f"McNemar p = {comparison.p:.4f}: {verdict}"
        )
    )


def _print_cascade(first: str, second: Results, points: Sequence[CascadePoint]) -> None:
    """What `second` costs, for each threshold below which it is asked."""
    bill = second.bill
    price = None if bill.cost is None or not bill.usage.calls else bill.cost / len(second.judged) * 1000
    rows = [
        (
            "ask about all" if point.threshold == NEVER_SURE else f"{point.threshold:.4f}",
            f"{point.asked:.0%}",
            "unknown" if price is None else f"{price * point.asked:.2f}",
            *_figure(point.accuracy)[:2],
        )
        for point in points
    ]
    headings = ("CASCADE_THRESHOLD", "asked about", "USD for 1,000 tickets", "pair accuracy", "95 %")
    _print((f"Cascade: {first} where it is sure, {second.classifier} for the rest", headings, rows))


def _print(table: Table) -> None:
    title, headings, rows = table
    print_table(headings, rows, title=title)


def tables(results: Results) -> list[Table]:
    evaluation = results.evaluation
    return [
        (f"{results.classifier} on {evaluation.tickets} tickets", ("", "value", "95 %", "interval"), _figures(results)),
        (
            "Request types",
            ("request type", "tickets", "precision", "recall", "F1"),
            [
                (one.entry, str(one.tickets), _share(one.precision), _share(one.recall), _share(one.f1))
                for one in evaluation.types
            ],
        ),
        (
            "Worst pairs",
            ("should be", "was", "tickets"),
            [(gold, answer, str(count)) for gold, answer, count in evaluation.worst_pairs],
        ),
        (
            "Reliability",
            ("confidence", "tickets", "says", "right"),
            [
                (f"{one.low:.1f} to {one.high:.1f}", str(one.tickets), _share(one.confidence), _share(one.right))
                for one in evaluation.reliability
            ],
        ),
    ]


def html_page(results: Results) -> str:
    evaluation = results.evaluation
    title = f"{results.classifier} on {evaluation.tickets} tickets"
    body = [f"<h1>{escape(title)}</h1>"]
    body += map(_html_table, tables(results))
    body.append(_plot("Coverage (across) against precision (up)", _coverage_line(evaluation.coverage)))
    body.append(_plot("Confidence (across) against share that is right (up)", _reliability(evaluation.reliability)))
    style = "body{font:15px sans-serif;margin:2em;max-width:60em}td,th{padding:2px 12px 2px 0;text-align:left}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{style}</style></head>\n<body>\n{chr(10).join(body)}\n</body></html>\n"
    )


def _figures(results: Results) -> list[tuple[str, str, str, str]]:
    evaluation = results.evaluation
    named: list[tuple[str, Figure | None]] = [
        ("pair accuracy", evaluation.pair_accuracy),
        ("pair accuracy, lenient", evaluation.lenient_accuracy),
        ("category accuracy", evaluation.category_accuracy),
        ("macro F1", evaluation.macro_f1),
        ("right one among the first three", evaluation.top3),
        ("calibration error (ECE)", evaluation.ece),
    ]
    rows = [(name, *_figure(figure)) for name, figure in named if figure]
    rows += _reach_rows(evaluation)
    rows.append(("answered", f"{evaluation.answered} of {evaluation.tickets}", "", ""))
    if results.calibration:
        rows.append(("confidence mapped by", results.calibration, "", ""))
    rows.append(("took", bill_summary(results.bill), "", ""))
    return rows


def _reach_rows(evaluation: Evaluation) -> list[tuple[str, str, str, str]]:
    reach = evaluation.reach
    if reach is None:
        return []
    threshold = "none reaches it" if reach.threshold is None else f"{reach.threshold:.4f}"
    return [
        (f"threshold for {reach.target:.0%} right", threshold, "", ""),
        ("  coverage, cross-validated", *_figure(reach.coverage)),
        ("  precision, cross-validated", *_figure(reach.precision)),
    ]


def _figure(figure: Figure) -> tuple[str, str, str]:
    return _share(figure.value), f"{_share(figure.low)} to {_share(figure.high)}", figure.method


def _share(value: float) -> str:
    return f"{value:.3f}"


def _html_table(table: Table) -> str:
    title, headings, rows = table
    lines = [f"<tr>{''.join(f'<th>{escape(cell)}</th>' for cell in headings)}</tr>"]
    lines += [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows]
    return f"<h2>{escape(title)}</h2>\n<table>\n{chr(10).join(lines)}\n</table>"


def _coverage_line(points: Iterable[CoveragePoint]) -> str:
    path = " ".join(f"{_x(point.coverage):.1f},{_y(point.precision):.1f}" for point in points)
    return f'<polyline points="{path}" fill="none" stroke="#06c" stroke-width="2"/>'


def _reliability(bins: Iterable[ReliabilityBin]) -> str:
    diagonal = f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#aaa"/>'
    dots = [f'<circle cx="{_x(one.confidence):.1f}" cy="{_y(one.right):.1f}" r="4" fill="#06c"/>' for one in bins]
    return diagonal + "".join(dots)


def _plot(title: str, content: str) -> str:
    side = _SIZE + 2 * _MARGIN
    frame = f'<rect x="{_MARGIN}" y="{_MARGIN}" width="{_SIZE}" height="{_SIZE}" fill="none" stroke="#444"/>'
    marks = (
        f'<text x="{_MARGIN}" y="{side - 8}">0</text><text x="{side - _MARGIN}" y="{side - 8}">1</text>'
        f'<text x="8" y="{_MARGIN}">1</text>'
    )
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg width="{side}" height="{side}" role="img" '
        f'aria-label="{escape(title)}">{frame}{marks}{content}</svg></figure>'
    )


def _x(share: float) -> float:
    return _MARGIN + share * _SIZE


def _y(share: float) -> float:
    return _MARGIN + (1 - share) * _SIZE
