"""Where each report stands: what lies in the folder, held against what the log says was sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from .delivery import Adoption, Delivery, MessageState, ReportFile, Transport

DoubtPolicy: TypeAlias = Literal["resend", "hold"]
"""Whether a message in doubt goes out again by itself, or waits for a person."""

ReportState = Literal["pending", "sending", "sent", "failed", "in_doubt", "held", "edited", "damaged"]
"""As of its latest message; `held`: in doubt, and waiting for a person to decide."""

# Of several messages with the same report, that of the highest rank says where it stands, of equals the latest.
_RANK: dict[MessageState, int] = {"failed": 0, "sending": 1, "in_doubt": 1, "sent": 2}


@dataclass(frozen=True, slots=True)
class ReportStatus:
    """Where a report stands. `delivery` is the latest one that says so, if any; `attempts` counts all of them."""

    report: ReportFile
    state: ReportState
    detail: str = ""
    delivery: Delivery | None = None
    attempts: int = 0
    sent_at: datetime | None = None

    @property
    def is_pending(self) -> bool:
        """Whether it still has to reach somebody."""
        if self.state == "sent":
            return bool(self.delivery and self.delivery.outstanding)
        return self.state != "edited" and not self.report.is_temporary


@dataclass(frozen=True, slots=True)
class DeliveryHistory:
    """What the log knows that bears on reports for one transport; deliveries come oldest first."""

    deliveries: Sequence[Delivery]
    adoptions: Sequence[Adoption] = ()
    doubt: DoubtPolicy = "resend"

    def for_transport(self, transport: Transport) -> DeliveryHistory:
        """An adoption counts for every transport, a delivery for its own."""
        deliveries = [delivery for delivery in self.deliveries if delivery.message.transport == transport]
        return replace(self, deliveries=deliveries)

    def is_held(self, delivery: Delivery) -> bool:
        return delivery.state == "in_doubt" and self.doubt == "hold" and not delivery.released


def statuses_of(reports: Iterable[ReportFile], history: DeliveryHistory) -> list[ReportStatus]:
    by_content: dict[str, Delivery] = {}
    attempts: dict[str, int] = {}
    sent_runs: dict[str, datetime] = {adoption.run_id: adoption.at for adoption in history.adoptions}
    for delivery in history.deliveries:
        for report in delivery.message.reports:
            attempts[report.sha256] = attempts.get(report.sha256, 0) + delivery.attempts
            # A report stays sent, and then in doubt, whatever was tried with it afterwards.
            known = by_content.get(report.sha256)
            if known is None or _RANK[delivery.state] >= _RANK[known.state]:
                by_content[report.sha256] = delivery
            if delivery.state == "sent":
                sent_runs[report.run_id] = delivery.changed
    return [
        replace(
            _judge(report, by_content.get(report.sha256), sent_runs.get(report.run_id), history),
            attempts=attempts.get(report.sha256, 0),
        )
        for report in reports
    ]


def status_of(report: ReportFile, delivery: Delivery, history: DeliveryHistory) -> ReportStatus:
    """Where a report stands by that delivery of it alone."""
    state: ReportState = "held" if history.is_held(delivery) else delivery.state
    sent_at = delivery.changed if delivery.state == "sent" else None
    return ReportStatus(report, state, delivery.detail, delivery, delivery.attempts, sent_at)


def _judge(
    report: ReportFile, delivery: Delivery | None, run_sent_at: datetime | None, history: DeliveryHistory
) -> ReportStatus:
    if report.damage:
        return ReportStatus(report, "damaged", report.damage)
    if delivery and delivery.state != "failed":
        return status_of(report, delivery, history)
    for adoption in history.adoptions:
        if adoption.covers(report):
            return ReportStatus(report, "sent", adoption.detail, sent_at=adoption.at)
    if delivery:
        return status_of(report, delivery, history)
    if report.run_id and run_sent_at:
        detail = f"its run was sent at {run_sent_at:%Y-%m-%d %H:%M} UTC; this file was saved again afterwards"
        return ReportStatus(report, "edited", detail)
    return ReportStatus(report, "pending")
