"""The results of an evaluation as an HTML page that loads nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ...application.evaluate import EvaluationResults
from ...domain.scoring import CoveragePoint, ReliabilityBin
from .score_tables import Table, score_tables

_SIZE, _MARGIN = 240, 30
"""The side of the square of a plot, and the margin around it, in pixels."""


def score_page(results: EvaluationResults) -> str:
    """A whole page, with the tables, and with plots of coverage and reliability."""
    scores = results.scores
    title = f"{results.classifier} on {scores.tickets} tickets"
    body = [f"<h1>{escape(title)}</h1>"]
    body += map(_html_table, score_tables(results))
    body.append(_plot("Coverage (across) against precision (up)", _coverage_line(scores.coverage)))
    body.append(_plot("Confidence (across) against share that is right (up)", _reliability_dots(scores.reliability)))
    style = "body{font:15px sans-serif;margin:2em;max-width:60em}td,th{padding:2px 12px 2px 0;text-align:left}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{style}</style></head>\n<body>\n{chr(10).join(body)}\n</body></html>\n"
    )


def _html_table(table: Table) -> str:
    title, headings, rows = table
    lines = [f"<tr>{''.join(f'<th>{escape(cell)}</th>' for cell in headings)}</tr>"]
    lines += [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows]
    return f"<h2>{escape(title)}</h2>\n<table>\n{chr(10).join(lines)}\n</table>"


def _coverage_line(points: Iterable[CoveragePoint]) -> str:
    path = " ".join(f"{_x(point.coverage):.1f},{_y(point.precision):.1f}" for point in points)
    return f'<polyline points="{path}" fill="none" stroke="#06c" stroke-width="2"/>'


def _reliability_dots(bins: Iterable[ReliabilityBin]) -> str:
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
