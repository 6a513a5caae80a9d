"""The whole chain: send what is pending, fetch, classify, report, send."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..domain.correction import in_force
from ..domain.delivery import Delivery
from ..domain.standing import ReportStatus
from ..domain.ticket import AttributedTicket
from .classify import classify_tickets
from .fetch import fetch_tickets
from .ports import AnswerCache, CatalogSource, Classifier, CorrectionStore, Helpdesk, Progress, Run, StageFiles
from .report import Attributed, Reporting, make_report
from .send import Outgoing, largest_mail, send_messages


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a run works with. Without `outgoing` nothing is sent (a dry run)."""

    helpdesk: Helpdesk
    catalog_source: CatalogSource
    classifier: Classifier
    cache: AnswerCache
    corrections: CorrectionStore
    stage_files: StageFiles
    reporting: Reporting
    outgoing: Outgoing | None


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did. `report` is None for an empty queue, which needs none."""

    tickets: tuple[AttributedTicket, ...]
    report: Path | None
    deliveries: tuple[Delivery, ...]
    left: tuple[ReportStatus, ...]


def run_pipeline(pipeline: Pipeline, run: Run, report_path: Path, progress: Progress) -> RunResult:
    """Every stage in turn, each leaving its file."""
    outgoing = pipeline.outgoing
    # Even with nothing to send: a report that cannot be delivered is not worth a model call.
    max_size = _prepare(outgoing) if outgoing else None
    before = _send(outgoing, max_size) if outgoing else []
    attributed = _attribute_queue(pipeline, run, progress)
    tickets = attributed.tickets
    if tickets:
        make_report(attributed, pipeline.reporting, report_path)
    return RunResult(
        tickets=tuple(tickets),
        report=report_path if tickets else None,
        deliveries=(*before, *(_send(outgoing, max_size) if outgoing else ())),
        left=tuple(outgoing.left_over()) if outgoing else (),
    )


def _attribute_queue(pipeline: Pipeline, run: Run, progress: Progress) -> Attributed:
    corrections = in_force(pipeline.corrections.all())
    fetched = fetch_tickets(pipeline.helpdesk, pipeline.catalog_source)
    # The catalog first: tickets.json is the file that says the fetch is complete.
    pipeline.stage_files.save_catalog(fetched.catalog, run)
    pipeline.stage_files.save_tickets(fetched.tickets, run)
    tickets = classify_tickets(
        fetched.tickets, fetched.catalog, pipeline.classifier, pipeline.cache, progress, corrections
    )
    bill = pipeline.classifier.bill
    generated_at = pipeline.stage_files.save_attributions(tickets, run, bill)
    return Attributed(run.id, generated_at, tickets, bill, fetched.catalog)


def _prepare(outgoing: Outgoing) -> int | None:
    """What the largest mail may be. Raises what would keep every report from being sent."""
    outgoing.planner()
    return largest_mail(outgoing)


def _send(outgoing: Outgoing, max_size: int | None) -> list[Delivery]:
    return send_messages(outgoing, outgoing.planner().pending(max_size))
