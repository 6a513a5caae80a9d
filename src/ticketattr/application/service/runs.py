"""Runs on demand and by the schedule: one at a time, each once, found again after a restart of the service.

Several hosts may share the state. A run works on the host that was asked for it. One of the hosts leads: it looks
after the schedule, and after the runs of hosts that are gone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ...domain.access import Caller
from ...domain.service_run import AuditEntry, Schedule, ServiceRun, Trigger, Undo
from ...errors import InputError, TicketAttrError
from ..ports import Clock
from .ports import CronReader, RunProcesses, ServiceState

SCHEDULER = "schedule"
"""The name under which the schedule asks for runs."""

SETTINGS = "settings"
"""Who changed a schedule that nobody changed."""

GONE = timedelta(minutes=5)
"""A host that was not seen for so long is gone: its run is lost, and what waits for it starts elsewhere."""

_GAP = timedelta(minutes=1)
"""After a longer silence, such as that of the database, a host waits for `GONE` before it says that of others."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of the service. `default_cron` is the schedule of the settings, until somebody changes it.

    `host` is empty, and `leads` is always true, unless several hosts share the state. Their `clock` is the same then.
    """

    state: ServiceState
    processes: RunProcesses
    cron: CronReader
    clock: Clock
    default_cron: str = ""
    host: str = ""
    leads: Callable[[], bool] = lambda: True


def request_run(
    service: Service,
    caller: Caller,
    trigger: Trigger,
    *,
    dry_run: bool = False,
    undo: Undo | None = None,
    key: str = "",
) -> tuple[ServiceRun, bool]:
    """The run that `caller` asked for, and whether it is a new one.

    One run of a kind waits at most: whoever asks for the same while one waits gets that one. The same `key` from the
    same caller is the same request.
    """
    now = service.clock()

    def entry(run: ServiceRun, is_new: bool) -> AuditEntry:
        outcome = f"run {run.number} {'queued' if is_new else 'was asked for before'}"
        action, detail = ("undo", str(undo)) if undo else ("run", "dry run" if dry_run else "")
        return AuditEntry(now, caller.name, caller.origin, action, detail, outcome)

    return service.state.request_run(
        trigger, caller.name, now, dry_run=dry_run, undo=undo, key=key, audited=entry, host=service.host
    )


def advance(service: Service) -> None:
    """Take note of processes that ended, ask for the run that is due by the schedule, and start the next run.

    To be called every second or so, by one service at a time on each host. An error about one run is recorded with
    that run.
    """
    leads = service.leads()
    gone = _gone_hosts(service)
    for run in service.state.unfinished():
        if run.state != "queued" and run.host == service.host:
            service.state.save_run(_observed(service, run))
        elif run.state == "running" and leads and gone(run.host):
            message = f"{run.host} was not seen for {GONE.seconds // 60} minutes"
            service.state.save_run(replace(run, state="lost", message=message))
    if leads:
        _request_due_run(service)
    waiting = service.state.unfinished()
    if not any(run.state == "running" for run in waiting):
        queued = (run for run in waiting if run.state == "queued")
        mine = (run for run in queued if run.host == service.host or (leads and gone(run.host)))
        if next_run := next(mine, None):
            _start(service, next_run)


def current_run(service: Service) -> ServiceRun | None:
    """The run that works now, with its progress; None if none does."""
    running = [run for run in service.state.unfinished() if run.state == "running"]
    return _with_status(service, running[0]) if running else None


def log_of(service: Service, run: ServiceRun, lines: int) -> list[str]:
    """The last lines that a run printed, oldest first; where they are, if another host has them."""
    if run.host != service.host:
        return [f"run {run.number} is one of {run.host or 'another host'}, which has its log"]
    return service.processes.log(run, lines)


def found_run(service: Service, number: int) -> ServiceRun:
    """The run with this number, with its progress. Raises InputError if there is none."""
    run = service.state.run(number)
    if run is None:
        raise InputError(f"the service does not know the run {number}")
    return _with_status(service, run) if run.state == "running" else run


def schedule_of(service: Service) -> Schedule:
    """The schedule that holds: the one that was set last, or the one of the settings."""
    return service.state.schedule() or _schedule_of_settings(service)


def _schedule_of_settings(service: Service) -> Schedule:
    now = service.clock()
    return Schedule(service.default_cron, now, SETTINGS, now)


def change_schedule(service: Service, caller: Caller, cron: str) -> Schedule:
    """Set the schedule; an empty expression stops it. Raises InputError for one that is not valid.

    A refused expression changes nothing, and is in the audit.
    """
    now, cron = service.clock(), " ".join(cron.split())
    try:
        if cron:
            service.cron.next_times(cron, now, 1)
    except InputError as error:
        service.state.add_audit(
            AuditEntry(now, caller.name, caller.origin, "schedule", cron[:200], f"refused: {error}")
        )
        raise
    changed = Schedule(cron, now, caller.name, now)
    service.state.save_schedule(
        changed, AuditEntry(now, caller.name, caller.origin, "schedule", cron or "off", "changed")
    )
    return changed


def next_times(service: Service, count: int = 5) -> list[datetime]:
    """The next times at which the schedule starts a run, in UTC; empty if it starts none."""
    schedule = schedule_of(service)
    return times_of(service, schedule.cron, count) if schedule.cron else []


def times_of(service: Service, cron: str, count: int = 5) -> list[datetime]:
    """The next times of any cron expression, in UTC. Raises InputError for one that is not valid."""
    return list(service.cron.next_times(" ".join(cron.split()), service.clock(), count))


def _gone_hosts(service: Service) -> Callable[[str], bool]:
    """Whether a host is gone. Nothing is, as long as this host itself was not there all the time."""
    now = service.clock()
    if not service.host:
        return lambda host: True
    seen = {one.name: one for one in service.state.beat(service.host, now, steady=now - _GAP)}
    was_here = now - seen[service.host].since > GONE
    return lambda host: was_here and (host not in seen or now - seen[host].seen > GONE)


def _observed(service: Service, run: ServiceRun) -> ServiceRun:
    """`run` as it is now: its progress, or its end."""
    if service.processes.is_alive(run):
        return _with_status(service, replace(run, state="running"))
    # Read after that: a process that ended meanwhile has reported its end.
    status, exit_code = service.processes.status(run), service.processes.exit_code(run)
    if status is None and exit_code is None and run.state == "running":
        # The service died before it started the process.
        return replace(run, state="queued", started=None)
    reported = status.exit_code if status else None
    code = reported if exit_code is None else exit_code
    over = _with_status(service, run)
    over = replace(over, state="lost" if code is None else "ended", exit_code=code, ended=service.clock())
    if code == 0 or over.message:
        return over
    return replace(over, message="the process was killed" if code is None or code < 0 else "see the log of this run")


def _with_status(service: Service, run: ServiceRun) -> ServiceRun:
    status = service.processes.status(run) if run.host == service.host else None
    if status is None:
        return run
    return replace(
        run,
        run_id=status.run_id or run.run_id,
        stage=status.stage,
        done=status.done,
        total=status.total,
        message=status.message,
        hint=status.hint,
        figures=status.figures,
    )


def _request_due_run(service: Service) -> None:
    """Ask for one run if the schedule came due since `last_due`, however often it did."""
    now, schedule = service.clock(), service.state.schedule()
    if schedule is None or (schedule.changed_by == SETTINGS and schedule.cron != service.default_cron):
        # Kept, so that times that pass while the service is down are known to be missed.
        service.state.start_schedule(_schedule_of_settings(service))
        return
    if not schedule.cron or schedule.last_due > now:
        return
    due = service.cron.next_times(schedule.cron, schedule.last_due, 1)[0]
    if due <= now:
        key = f"{due:%Y-%m-%dT%H:%M:%SZ}"
        service.state.request_due_run(schedule, now, who=SCHEDULER, key=key, host=service.host)


def _start(service: Service, run: ServiceRun) -> None:
    started = replace(run, started=service.clock(), host=service.host)
    service.processes.clear(run)
    # Before the process starts: if the service dies in between, the run is found, and found to be lost.
    if not service.state.start_run(started):
        return
    try:
        service.processes.start(started)
    except TicketAttrError as error:
        log.error("%s", error)
        failed = replace(started, state="ended", ended=service.clock(), exit_code=int(error.exit_code))
        service.state.save_run(replace(failed, message=str(error), hint=error.hint))
