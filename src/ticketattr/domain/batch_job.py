"""Batch jobs: many calls of a model that a service makes within a day or two, for half the price."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from .ticket import Outcome, Unattributed, agree

JobState = Literal[
    "uploading",  # the service certainly has no such job yet
    "creating",  # nobody knows whether the service has it
    "open",  # the service has it
    "cancelling",  # it was asked to stop, and may have ended before
    "answered",  # its answers were taken
    "not created",  # the service certainly never had it
    "refused",  # the service does not take such a job
    "failed",
    "expired",
    "cancelled",
    "lost",  # the service does not know it any more
]

OPEN_STATES: frozenset[JobState] = frozenset(("uploading", "creating", "open", "cancelling"))
"""The states in which a job may still answer."""

TRIED_STATES: frozenset[JobState] = frozenset(("answered", "refused", "failed", "expired", "lost"))
"""After these, a ticket without an answer is asked about at once, and in no further job."""

RemoteState = Literal["pending", "running", "succeeded", "failed", "cancelled", "expired", "unknown"]
"""What the service says of a job; `unknown` for a word that is not known."""

ENDED: Mapping[RemoteState, JobState] = {
    "succeeded": "failed",  # without answers
    "failed": "failed",
    "cancelled": "cancelled",
    "expired": "expired",
}
"""What becomes of a job that ended without answers."""

LONGEST = timedelta(hours=48)
"""Services end a job after this time. One that does not end is given up."""

_ORDER: tuple[RemoteState, ...] = ("succeeded", "running", "pending")


@dataclass(frozen=True, slots=True)
class JobCall:
    """One call of a job: `key` stands for its content, `ticket_keys` for its tickets, whose ids begin at `first`."""

    key: str
    first: int
    ticket_keys: tuple[str, ...]

    @property
    def ids(self) -> range:
        """The ids that its tickets have in the question, and in the answer. No other call of the job has them."""
        return range(self.first, self.first + len(self.ticket_keys))

    @property
    def numbered(self) -> Iterable[tuple[int, str]]:
        """The ids with the keys of their tickets."""
        return zip(self.ids, self.ticket_keys, strict=True)


@dataclass(frozen=True, slots=True)
class BatchJob:
    """A job as the journal knows it. `display_name` is ours and unique, `name` is the service's; empty if not known.

    `fingerprint` stands for the classifier and the catalog that its answers belong to. Times are in UTC.
    """

    display_name: str
    run_id: str
    fingerprint: str
    model: str
    created: datetime
    state: JobState
    changed: datetime
    calls: tuple[JobCall, ...] = field(default=(), repr=False)
    name: str = ""
    detail: str = ""
    number: int = 0

    @property
    def tickets(self) -> int:
        """The number of tickets that it asks about."""
        return sum(len(call.ticket_keys) for call in self.calls)

    @property
    def is_open(self) -> bool:
        """Whether it may still answer."""
        return self.state in OPEN_STATES

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have ended."""
        return now - self.created > LONGEST


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """A job as the service shows it. `detail` is its reason for a failure. `created` is a time as the service wrote it.

    `has_answers`: there is something to read, whatever the state.
    """

    name: str
    display_name: str
    state: RemoteState
    detail: str = ""
    created: str = ""
    has_answers: bool = False


def best_of(doubles: Sequence[RemoteJob]) -> RemoteJob:
    """Returns the job to keep among several of one name: the one that came furthest, of these the oldest."""

    def place(job: RemoteJob) -> tuple[int, str, str]:
        order = _ORDER.index(job.state) if job.state in _ORDER else len(_ORDER)
        return order, job.created, job.name

    return min(doubles, key=place)


def join_answers(answers: Iterable[tuple[str, Mapping[int, Outcome]]], calls: Sequence[JobCall]) -> dict[int, Outcome]:
    """Returns the outcomes of a job by the ids of its tickets.

    Each of the `answers` has the key under which it came, empty if it came without one, and outcomes by the ids inside.
    Neither their order nor their number matters. An answer under a key that is not of these `calls` belongs to another
    job, and is left out. One under the key of another call counts for the call whose ids it has. Ids that are not of
    that call are left out: the model was not asked about them there. Two different outcomes for one ticket are none.
    """
    by_key = {call.key: call for call in calls}
    by_id = {number: call for call in calls for number in call.ids}
    joined: dict[int, Outcome] = {}
    for key, outcomes in answers:
        call = _answered_call(key, outcomes, by_key, by_id)
        for number, outcome in outcomes.items():
            if call is None or number not in call.ids:
                continue
            differs = number in joined and not agree(joined[number], outcome)
            joined[number] = Unattributed("bad_answer", "two answers of the batch job differ") if differs else outcome
    return joined


def _answered_call(
    key: str, outcomes: Mapping[int, Outcome], by_key: Mapping[str, JobCall], by_id: Mapping[int, JobCall]
) -> JobCall | None:
    if key and key not in by_key:
        return None
    found = [by_id.get(number) for number in outcomes]
    if key and by_key[key] in found:
        return by_key[key]
    first = found[0] if found else None
    return first if all(call is first for call in found) else None
