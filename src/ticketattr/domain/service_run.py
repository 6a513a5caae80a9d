"""The runs that the service starts, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

RunState: TypeAlias = Literal["queued", "running", "ended", "lost"]
"""`lost`: the process ended and nobody knows how, because it was killed while the service was not there."""

STATUS_FILE_VARIABLE = "TICKETATTR_STATUS_FILE"
"""The environment variable by which the service tells a run where to report its progress. It is not a setting."""

Trigger: TypeAlias = Literal["schedule", "api", "page", "chat"]


@dataclass(frozen=True, slots=True)
class Undo:
    """Which changes in the helpdesk are put back: all of the run, or the one with the number `change` (0: all)."""

    run_id: str
    change: int = 0

    def __str__(self) -> str:
        return f"change {self.change} of {self.run_id}" if self.change else f"all of {self.run_id}"


@dataclass(frozen=True, slots=True)
class ServiceRun:
    """A run that somebody, or the schedule, asked for. Times are in UTC.

    With `undo`, it is no run of the pipeline: it puts back what an earlier run wrote into the helpdesk.
    `run_id` is empty until the run has an id. `exit_code` is None until the run ended, and for a lost run. `stage`,
    `done` and `total` are its progress: the current stage, and the finished and all batches. `figures` counts tickets
    by outcome.
    """

    number: int
    trigger: Trigger
    requested_by: str
    requested: datetime
    state: RunState = "queued"
    dry_run: bool = False
    undo: Undo | None = None
    started: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    run_id: str = ""
    stage: str = ""
    done: int = 0
    total: int = 0
    message: str = ""
    hint: str = ""
    figures: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, in whatever way."""
        return self.state in ("ended", "lost")


@dataclass(frozen=True, slots=True)
class RunStatus:
    """What the process of a run reports about itself. `exit_code` is None until it ends."""

    run_id: str = ""
    stage: str = ""
    done: int = 0
    total: int = 0
    exit_code: int | None = None
    message: str = ""
    hint: str = ""
    figures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When runs start by themselves: a cron expression (empty: never). Times are in UTC.

    `last_due` is the latest time for which a run was started, or left out on purpose.
    """

    cron: str
    changed: datetime
    changed_by: str
    last_due: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change that somebody made, or tried to make, through the service. `origin` is the address of the caller."""

    at: datetime
    who: str
    origin: str
    action: str
    detail: str
    outcome: str
    number: int = 0
