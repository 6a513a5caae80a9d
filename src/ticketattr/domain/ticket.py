"""A ticket as the helpdesk told it, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from .catalog import SLA, RequestType

Source = Literal["kept", "corrected", "cached", "model", "offline"]
"""Who decided: the helpdesk itself, a person, an earlier answer, the model, the embedded classifier."""

Reason = Literal[
    "no_match",  # nothing in the catalog fits
    "not_answered",  # left out of an answer
    "not_in_catalog",  # answered with a pair that does not exist
    "bad_answer",  # answered in no usable form
    "blocked",  # refused for its content
    "service_error",  # the service failed
    "quota",  # the service's daily quota is used up
    "cost_limit",  # the next call would have cost more than it may
]


@dataclass(frozen=True, slots=True)
class Ticket:
    """An incident or a service request. Text that the helpdesk did not give is empty.

    `id` may be empty or shared by several tickets: a ticket is known by its place in the queue.
    `extra` keeps the fields that we do not know, as they came.
    """

    id: str
    short_description: str
    long_description: str = ""
    requester_email: str = ""
    created_at: str = ""
    request_category: str = ""
    request_type: str = ""
    sla: SLA | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, str]:
        return self.short_description, self.long_description


@dataclass(frozen=True, slots=True)
class Attribution:
    """The request type of a ticket, and how sure whoever chose it is (0 to 1; None: did not say)."""

    entry: RequestType
    source: Source
    confidence: float | None = None
    evidence: str = ""
    alternatives: tuple[RequestType, ...] = ()

    @property
    def is_failure(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Unattributed:
    """Why a ticket has no request type."""

    reason: Reason
    detail: str = ""

    @property
    def is_failure(self) -> bool:
        """That nothing in the catalog fits is an answer; every other reason is a failure."""
        return self.reason != "no_match"


Outcome: TypeAlias = Attribution | Unattributed


@dataclass(frozen=True, slots=True)
class AttributedTicket:
    ticket: Ticket
    outcome: Outcome

    @property
    def is_attributed(self) -> bool:
        return isinstance(self.outcome, Attribution)

    @property
    def is_failure(self) -> bool:
        return self.outcome.is_failure
