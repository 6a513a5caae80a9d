"""Runs on demand and by schedule: one at a time, each once, found again after a restart."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ticketattr.application.service.runs import (
    Service,
    advance,
    change_schedule,
    current_run,
    found_run,
    log_of,
    next_times,
    request_run,
    schedule_of,
    times_of,
)
from ticketattr.domain.access import Caller
from ticketattr.domain.service_run import AuditEntry, RunStatus, Schedule, ServiceRun, Undo
from ticketattr.errors import InputError, ServiceError
from ticketattr.infrastructure.service.cron import CronExpressions
from ticketattr.infrastructure.service.state_db import SQLiteServiceState

RUN_ID = "20261127T120000Z-0000"
ANN = Caller("ann", "operate", "192.0.2.7")


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Processes:
    """Processes that the test starts and ends."""

    alive: set[int] = field(default_factory=set)
    started: list[int] = field(default_factory=list)
    reported: dict[int, RunStatus] = field(default_factory=dict)
    codes: dict[int, int] = field(default_factory=dict)
    error: ServiceError | None = None

    def clear(self, run: ServiceRun) -> None:
        self.reported.pop(run.number, None)

    def start(self, run: ServiceRun) -> None:
        if self.error:
            raise self.error
        self.started.append(run.number)
        self.alive.add(run.number)

    def end(self, number: int, code: int | None, status: RunStatus | None = None) -> None:
        self.alive.discard(number)
        if code is not None:
            self.codes[number] = code
        if status:
            self.reported[number] = status

    def status(self, run: ServiceRun) -> RunStatus | None:
        return self.reported.get(run.number)

    def is_alive(self, run: ServiceRun) -> bool:
        return run.number in self.alive

    def exit_code(self, run: ServiceRun) -> int | None:
        return self.codes.get(run.number)

    def log(self, run: ServiceRun, lines: int) -> list[str]:
        return []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def processes() -> Processes:
    return Processes()


@pytest.fixture
def service(tmp_path: Path, clock: Clock, processes: Processes) -> Service:
    return Service(SQLiteServiceState(tmp_path / "service.db"), processes, CronExpressions(ZoneInfo("UTC")), clock)


def test_a_run_that_was_asked_for_is_started_and_its_end_is_noticed(service: Service, processes: Processes) -> None:
    run, is_new = request_run(service, ANN, "api")
    assert is_new
    assert run.state == "queued"
    advance(service)
    assert processes.started == [run.number]
    processes.reported[run.number] = RunStatus("20261127T120000Z-0000", "classify", 3, 14)
    working = current_run(service)
    assert working
    assert (working.stage, working.done, working.total) == ("classify", 3, 14)
    processes.end(run.number, 5, RunStatus("20261127T120000Z-0000", exit_code=5, message="why", figures={"model": 40}))
    advance(service)
    over = found_run(service, run.number)
    assert (over.state, over.exit_code, over.message, over.figures) == ("ended", 5, "why", {"model": 40})
    assert current_run(service) is None


def test_what_waits_stands_for_the_same_wish_alone(service: Service) -> None:
    wishes: list[tuple[bool, Undo | None]] = [(False, None), (True, None), (False, Undo("a")), (False, Undo("a", 2))]
    first = [request_run(service, ANN, "page", dry_run=dry, undo=undo)[0].number for dry, undo in wishes]
    again = [request_run(service, ANN, "page", dry_run=dry, undo=undo) for dry, undo in wishes]
    assert first == [1, 2, 3, 4]
    assert [(run.number, is_new) for run, is_new in again] == [(number, False) for number in first]


def test_a_dry_run_that_waits_does_not_stand_for_the_run_of_the_schedule(service: Service, clock: Clock) -> None:
    change_schedule(service, ANN, "0 13 * * *")
    request_run(service, ANN, "api")
    advance(service)
    request_run(service, ANN, "page", dry_run=True)
    clock.now += timedelta(hours=2)
    advance(service)
    assert [(run.trigger, run.dry_run) for run in service.state.unfinished()[1:]] == [
        ("page", True),
        ("schedule", False),
    ]


class Killed(BaseException):
    """The end of the process, in the middle of a call."""


def killed_in(service: Service, method: str) -> Service:
    """A service over the same state whose process ends when it calls `method` of the state."""

    def killed(*arguments: object, **options: object) -> None:
        raise Killed

    state = type("Dying", (SQLiteServiceState,), {method: killed})(service.state.path)  # type: ignore[attr-defined]
    return replace(service, state=state)


@pytest.mark.parametrize("method", ["request_due_run", "start_run"])
def test_a_service_that_is_killed_when_a_run_is_due_starts_it_once_when_it_is_back(
    service: Service, clock: Clock, processes: Processes, method: str
) -> None:
    change_schedule(service, ANN, "0 13 * * *")
    clock.now += timedelta(hours=2)
    with pytest.raises(Killed):
        advance(killed_in(service, method))
    for _ in range(3):
        advance(service)
    assert [(run.trigger, run.requested_by) for run in service.state.runs()] == [("schedule", "schedule")]
    assert processes.started == [1]


def test_a_service_that_is_killed_changes_nothing_that_the_audit_does_not_show(service: Service) -> None:
    dying = killed_in(service, "add_audit")
    with suppress(Killed):
        change_schedule(dying, ANN, "0 13 * * *")
    with suppress(Killed):
        request_run(dying, ANN, "api")
    changes = [entry.action for entry in service.state.audit()]
    assert ("schedule" in changes) == (service.state.schedule() is not None)
    assert ("run" in changes) == bool(service.state.runs())


def test_one_run_works_and_one_waits_whoever_asks(service: Service, processes: Processes) -> None:
    first, _ = request_run(service, ANN, "api")
    advance(service)
    second, is_new = request_run(service, ANN, "page")
    assert is_new
    assert request_run(service, Caller("bob", "operate"), "chat") == (second, False)
    advance(service)
    assert processes.started == [first.number]
    processes.end(first.number, 0)
    advance(service)
    assert processes.started == [first.number, second.number]


def test_the_same_key_of_the_same_caller_is_the_same_request(service: Service, processes: Processes) -> None:
    first, _ = request_run(service, ANN, "api", key="42")
    advance(service)
    processes.end(first.number, 0)
    advance(service)
    again, is_new = request_run(service, ANN, "api", key="42")
    assert (again.number, again.state, is_new) == (first.number, "ended", False)
    other, is_new = request_run(service, Caller("bob", "operate"), "api", key="42")
    assert is_new
    assert other.number != first.number


def test_who_asked_for_a_run_is_in_the_audit(service: Service) -> None:
    request_run(service, ANN, "api", dry_run=True)
    (entry,) = service.state.audit()
    assert (entry.who, entry.origin, entry.action, entry.detail, entry.outcome) == (
        "ann", "192.0.2.7", "run", "dry run", "run 1 queued",
    )  # fmt: skip


def test_a_run_outlives_the_service_and_is_found_again(service: Service, processes: Processes) -> None:
    run, _ = request_run(service, ANN, "api")
    advance(service)
    restarted = replace(service, processes=Processes(alive={run.number}))
    advance(restarted)
    assert found_run(restarted, run.number).state == "running"


def test_a_run_that_ended_while_the_service_was_gone_has_the_exit_code_that_it_reported(service: Service) -> None:
    run, _ = request_run(service, ANN, "api")
    advance(service)
    restarted = replace(service, processes=Processes(reported={run.number: RunStatus(exit_code=4, message="down")}))
    advance(restarted)
    over = found_run(restarted, run.number)
    assert (over.state, over.exit_code, over.message) == ("ended", 4, "down")


def test_a_run_that_was_killed_while_the_service_was_gone_is_lost_and_the_next_one_starts(service: Service) -> None:
    run, _ = request_run(service, ANN, "api")
    advance(service)
    gone = Processes(reported={run.number: RunStatus(stage="classify")})
    restarted = replace(service, processes=gone)
    second, _ = request_run(restarted, ANN, "api")
    advance(restarted)
    over = found_run(restarted, run.number)
    assert (over.state, over.exit_code, over.message) == ("lost", None, "the process was killed")
    assert gone.started == [second.number]


def test_a_service_that_died_before_it_started_the_process_starts_it_when_it_is_back(service: Service) -> None:
    run, _ = request_run(service, ANN, "api")
    advance(service)
    back = Processes()
    advance(replace(service, processes=back))
    assert back.started == [run.number]


def test_a_process_that_cannot_be_started_ends_its_run_with_the_reason(service: Service, processes: Processes) -> None:
    processes.error = ServiceError("no process left", hint="Wait.")
    run, _ = request_run(service, ANN, "api")
    advance(service)
    over = found_run(service, run.number)
    assert (over.state, over.exit_code, over.message, over.hint) == ("ended", 4, "no process left", "Wait.")


def test_the_schedule_starts_a_run_when_it_is_due_and_not_before(
    service: Service, clock: Clock, processes: Processes
) -> None:
    change_schedule(service, ANN, "30 12 * * *")
    clock.now += timedelta(minutes=29)
    advance(service)
    assert processes.started == []
    clock.now += timedelta(minutes=1)
    advance(service)
    advance(service)
    assert processes.started == [1]
    assert found_run(service, 1).requested_by == "schedule"


def test_times_that_passed_while_the_service_was_down_are_caught_up_once(
    service: Service, clock: Clock, processes: Processes
) -> None:
    change_schedule(service, ANN, "0 * * * *")
    clock.now += timedelta(days=3)
    advance(service)
    processes.end(1, 0)
    advance(service)
    assert processes.started == [1]


def test_a_schedule_of_the_settings_holds_until_somebody_changes_it(service: Service, clock: Clock) -> None:
    service = replace(service, default_cron="0 6 * * *")
    assert schedule_of(service).cron == "0 6 * * *"
    advance(service)
    change_schedule(service, ANN, "")
    assert schedule_of(replace(service, default_cron="0 7 * * *")).cron == ""
    assert next_times(service) == []


def test_a_changed_setting_holds_as_long_as_nobody_changed_the_schedule(
    service: Service, clock: Clock, processes: Processes
) -> None:
    advance(replace(service, default_cron="0 6 * * *"))
    clock.now += timedelta(days=1)
    service = replace(service, default_cron="30 6 * * *")
    advance(service)
    assert schedule_of(service).cron == "30 6 * * *"
    assert processes.started == [], "nothing was due by the new schedule yet"
    advance(replace(service, default_cron=""))
    assert next_times(service) == []


def test_a_clock_that_goes_back_starts_nothing_twice(service: Service, clock: Clock, processes: Processes) -> None:
    change_schedule(service, ANN, "0 * * * *")
    clock.now += timedelta(hours=1)
    advance(service)
    processes.end(1, 0)
    clock.now -= timedelta(hours=1)
    advance(service)
    clock.now += timedelta(hours=1)
    advance(service)
    assert processes.started == [1]


@pytest.mark.parametrize(
    "cron", ["99 99 * * *", "0 0 30 2 *", "* * * *", "*/5 * * * * *", "0 0 * * 8", "x" * 300, "@daily"]
)
def test_a_schedule_that_is_not_valid_changes_nothing_and_is_in_the_audit(service: Service, cron: str) -> None:
    change_schedule(service, ANN, "0 6 * * *")
    with pytest.raises(InputError):
        change_schedule(service, ANN, cron)
    assert schedule_of(service).cron == "0 6 * * *"
    assert service.state.audit()[0].outcome.startswith("refused: ")


def test_a_time_in_the_gap_of_the_spring_night_comes_right_after_it_and_one_in_autumn_comes_once(
    service: Service, clock: Clock
) -> None:
    berlin = replace(service, cron=CronExpressions(ZoneInfo("Europe/Berlin")))
    change_schedule(berlin, ANN, "30 2 * * *")
    clock.now = datetime(2027, 3, 27, 12, tzinfo=timezone.utc)
    assert next_times(berlin, 2) == [
        datetime(2027, 3, 28, 1, 0, tzinfo=timezone.utc),
        datetime(2027, 3, 29, 0, 30, tzinfo=timezone.utc),
    ]
    clock.now = datetime(2027, 10, 30, 12, tzinfo=timezone.utc)
    assert next_times(berlin, 2) == [
        datetime(2027, 10, 31, 0, 30, tzinfo=timezone.utc),
        datetime(2027, 11, 1, 1, 30, tzinfo=timezone.utc),
    ]


def test_a_run_that_does_not_exist_is_not_found(service: Service) -> None:
    with pytest.raises(InputError, match="the service does not know the run 7"):
        found_run(service, 7)


@dataclass
class Hosts:
    """Two hosts with one state and processes of their own. `leader` is the host that leads."""

    state: SQLiteServiceState
    clock: Clock
    leader: str = "one"

    def __post_init__(self) -> None:
        self.processes = {name: Processes() for name in ("one", "two")}
        self.services = {name: self.host(name) for name in ("one", "two")}

    def host(self, name: str) -> Service:
        zone = CronExpressions(ZoneInfo("UTC"))
        return Service(self.state, self.processes[name], zone, self.clock, host=name, leads=lambda: self.leader == name)

    def live(self, minutes: float, *names: str) -> None:
        """Let time pass for these hosts, or for both."""
        for _ in range(int(minutes * 2)):
            self.clock.now += timedelta(seconds=30)
            for name in names or self.services:
                advance(self.services[name])

    def only_run(self) -> ServiceRun:
        (run,) = self.state.runs()
        return run


@pytest.fixture
def hosts(tmp_path: Path, clock: Clock) -> Hosts:
    return Hosts(SQLiteServiceState(tmp_path / "service.db"), clock)


def test_a_run_works_on_the_host_that_was_asked_and_all_hosts_show_it(hosts: Hosts) -> None:
    run, _ = request_run(hosts.services["two"], ANN, "api")
    other, _ = request_run(hosts.services["one"], ANN, "api", dry_run=True)
    hosts.live(1, "one")
    assert hosts.processes["one"].started == [other.number]
    hosts.processes["one"].end(other.number, 0)
    hosts.live(1)
    assert hosts.processes["two"].started == [run.number]
    hosts.processes["two"].reported[run.number] = RunStatus("20261127T120000Z-0000", "classify", 3, 14)
    hosts.live(1)
    # Left on the other host, by a run of the same number in another state.
    hosts.processes["one"].reported[run.number] = RunStatus("20261120T120000Z-0000", "send", 9, 9)
    for service in hosts.services.values():
        shown = current_run(service)
        assert shown
        assert (shown.host, shown.stage, shown.done, shown.total) == ("two", "classify", 3, 14)
    assert log_of(hosts.services["one"], run, 10) == ["run 1 is one of two, which has its log"]
    hosts.processes["two"].log = lambda run, lines: [f"{lines} lines of {run.number}"]  # type: ignore[method-assign]
    assert log_of(hosts.services["two"], run, 10) == ["10 lines of 1"]


def test_one_run_works_at_a_time_on_all_hosts(hosts: Hosts) -> None:
    for name, dry_run in (("one", False), ("two", True)):
        request_run(hosts.services[name], ANN, "api", dry_run=dry_run)
    hosts.live(3)
    assert [hosts.processes[name].started for name in ("one", "two")] == [[1], []]


def test_a_scheduled_time_starts_one_run_even_if_two_hosts_believe_that_they_lead(hosts: Hosts) -> None:
    both = [replace(service, leads=lambda: True) for service in hosts.services.values()]
    change_schedule(both[0], ANN, "0 * * * *")
    for _ in range(3):
        hosts.clock.now += timedelta(hours=1)
        for service in both:
            advance(service)
        for name, processes in hosts.processes.items():
            for number in list(processes.alive):
                processes.end(number, 0)
                advance(hosts.services[name])
    assert [run.trigger for run in hosts.state.runs()] == ["schedule"] * 3
    assert sorted(hosts.processes["one"].started + hosts.processes["two"].started) == [1, 2, 3]


def test_only_the_host_that_leads_looks_at_the_schedule_and_another_goes_on_when_it_does_not(hosts: Hosts) -> None:
    hosts.leader = "two"
    change_schedule(hosts.services["one"], ANN, "0 13 * * *")
    hosts.live(70, "one")
    assert hosts.state.runs() == []
    hosts.live(1)
    assert hosts.only_run().host == "two"


def test_a_schedule_that_somebody_changes_while_it_comes_due_stays_as_it_was_changed(hosts: Hosts) -> None:
    one, two = hosts.services.values()
    change_schedule(one, ANN, "0 13 * * *")
    hosts.clock.now += timedelta(hours=2)

    class Slow(CronExpressions):
        def next_times(self, cron: str, after: datetime, count: int) -> list[datetime]:
            if cron == "0 13 * * *":
                change_schedule(two, ANN, "0 5 * * *")
            return list(super().next_times(cron, after, count))

    advance(replace(one, cron=Slow(ZoneInfo("UTC"))))
    assert schedule_of(one).cron == "0 5 * * *"
    assert hosts.state.runs() == []


def test_the_run_of_a_host_that_is_gone_is_lost_and_what_waited_for_it_starts_elsewhere(hosts: Hosts) -> None:
    hosts.live(6)
    request_run(hosts.services["two"], ANN, "api")
    hosts.live(1)
    request_run(hosts.services["two"], ANN, "api")
    hosts.live(4.5, "one")
    assert [run.state for run in hosts.state.runs()] == ["queued", "running"]
    hosts.live(1.5, "one")
    second, first = hosts.state.runs()
    assert (first.state, first.exit_code, first.message) == ("lost", None, "two was not seen for 5 minutes")
    assert (second.state, second.host) == ("running", "one")
    assert hosts.processes["one"].started == [2]


def test_a_host_that_was_away_itself_says_of_nobody_that_it_is_gone(hosts: Hosts) -> None:
    hosts.live(6)
    request_run(hosts.services["two"], ANN, "api")
    hosts.live(1)
    # The database was away, and the leader reaches it first.
    hosts.clock.now += timedelta(hours=1)
    hosts.live(4, "one")
    assert hosts.only_run().state == "running"
    hosts.live(10)
    assert hosts.only_run().state == "running"


@pytest.mark.parametrize(("is_alive", "state"), [(True, "running"), (False, "ended")])
def test_a_host_that_comes_back_knows_better_what_became_of_its_run(hosts: Hosts, is_alive: bool, state: str) -> None:
    hosts.live(6)
    request_run(hosts.services["two"], ANN, "api")
    hosts.live(1)
    hosts.live(7, "one")
    assert hosts.only_run().state == "lost"
    if not is_alive:
        hosts.processes["two"].end(1, 0)
    hosts.live(1)
    assert hosts.only_run().state == state
    assert hosts.processes["two"].started == [1]


def test_what_a_run_of_another_state_reported_under_the_same_number_does_not_count(hosts: Hosts) -> None:
    hosts.processes["one"].reported[1] = RunStatus(exit_code=0)
    request_run(hosts.services["one"], ANN, "api")
    killed = killed_in(hosts.services["one"], "save_run")
    hosts.processes["one"].error = ServiceError("no process left")
    with suppress(Killed):
        advance(killed)
    hosts.processes["one"].error = None
    hosts.live(1)
    assert hosts.processes["one"].started == [1]


def test_what_a_run_reports_is_shown_while_it_works_and_kept_when_it_ends(
    service: Service, processes: Processes, clock: Clock
) -> None:
    asked, _ = request_run(service, ANN, "api")
    advance(service)
    processes.reported[1] = RunStatus(RUN_ID, "classify", 3, 14, message="why", hint="Wait.", figures={"model": 3})
    works = replace(
        asked,
        state="running",
        started=clock.now,
        run_id=RUN_ID,
        stage="classify",
        done=3,
        total=14,
        message="why",
        hint="Wait.",
        figures={"model": 3},
    )
    assert current_run(service) == found_run(service, 1) == works
    advance(service)
    # The id of a run stays known, also if its last report has none.
    clock.now += timedelta(minutes=1)
    processes.end(1, 5, RunStatus(stage="send", exit_code=4, message="late"))
    advance(service)
    assert found_run(service, 1) == replace(
        works,
        state="ended",
        ended=clock.now,
        exit_code=5,
        stage="send",
        done=0,
        total=0,
        message="late",
        hint="",
        figures={},
    )


@pytest.mark.parametrize(
    ("code", "status", "end"),
    [
        (0, None, ("ended", 0, "")),
        (0, RunStatus(exit_code=0, message="fine"), ("ended", 0, "fine")),
        (1, None, ("ended", 1, "see the log of this run")),
        (1, RunStatus(message="why"), ("ended", 1, "why")),
        (-9, None, ("ended", -9, "the process was killed")),
        (None, RunStatus(exit_code=0), ("ended", 0, "")),
        (None, RunStatus(exit_code=2), ("ended", 2, "see the log of this run")),
        (None, RunStatus(), ("lost", None, "the process was killed")),
    ],
)
def test_the_end_of_a_run_is_told_by_its_exit_code_its_report_or_neither(
    service: Service,
    processes: Processes,
    code: int | None,
    status: RunStatus | None,
    end: tuple[str, int | None, str],
) -> None:
    request_run(service, ANN, "api")
    advance(service)
    processes.end(1, code, status)
    advance(service)
    over = found_run(service, 1)
    assert (over.state, over.exit_code, over.message) == end


@pytest.mark.parametrize(
    ("wish", "entry"),
    [
        ({}, ("run", "")),
        ({"dry_run": True}, ("run", "dry run")),
        ({"undo": Undo("a")}, ("undo", "all of a")),
        ({"undo": Undo("a", 2)}, ("undo", "change 2 of a")),
    ],
)
def test_the_audit_says_what_was_asked_for_and_whether_it_was_new(
    service: Service, clock: Clock, wish: dict[str, Any], entry: tuple[str, str]
) -> None:
    for _ in range(2):
        request_run(service, ANN, "api", **wish)
    assert service.state.audit() == [
        AuditEntry(clock.now, "ann", "192.0.2.7", *entry, outcome, number)
        for number, outcome in ((2, "run 1 was asked for before"), (1, "run 1 queued"))
    ]


def test_the_schedule_of_the_settings_holds_until_somebody_sets_another(service: Service, clock: Clock) -> None:
    service = replace(service, default_cron="0 6 * * *")
    assert schedule_of(service) == Schedule("0 6 * * *", clock.now, "settings", clock.now)
    advance(service)
    assert service.state.schedule() == Schedule("0 6 * * *", clock.now, "settings", clock.now)
    assert next_times(service, 2) == [datetime(2026, 11, day, 6, tzinfo=timezone.utc) for day in (28, 29)]
    assert len(next_times(service)) == len(times_of(service, " 0  6 * * * ")) == 5
    clock.now += timedelta(hours=1)
    changed = Schedule("0 7 * * *", clock.now, "ann", clock.now)
    assert change_schedule(service, ANN, "  0 7  * * *") == schedule_of(service) == changed
    assert change_schedule(service, ANN, " ").cron == ""
    assert next_times(service) == []
    with pytest.raises(InputError) as wrong:
        change_schedule(service, ANN, "x" * 300)
    told = [(entry.action, entry.detail, entry.outcome) for entry in service.state.audit()]
    assert told == [
        ("schedule", "x" * 200, f"refused: {wrong.value}"),
        ("schedule", "off", "changed"),
        ("schedule", "0 7 * * *", "changed"),
    ]


@pytest.mark.parametrize(("seconds", "runs"), [(3599, 0), (3600, 1), (3601, 1)])
def test_a_run_is_asked_for_at_the_time_of_the_schedule(
    service: Service, clock: Clock, seconds: int, runs: int
) -> None:
    change_schedule(service, ANN, "0 13 * * *")
    clock.now += timedelta(seconds=seconds)
    for _ in range(2):
        advance(service)
    assert [(run.trigger, run.requested_by) for run in service.state.runs()] == [("schedule", "schedule")] * runs


def test_a_process_that_cannot_be_started_is_in_the_log_of_the_service(
    service: Service, processes: Processes, caplog: pytest.LogCaptureFixture
) -> None:
    processes.error = ServiceError("no process left", hint="Wait.")
    request_run(service, ANN, "api")
    advance(service)
    assert caplog.messages == ["no process left"]
    run = found_run(service, 1)
    assert (run.state, run.exit_code, run.message, run.hint) == ("ended", 4, "no process left", "Wait.")
    assert run.started == run.ended == service.clock()


def test_a_service_that_shares_its_state_no_longer_takes_over_what_waits_for_other_hosts(
    hosts: Hosts, service: Service, processes: Processes
) -> None:
    request_run(hosts.services["one"], ANN, "api")
    hosts.live(1, "one")
    request_run(hosts.services["two"], ANN, "api")
    advance(service)
    second, first = hosts.state.runs()
    assert (first.state, first.message) == ("lost", "one was not seen for 5 minutes")
    assert (second.state, processes.started) == ("running", [2])
