"""The subject of a mail: a text with placeholders for the figures of its newest report."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from .figures import ReportFigures

PLACEHOLDERS = (
    "tickets",
    "attributed",
    "overdue",
    "due_soon",
    "review",
    "failed",
    "new",
    "changed",
    "gone",
    "date",
    "time",
)
"""What may stand in braces. All but the last two are numbers of tickets."""

UNKNOWN = "?"
"""What stands for a figure that is not known."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def unknown_placeholders(subject: str) -> list[str]:
    """What stands in braces in `subject` and is not a placeholder, in its order, each once."""
    return [name for name in dict.fromkeys(_PLACEHOLDER.findall(subject)) if name not in PLACEHOLDERS]


def newest_figures(reports: Iterable[ReportFigures | None]) -> ReportFigures | None:
    """The figures of the newest report that has any; None if none has."""
    known = [figures for figures in reports if figures]
    # Of reports of the same time, the last one is the newest.
    return max(reversed(known), key=lambda figures: figures.generated_at, default=None)


def fill_subject(subject: str, figures: ReportFigures | None, now: datetime, date_format: str) -> str:
    """`subject` with the figures, and `?` for each one that is not known.

    Date and time are those of the report, in its zone, or `now`. Without an earlier report, every ticket is new.
    `date_format` is one of `strftime`.
    """
    time = figures.generated_at if figures else now
    values = {"date": time.strftime(date_format), "time": f"{time:%H:%M}"}
    if figures:
        counts = {name: getattr(figures, name) for name in PLACEHOLDERS[:-2]}
        counts["new"] = figures.tickets if figures.new is None else figures.new
        values |= {name: str(count) for name, count in counts.items() if count is not None}
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], UNKNOWN), subject)
