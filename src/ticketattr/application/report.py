"""Make the workbook of a run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from ..domain.report import Report, build_report
from ..domain.ticket import AttributedTicket
from .ports import ReportWriter

log = logging.getLogger(__name__)


def make_report(
    tickets: Sequence[AttributedTicket],
    writer: ReportWriter,
    path: Path,
    *,
    run_id: str,
    generated_at: datetime,
) -> Report:
    report = build_report(tickets, run_id=run_id, generated_at=generated_at)
    writer.write(report, path)
    log.info("report written: %d rows, %d attributed", len(report.rows), report.attributed)
    return report
