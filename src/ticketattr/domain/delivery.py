"""Reports on their way to the reader: which may go, and what became of each message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

Transport: TypeAlias = Literal["smtp", "file"]

MessageState = Literal["sending", "sent", "failed", "in_doubt"]
"""`sending` until the server answered; `failed`: definitely not taken; `in_doubt`: nobody knows."""

ReportState = Literal["pending", "sending", "sent", "failed", "in_doubt", "edited", "damaged"]


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A workbook on disk. Its content is its identity: the name may change, the SHA-256 does not.

    `run_id` is what the workbook says of itself (empty: nothing). `damage` says why it cannot be sent.
    """

    path: Path
    sha256: str
    size: int
    modified: datetime
    run_id: str = ""
    damage: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, frozen before the server is spoken to, so that a repeat can be known as one."""

    message_id: str
    date: datetime
    transport: Transport
    sender: str
    recipients: tuple[str, ...]
    subject: str
    reports: tuple[ReportFile, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message. Times are in UTC."""

    message: Message
    state: MessageState
    changed: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReportStatus:
    """Where a report stands. `delivery` is the latest one that says so, if any."""

    report: ReportFile
    state: ReportState
    detail: str = ""
    delivery: Delivery | None = None

    @property
    def is_pending(self) -> bool:
        """Whether it still has to reach its reader."""
        return self.state not in ("sent", "edited")


_RANK: dict[MessageState, int] = {"failed": 0, "sending": 1, "in_doubt": 1, "sent": 2}


def judge_reports(
    reports: Iterable[ReportFile], deliveries: Sequence[Delivery], transport: Transport
) -> list[ReportStatus]:
    """The state of each report for that transport; `deliveries` come oldest first."""
    by_content: dict[str, Delivery] = {}
    sent_runs: dict[str, Delivery] = {}
    for delivery in deliveries:
        if delivery.message.transport != transport:
            continue
        for report in delivery.message.reports:
            # A report stays sent, and then in doubt, whatever was tried with it afterwards.
            known = by_content.get(report.sha256)
            if known is None or _RANK[delivery.state] >= _RANK[known.state]:
                by_content[report.sha256] = delivery
            if delivery.state == "sent" and report.run_id:
                sent_runs[report.run_id] = delivery
    return [_judge(report, by_content.get(report.sha256), sent_runs.get(report.run_id)) for report in reports]


def _judge(report: ReportFile, same_content: Delivery | None, same_run: Delivery | None) -> ReportStatus:
    if report.damage:
        return ReportStatus(report, "damaged", report.damage)
    if same_content:
        return ReportStatus(report, same_content.state, same_content.detail, same_content)
    if same_run:
        detail = f"its run was sent at {same_run.changed:%Y-%m-%d %H:%M} UTC; this file was saved again afterwards"
        return ReportStatus(report, "edited", detail, same_run)
    return ReportStatus(report, "pending")
