"""The whole chain: send what is pending, fetch, classify, report, send."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..domain.delivery import Message, ReportStatus
from ..domain.ticket import AttributedTicket
from .classify import classify_tickets
from .fetch import fetch_tickets
from .ports import AnswerCache, CatalogSource, Classifier, Helpdesk, Progress, ReportWriter, Run, StageFiles
from .report import make_report
from .send import Outgoing, left_over, plan_pending, send_messages


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a run works with. Without `outgoing` nothing is sent (a dry run)."""

    helpdesk: Helpdesk
    catalog_source: CatalogSource
    classifier: Classifier
    cache: AnswerCache
    stage_files: StageFiles
    writer: ReportWriter
    outgoing: Outgoing | None


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did. `report` is None for an empty queue, which needs none."""

    tickets: tuple[AttributedTicket, ...]
    report: Path | None
    sent: tuple[Message, ...]
    left: tuple[ReportStatus, ...]


def run_pipeline(pipeline: Pipeline, run: Run, report_path: Path, progress: Progress) -> RunResult:
    """Every stage in turn, each leaving its file."""
    sent_before = _send_what_is_pending(pipeline.outgoing)
    tickets = _attribute_queue(pipeline, run, progress)
    if tickets:
        generated_at = pipeline.stage_files.save_attributions(tickets, run, pipeline.classifier.bill)
        make_report(tickets, pipeline.writer, report_path, run_id=run.id, generated_at=generated_at)
    return RunResult(
        tickets=tuple(tickets),
        report=report_path if tickets else None,
        sent=(*sent_before, *_send(pipeline.outgoing)),
        left=tuple(left_over(pipeline.outgoing)) if pipeline.outgoing else (),
    )


def _attribute_queue(pipeline: Pipeline, run: Run, progress: Progress) -> list[AttributedTicket]:
    fetched = fetch_tickets(pipeline.helpdesk, pipeline.catalog_source)
    # The catalog first: tickets.json is the file that says the fetch is complete.
    pipeline.stage_files.save_catalog(fetched.catalog, run)
    pipeline.stage_files.save_tickets(fetched.tickets, run)
    return classify_tickets(fetched.tickets, fetched.catalog, pipeline.classifier, pipeline.cache, progress)


def _send_what_is_pending(outgoing: Outgoing | None) -> list[Message]:
    if outgoing is None:
        return []
    # Even with nothing to send: a report that cannot be delivered is not worth a model call.
    outgoing.mailer.check()
    return _send(outgoing)


def _send(outgoing: Outgoing | None) -> list[Message]:
    return send_messages(outgoing, plan_pending(outgoing)) if outgoing else []
