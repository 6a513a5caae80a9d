"""Audit the labels of a history: a report of the doubtful ones, which `corrections import` takes back.

The report has the shape of that of a run, so that people correct and confirm labels as they do request types: each
row is a ticket with its label, and with the type that is likelier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..domain.catalog import ServiceCatalog
from ..domain.gold import GoldTicket
from ..domain.label_audit import Contradiction, DoubtfulLabel, Guess, LabelAudit, audit
from ..domain.report import Report, ReportContext, Row, build_report
from ..domain.sanitizing import sanitize
from ..domain.ticket import AttributedTicket, Attribution
from ..domain.usage import Bill
from ..domain.wording import some_of
from .learn import UsableTickets
from .ports import LearningProgress, Run, StageFiles

_NAMED = 3
_SHOWN_ID = 60

OutOfFold: TypeAlias = Callable[[Sequence[GoldTicket], ServiceCatalog, LearningProgress], Sequence[Guess]]
"""Returns for each ticket what is learned from other tickets, never from itself."""


@dataclass(frozen=True, slots=True)
class AuditedHistory:
    """What an audit found, its report, and the tickets of the report in the order of their places."""

    audit: LabelAudit
    report: Report
    tickets: tuple[AttributedTicket, ...]


def audit_labels(
    usable: UsableTickets, catalog: ServiceCatalog, out_of_fold: OutOfFold, run: Run, progress: LearningProgress
) -> AuditedHistory:
    """Returns the audit of a history. Its report lists doubtful labels first, then other tickets that contradict.

    Raises what reading tickets raises.
    """
    found = audit(usable.gold, catalog, out_of_fold(usable.gold, catalog, progress), usable.times)
    listed = _listed(usable.gold, found)
    reasons = list(listed.values())
    report = build_report(
        tuple(ticket for ticket, _ in reasons),
        run_id=run.id,
        generated_at=run.clock(),
        context=ReportContext(catalog=catalog),
    )
    rows = sorted(report.rows, key=lambda row: row.place or 0)
    told = tuple(_without_due(row, reason) for row, (_, reason) in zip(rows, reasons, strict=True))
    return AuditedHistory(found, replace(report, rows=told), tuple(ticket for ticket, _ in reasons))


def _listed(history: Sequence[GoldTicket], found: LabelAudit) -> dict[int, tuple[AttributedTicket, str]]:
    """Returns the tickets of the report with their reasons, by their positions in the history."""
    contradicted = {row: group for group in found.contradictions for row in group.rows}
    doubts = {label.row: label for label in found.labels}
    listed = {}
    for row in [*doubts, *(row for row in contradicted if row not in doubts)]:
        label, group = doubts.get(row), contradicted.get(row)
        reasons = [*([_doubt(label)] if label else []), *([_contradiction(row, group, history)] if group else [])]
        listed[row] = (_attributed(history[row], label), "; ".join(reasons))
    return listed


def _attributed(gold: GoldTicket, label: DoubtfulLabel | None) -> AttributedTicket:
    return AttributedTicket(
        gold.ticket,
        Attribution(
            gold.entry,
            source="kept",
            confidence=round(label.probability, 4) if label else None,
            alternatives=(label.suggested,) if label else (),
        ),
    )


def _doubt(label: DoubtfulLabel) -> str:
    what = "surely another type" if label.is_sure else "another type is likelier"
    return f"{what}: {label.suggested.name} ({label.suggested_probability:.2f} against {label.probability:.2f})"


def _contradiction(row: int, group: Contradiction, history: Sequence[GoldTicket]) -> str:
    others = [other for other in group.rows if history[other].entry != history[row].entry]
    shown = (f"{_name(history[other], other)} ({history[other].entry.name})" for other in others)
    return f"almost the same text as {some_of(shown, _NAMED)}"


def _name(gold: GoldTicket, row: int) -> str:
    return sanitize(gold.ticket.id)[:_SHOWN_ID] or f"ticket {row + 1}"


def _without_due(row: Row, reason: str) -> Row:
    """Returns the row with the reason to review it, and without the times of an open ticket."""
    return replace(
        row,
        needs_review=reason,
        due=None,
        overdue_by=None,
        urgency="",
        response_due=None,
        age_days=None,
    )


def save_audit(audited: AuditedHistory, catalog: ServiceCatalog, files: StageFiles, run: Run) -> None:
    """Saves what `corrections import` compares the workbook with. Raises SettingsError or ServiceError."""
    files.save_catalog(catalog, run)
    files.save_attributions(audited.tickets, run, Bill())
