"""What the service needs from outside: its state, the process of a run, and a reader of cron expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from ...domain.access import Token
from ...domain.chat import ChatCount
from ...domain.service_run import AuditEntry, HostSeen, RunState, RunStatus, Schedule, ServiceRun, Trigger, Undo

RunAudit: TypeAlias = Callable[[ServiceRun, bool], AuditEntry]
"""Makes the entry of the audit for a run that was asked for; the second value says whether the run is new."""

ChangeAudit: TypeAlias = Callable[[bool], AuditEntry]
"""Makes the entry of the audit for a change; the value says whether it was made."""


class TokenStore(Protocol):
    """The tokens. All methods of this port and of the next one raise SettingsError, InputError or ServiceError."""

    def tokens(self) -> list[Token]:
        """All tokens, also revoked and expired ones, in the order of their names."""

    def token_of(self, digest: str) -> Token | None:
        """The token whose secret has this SHA-256; None if there is none."""

    def add_token(self, token: Token, audited: ChangeAudit | None = None) -> bool:
        """Keep a new token. Returns False, and keeps nothing but the entry of the audit, if the name is taken."""

    def revoke_token(self, name: str, at: datetime, audited: ChangeAudit | None = None) -> bool:
        """Revoke a token and end its sessions. Returns False if no token has that name."""

    def touch_token(self, name: str, at: datetime) -> None:
        """Record that the token was used."""

    def start_session(self, digest: str, token: str, expires: datetime) -> None:
        """Keep the session of a person who signed in with `token`. `digest` is the SHA-256 of the cookie."""

    def session(self, digest: str, now: datetime) -> Token | None:
        """The token of a session that has not expired; None if there is no such session."""

    def end_session(self, digest: str) -> None:
        """Forget a session, if there is one."""


class ServiceState(TokenStore, Protocol):
    """The state of the service: runs, schedule, audit and tokens. Each method is one transaction."""

    def request_run(
        self,
        trigger: Trigger,
        who: str,
        at: datetime,
        *,
        dry_run: bool,
        key: str,
        undo: Undo | None = None,
        audited: RunAudit | None = None,
        host: str = "",
    ) -> tuple[ServiceRun, bool]:
        """Queue a run for `host`. Returns it, and whether it is a new one.

        There is one queued run of a kind at most: while there is one with the same `dry_run` and `undo`, it is
        returned. With the `key` (empty: none) of an earlier call by `who`, the run of that call is returned. `audited`
        returns the entry of the audit for that answer.
        """

    def request_due_run(self, schedule: Schedule, at: datetime, *, who: str, key: str, host: str = "") -> bool:
        """Queue the run of a time that has come, and set `last_due` to `at`.

        Returns False, and changes nothing, if the schedule is no longer `schedule`: another host was faster, or
        somebody changed it.
        """

    def runs(self, *, before: int | None = None, limit: int = 100) -> list[ServiceRun]:
        """The newest runs, newest first; with `before`, those with a smaller number."""

    def run(self, number: int) -> ServiceRun | None:
        """One run; None if there is none with this number."""

    def unfinished(self) -> list[ServiceRun]:
        """The runs that are queued or running, oldest first; also those that are lost and have no time of an end."""

    def count_runs(self) -> dict[tuple[Trigger, RunState], int]:
        """The number of runs of the pipeline by trigger and state."""

    def count_chat_commands(self) -> dict[ChatCount, int]:
        """The number of chat commands by platform, name and outcome, from the audit."""

    def start_run(self, run: ServiceRun) -> bool:
        """Record that `host` starts the run at `started`. Returns False if it is not queued, or another run works."""

    def save_run(self, run: ServiceRun) -> None:
        """Replace what is kept about a run, unless that one is over."""

    def beat(self, host: str, at: datetime, *, steady: datetime) -> list[HostSeen]:
        """Record that the service of `host` works, and return all hosts. Before `steady`, its last sign was a gap."""

    def hosts(self) -> list[HostSeen]:
        """All hosts whose services ever worked."""

    def schedule(self) -> Schedule | None:
        """The schedule that was set last; None if none was."""

    def start_schedule(self, schedule: Schedule) -> None:
        """Keep the schedule if none was set, except by the one that set this one."""

    def save_schedule(self, schedule: Schedule, entry: AuditEntry | None = None) -> None:
        """Replace the schedule, and add the entry to the audit."""

    def add_audit(self, entry: AuditEntry) -> None:
        """Add an entry; entries never change."""

    def audit(self, *, limit: int = 100) -> list[AuditEntry]:
        """The newest entries, newest first."""

    def claim(self, key: str, at: datetime) -> bool:
        """Whether nobody claimed `key` before. A message that comes twice has the same key, and is acted on once."""


class RunProcesses(Protocol):
    """The processes of runs. A process outlives the service, and is found again."""

    def clear(self, run: ServiceRun) -> None:
        """Forget what an earlier run with the same number reported, of another state."""

    def start(self, run: ServiceRun) -> None:
        """Start the process of a run. Raises ServiceError or SettingsError."""

    def status(self, run: ServiceRun) -> RunStatus | None:
        """What the process reported last; None if no process was started, or it was killed at once."""

    def is_alive(self, run: ServiceRun) -> bool:
        """Whether the process still works."""

    def exit_code(self, run: ServiceRun) -> int | None:
        """The exit code of a process that this service started; None if it is alive, or another service started it."""

    def log(self, run: ServiceRun, lines: int) -> list[str]:
        """The last lines that the process printed, oldest first."""


class CronReader(Protocol):
    """Reads cron expressions, in the time zone of the settings."""

    def next_times(self, cron: str, after: datetime, count: int) -> Sequence[datetime]:
        """The next `count` times after `after`, in UTC. Raises InputError for an expression that is not valid.

        An expression that never comes true, such as 30 February, is not valid either.
        """
