"""The status of each report. `send_rules` determines it, and decides by it what is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from .delivery import Adoption, Delivery, ReportFile, Transport

DoubtPolicy: TypeAlias = Literal["resend", "hold"]
"""Whether a message in doubt is sent again automatically, or waits for a person's decision."""

ReportState = Literal["pending", "sending", "sent", "failed", "in_doubt", "held", "edited", "damaged"]
"""docs/explanation/auditing.md explains each state, and what happens next."""


@dataclass(frozen=True, slots=True)
class ReportStatus:
    """The state of a report, and the reason for it.

    `delivery` is the latest one that decides the state (None: no message did). `attempts` counts those of all
    deliveries of the report.
    """

    report: ReportFile
    state: ReportState
    detail: str = ""
    delivery: Delivery | None = None
    attempts: int = 0
    sent_at: datetime | None = None

    @property
    def is_pending(self) -> bool:
        """Whether a recipient still waits for the report, or somebody has to act on the file."""
        if self.state == "sent":
            return bool(self.delivery and self.delivery.outstanding)
        return self.state != "edited" and not self.report.is_temporary


@dataclass(frozen=True, slots=True)
class DeliveryHistory:
    """What the report log says about reports: deliveries, oldest first, and adoptions."""

    deliveries: Sequence[Delivery]
    adoptions: Sequence[Adoption] = ()
    doubt: DoubtPolicy = "resend"

    def for_transport(self, transport: Transport) -> DeliveryHistory:
        """The history that counts for one transport: its own deliveries, and all adoptions."""
        deliveries = [delivery for delivery in self.deliveries if delivery.message.transport == transport]
        return replace(self, deliveries=deliveries)

    def is_held(self, delivery: Delivery) -> bool:
        """Whether the delivery is in doubt and waits for a person's decision."""
        return delivery.state == "in_doubt" and self.doubt == "hold" and not delivery.released
