"""A ticket as the helpdesk sent it, and the outcome of its attribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from .catalog import SLA, RequestType

Source = Literal["kept", "corrected", "confirmed", "cached", "model", "offline"]
"""Who chose the request type: the helpdesk, a person (who corrected or confirmed it), the answer cache, the model, or
the embedded classifier."""

Reason = Literal[
    "no_match",  # no entry of the catalog fits
    "not_answered",  # the answer left it out
    "not_in_catalog",  # the answer is a pair that does not exist
    "bad_answer",  # the answer cannot be read
    "blocked",  # the model refused its content
    "service_error",  # the service failed
    "quota",  # the service's daily quota is used up
    "cost_limit",  # the next call would exceed the cost limit
    "pending",  # it is asked about in a batch job that has not answered yet
]


_PAGE_SIZES = frozenset((20, 25, 30, 50, 100, 200, 250, 500, 1_000, 2_000, 2_500, 5_000, 10_000))


@dataclass(frozen=True, slots=True)
class Ticket:
    """An incident or a service request. A text that the helpdesk did not send is empty.

    `id` may be empty, and several tickets may share it: the position in the queue identifies a ticket. `url` leads to
    the ticket in the helpdesk; `version` is what the helpdesk changes with each change of the ticket. `extra` keeps
    unknown fields as they came.
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
    status: str = ""
    priority: str = ""
    assignee: str = ""
    group: str = ""
    url: str = ""
    updated_at: str = ""
    version: str = ""

    @property
    def texts(self) -> tuple[str, str]:
        """Short and long description."""
        return self.short_description, self.long_description


@dataclass(frozen=True, slots=True)
class Attribution:
    """The request type of a ticket, and who chose it.

    `confidence` is from 0 to 1, or None if it is unknown. `evidence` quotes the text that decided; `alternatives` are
    the next best entries, the best one first.
    """

    entry: RequestType
    source: Source
    confidence: float | None = None
    evidence: str = ""
    alternatives: tuple[RequestType, ...] = ()
    model: str = field(default="", compare=False)

    @property
    def is_failure(self) -> bool:
        """Always False."""
        return False


@dataclass(frozen=True, slots=True)
class Unattributed:
    """Why a ticket has no request type. `model` is the large language model that answered, if one did."""

    reason: Reason
    detail: str = ""
    model: str = field(default="", compare=False)

    @property
    def is_failure(self) -> bool:
        """Whether something failed. That no entry of the catalog fits is an answer, and a pending ticket gets one."""
        return self.reason not in ("no_match", "pending")


Outcome: TypeAlias = Attribution | Unattributed
"""The outcome of the attribution of one ticket."""


def agree(one: Outcome, other: Outcome) -> bool:
    """Whether both choose the same entry, or have the same reason for none."""
    if isinstance(one, Attribution) and isinstance(other, Attribution):
        return one.entry == other.entry
    return one == other


DecisionEffect = Literal[
    "holds",
    "holds for a changed text",  # something was added to the text, or cut from it
    "another text",  # the ticket is about another matter now
    "not in the catalog",  # the catalog no longer has the chosen entry
]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a ticket in a report, at the time `at`, in UTC, and what that means for it now."""

    request_category: str
    request_type: str
    is_confirmation: bool
    at: datetime
    effect: DecisionEffect = "holds"

    @property
    def holds(self) -> bool:
        """Whether the ticket has the request type that the person chose."""
        return self.effect in ("holds", "holds for a changed text")


@dataclass(frozen=True, slots=True)
class AttributedTicket:
    """A ticket with the outcome of its attribution. `decision` is None if no person decided about the ticket."""

    ticket: Ticket
    outcome: Outcome
    decision: Decision | None = None

    @property
    def is_attributed(self) -> bool:
        """Whether the ticket has a request type."""
        return isinstance(self.outcome, Attribution)

    @property
    def is_failure(self) -> bool:
        """Whether the attribution failed."""
        return self.outcome.is_failure

    @property
    def is_pending(self) -> bool:
        """Whether a later run will know the outcome."""
        return isinstance(self.outcome, Unattributed) and self.outcome.reason == "pending"


def may_be_a_page(count: int) -> bool:
    """Whether so many tickets may be one full page of a longer queue: it is a number that services have for pages."""
    return count in _PAGE_SIZES
