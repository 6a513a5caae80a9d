"""Texts that every format of the report shares: headings, meanings of the states, facts about the run."""

from __future__ import annotations

from ...domain.report import Report
from ...domain.summary import Count, Summary
from .run_id_reader import RUN_FACT

MEANINGS = {
    "attributed": "chosen by the classifier: nothing to do",
    "kept": "came with a valid request type: nothing to do",
    "corrected": "decided by a person: nothing to do",
    "needs review": "a person should review it",
    "failed": "not attributed because something failed",
}
_MAX_GONE = 30


def made_at(report: Report) -> str:
    """The time of the report, to the minute, with its time zone."""
    return f"{report.generated_at:%Y-%m-%d %H:%M} UTC"


def since_heading(report: Report) -> str:
    """The heading of the changes since the earlier report."""
    earlier = report.context.earlier
    if earlier is None:
        return "Since the last report that was sent: there is none yet"
    return f"Since the last report that was sent ({earlier.run_id})"


def gone_tickets(report: Report) -> list[str]:
    """A line for each ticket that is no longer in the queue; of very many, the last line says how many more."""
    lines = [f"{ticket.id or '(no id)'} {ticket.short_description}" for ticket in report.gone[:_MAX_GONE]]
    more = len(report.gone) - len(lines)
    return [*lines, f"and {more:,} more"] if more else lines


def counted_types(summary: Summary) -> list[Count]:
    """The counts by request type, with the category in the name."""
    return [(f"{category} / {name}" if name else category, count) for category, name, count in summary.types]


def facts(report: Report) -> list[tuple[str, str]]:
    """How the report was made: names and values."""
    context, bill = report.context, report.context.bill
    known = [(RUN_FACT, report.run_id), ("attributed at", made_at(report))]
    if bill:
        known += [
            ("model", bill.model or "unknown"),
            ("calls", f"{bill.usage.calls:,}"),
            ("tokens in and out", f"{bill.usage.tokens_in:,} and {bill.usage.tokens_out:,}"),
            ("cost", bill.cost_in_words),
        ]
        if bill.seconds:
            known.append(("duration", f"{bill.seconds:.1f} s"))
    if context.catalog:
        entries = len(context.catalog.entries)
        known.append(("service catalog", f"version {context.catalog.version}, {entries:,} request types"))
    known.append(("needs review below a confidence of", f"{context.review_below:g}"))
    return known
