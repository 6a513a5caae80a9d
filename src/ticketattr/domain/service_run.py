"""The runs that the service starts, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from ..errors import ExitCode
from .wording import counted

RunState: TypeAlias = Literal["queued", "running", "ended", "lost"]
"""`lost`: the process ended and nobody knows how, because it was killed while the service was not there.

Without a time of its end, other hosts call it lost, because its host is gone; that one still may know better.
"""

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
    `host` is the host that shall run it, or does, where several hosts share the state; empty where there is one.
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
    host: str = ""

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, in whatever way."""
        return self.state in ("ended", "lost")

    @property
    def kind_text(self) -> str:
        """What the run does in place of all stages: ` (dry run)`; empty for an ordinary run."""
        kind = f"puts back {self.undo}" if self.undo else "dry run" if self.dry_run else ""
        return f" ({kind})" if kind else ""

    @property
    def name(self) -> str:
        """What every door calls the run, as in `Run 3 (dry run)`."""
        return f"Run {self.number}{self.kind_text}"

    @property
    def state_text(self) -> str:
        """The state as every door shows it: `queued`, `running`, `done`, or how the run failed."""
        if not self.is_over:
            return self.state
        if self.exit_code is None or self.exit_code < 0:
            return "killed"
        if self.exit_code == ExitCode.DONE:
            return "done"
        how = "done in part" if self.exit_code == ExitCode.PARTIAL else "failed"
        return f"{how} (exit code {self.exit_code})"

    @property
    def progress_text(self) -> str:
        """Where a run that works is, as in `Run 3 is in the stage classify, 3 of 14 tickets`."""
        if not self.stage:
            return f"{self.name} has started"
        tickets = f", {self.done:,} of {counted(self.total, 'ticket')}" if self.total else ""
        return f"{self.name} is in the stage {self.stage}{tickets}"


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
class HostSeen:
    """A host whose service works, or did. Times are in UTC.

    `seen`: when it was seen last. `since`: from when on it was seen again and again, without a gap.
    """

    name: str
    seen: datetime
    since: datetime


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
